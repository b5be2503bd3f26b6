"""A snapshot as a picture of a given size; no I/O, no clock."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.text import Text

from controller.dashboard.panels import (
    acquisition_table,
    calls_table,
    calls_text,
    channel_text,
    component_table,
    log_text,
    names_text,
)
from controller.dashboard.snapshot import Snapshot, Trouble
from controller.dashboard.text import duration

WIDE = 140
"""From this width on there are two columns."""

_FRAME = 2
_MIN_LOG = 5
_TIMES = ("%Y-%m-%d %H:%M:%S UTC   q: quit ", "%H:%M:%S UTC ", "%H:%M:%S ")
_WITH_CALLS = 20
"""A lower terminal has no line for the calls."""


def render(snapshot: Snapshot, width: int, height: int) -> RenderableType:
    """Draw a snapshot so that it fills the given size exactly."""
    head = [_head(snapshot, width), *(_trouble(each) for each in snapshot.troubles)]
    whole = Layout(size=height)
    body = _wide(snapshot, width, height) if width >= WIDE else _narrow(snapshot, width, height)
    whole.split_column(Layout(Group(*head), size=len(head)), body)
    return whole


def _narrow(snapshot: Snapshot, width: int, height: int) -> Layout:
    """One column: components, acquisitions, events, log; the log takes what is left."""
    inner = width - 2 * _FRAME
    left = height - 1 - len(snapshot.troubles)
    components = min(len(snapshot.components) or 1, max(left // 3, 3)) + 1 + _FRAME
    traffic, title = _traffic(snapshot, inner, has_calls=height >= _WITH_CALLS)
    events = (2 if height >= _WITH_CALLS else 1) + _FRAME
    spare = left - components - events - _MIN_LOG
    acquisitions = max(min(2 * len(snapshot.acquisitions) or 1, spare - _FRAME), 1) + _FRAME
    body = Layout()
    body.split_column(
        _framed("components", component_table(snapshot, inner, components - _FRAME), components),
        _framed(
            "acquisitions", acquisition_table(snapshot, inner, acquisitions - _FRAME), acquisitions
        ),
        _framed(title, traffic, events),
        _framed(
            "log", log_text(snapshot, inner, left - components - acquisitions - events - _FRAME)
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
    inner = column - 2 * _FRAME
    components = min(len(snapshot.components) or 1, upper // 2) + 1 + _FRAME
    names = min(len(snapshot.components) or 1, max((upper - components) // 2 - _FRAME, 1)) + _FRAME
    events = min(8, upper // 3) + _FRAME
    one, two, above, body = Layout(), Layout(), Layout(size=upper), Layout()
    one.split_column(
        _framed("components", component_table(snapshot, inner, components - _FRAME), components),
        _framed("names", names_text(snapshot, inner, names - _FRAME), names),
        _framed("calls", calls_table(snapshot, inner, upper - components - names - _FRAME)),
    )
    two.split_column(
        _framed("acquisitions", acquisition_table(snapshot, inner, upper - events - _FRAME)),
        _framed("events", channel_text(snapshot, inner, events - _FRAME), events),
    )
    above.split_row(one, two)
    lines = left - upper - _FRAME
    body.split_column(above, _framed("log", log_text(snapshot, width - 2 * _FRAME, lines)))
    return body


def _framed(title: str, content: RenderableType, size: int | None = None) -> Layout:
    panel = Panel(content, title=title, title_align="left", border_style="blue", padding=(0, 1))
    return Layout(panel, size=size)


def _head(snapshot: Snapshot, width: int) -> Text:
    active = sum(not each.is_over for each in snapshot.acquisitions)
    title = "" if snapshot.name_servers else " obsorb top  "
    left = f"{title} {snapshot.root} at {_name_servers(snapshot)}   {snapshot.names} names"
    left += f", {active} active" if active else ""
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
