"""A snapshot as a picture of a given size; no I/O, no clock."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.text import Text

from controller.dashboard.alarm_page import draw_alarms
from controller.dashboard.channel_page import draw_channel
from controller.dashboard.drawing import FRAME, framed
from controller.dashboard.ledger_page import draw_ledger
from controller.dashboard.page import Page, hints
from controller.dashboard.panels import (
    acquisition_table,
    calls_table,
    calls_text,
    channel_text,
    component_table,
    log_text,
    names_text,
)
from controller.dashboard.parts_page import draw_parts
from controller.dashboard.run_page import draw_runs
from controller.dashboard.snapshot import Snapshot, Trouble
from controller.dashboard.story_page import draw_story
from controller.dashboard.text import duration
from idl_like_interfaces.alarms import Column

_PAGES = {
    Page.ALARMS: draw_alarms,
    Page.CHANNEL: draw_channel,
    Page.LEDGER: draw_ledger,
    Page.PARTS: draw_parts,
    Page.RUNS: draw_runs,
}

WIDE = 140
"""From this width on there are two columns."""

_MIN_LOG = 5
_TIMES = ("%Y-%m-%d %H:%M:%S UTC ", "%H:%M:%S UTC ", "%H:%M:%S ")
_WITH_CALLS = 20
"""A lower terminal has no line for the calls."""


def render(
    snapshot: Snapshot, width: int, height: int, page: Page = Page.OVERVIEW, offset: int = 0
) -> RenderableType:
    """Draw a page of a snapshot so that it fills the given size exactly.

    Args:
        snapshot: What is known.
        width: Columns.
        height: Lines.
        page: Which page.
        offset: So many lines of a story are above the page.
    """
    head = [_head(snapshot, width), *(_trouble(each) for each in snapshot.troubles)]
    whole = Layout(size=height)
    if page is Page.STORY:
        body = draw_story(snapshot, width, height - len(head), offset)
    elif page in _PAGES:
        body = _PAGES[page](snapshot, width, height - len(head))
    elif width >= WIDE:
        body = _wide(snapshot, width, height)
    else:
        body = _narrow(snapshot, width, height)
    whole.split_column(Layout(Group(*head), size=len(head)), body)
    return whole


def _narrow(snapshot: Snapshot, width: int, height: int) -> Layout:
    """One column: components, acquisitions, events, log; the log takes what is left."""
    inner = width - 2 * FRAME
    left = height - 1 - len(snapshot.troubles)
    components = min(len(snapshot.components) or 1, max(left // 3, 3)) + 1 + FRAME
    traffic, title = _traffic(snapshot, inner, has_calls=height >= _WITH_CALLS)
    events = (2 if height >= _WITH_CALLS else 1) + FRAME
    spare = left - components - events - _MIN_LOG
    acquisitions = max(min(2 * len(snapshot.acquisitions) or 1, spare - FRAME), 1) + FRAME
    body = Layout()
    body.split_column(
        framed("components", component_table(snapshot, inner, components - FRAME), components),
        framed(
            "acquisitions", acquisition_table(snapshot, inner, acquisitions - FRAME), acquisitions
        ),
        framed(title, traffic, events),
        framed(
            "log",
            log_text(snapshot, inner, left - components - acquisitions - events - FRAME),
            hint=hints(Page.OVERVIEW),
        ),
    )
    return body


def _traffic(snapshot: Snapshot, inner: int, *, has_calls: bool) -> tuple[RenderableType, str]:
    """Return the events, with room for it also the calls, each on a line, and the title."""
    events = channel_text(snapshot, inner, 1)
    if not has_calls:
        return events, "events"
    return Group(events, calls_text(snapshot, inner)), "events, calls"


def _wide(snapshot: Snapshot, width: int, height: int) -> Layout:
    """Two columns over the log."""
    left = height - 1 - len(snapshot.troubles)
    upper = max(left * 3 // 5, 8)
    column = width // 2
    inner = column - 2 * FRAME
    components = min(len(snapshot.components) or 1, upper // 2) + 1 + FRAME
    names = min(len(snapshot.components) or 1, max((upper - components) // 2 - FRAME, 1)) + FRAME
    events = min(8, upper // 3) + FRAME
    one, two, above, body = Layout(), Layout(), Layout(size=upper), Layout()
    one.split_column(
        framed("components", component_table(snapshot, inner, components - FRAME), components),
        framed("names", names_text(snapshot, inner, names - FRAME), names),
        framed("calls", calls_table(snapshot, inner, upper - components - names - FRAME)),
    )
    two.split_column(
        framed("acquisitions", acquisition_table(snapshot, inner, upper - events - FRAME)),
        framed("events", channel_text(snapshot, inner, events - FRAME), events),
    )
    above.split_row(one, two)
    lines = left - upper - FRAME
    records = log_text(snapshot, width - 2 * FRAME, lines)
    body.split_column(above, framed("log", records, hint=hints(Page.OVERVIEW)))
    return body


def _head(snapshot: Snapshot, width: int) -> Text:
    active = sum(not each.is_over for each in snapshot.acquisitions)
    title = "" if snapshot.name_servers else " obsorb top  "
    left = f"{title} {snapshot.root} at {_name_servers(snapshot)}   {snapshot.names} names"
    left += f", {active} active" if active else ""
    bad = snapshot.alarms.columns.get(Column.BAD, 0) if snapshot.alarms is not None else 0
    left += f", {bad} ALARM{'S' if bad > 1 else ''}" if bad else ""
    times = (f"{snapshot.time:{form}}" for form in _TIMES)
    right = next((each for each in times if len(left) + len(each) < width), "")
    text = Text(left, style="bold reverse", no_wrap=True, overflow="crop")
    text.append(" " * max(width - len(left) - len(right), 1) + right)
    text.truncate(width)
    return text


def _name_servers(snapshot: Snapshot) -> str:
    """Say where the name server is; of several also what each of them does."""
    said: list[str] = []
    host = ""
    for each in snapshot.name_servers:
        # The second one is mostly on the same host: the line is short.
        said.append(f"{each.address.removeprefix(host)} {each.role}")
        host = each.address.rpartition(":")[0]
    return ", ".join(said) or snapshot.name_server


def _trouble(trouble: Trouble) -> Text:
    return Text(
        f" {trouble.what} away for {duration(trouble.since_s)}, trying again: {trouble.why}",
        style="bold white on red",
        no_wrap=True,
        overflow="ellipsis",
    )
