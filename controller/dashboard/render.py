"""A snapshot as a picture of a given size; no I/O, no clock."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.text import Text

from controller.dashboard.panels import (
    acquisition_table,
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
    events = 1 + _FRAME
    spare = left - components - events - _MIN_LOG
    acquisitions = max(min(2 * len(snapshot.acquisitions) or 1, spare - _FRAME), 1) + _FRAME
    body = Layout()
    body.split_column(
        _framed("components", component_table(snapshot, inner, components - _FRAME), components),
        _framed(
            "acquisitions", acquisition_table(snapshot, inner, acquisitions - _FRAME), acquisitions
        ),
        _framed("events", channel_text(snapshot, inner, 1), events),
        _framed(
            "log", log_text(snapshot, inner, left - components - acquisitions - events - _FRAME)
        ),
    )
    return body


def _wide(snapshot: Snapshot, width: int, height: int) -> Layout:
    """Two columns over the log."""
    left = height - 1 - len(snapshot.troubles)
    upper = max(left * 3 // 5, 8)
    column = width // 2
    inner = column - 2 * _FRAME
    components = min(len(snapshot.components) or 1, upper // 2) + 1 + _FRAME
    events = min(8, upper // 3) + _FRAME
    one, two, above, body = Layout(), Layout(), Layout(size=upper), Layout()
    one.split_column(
        _framed("components", component_table(snapshot, inner, components - _FRAME), components),
        _framed("names", names_text(snapshot, inner, upper - components - _FRAME)),
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
    left = f" obsorb top   {snapshot.root} at {snapshot.name_server}   {snapshot.names} names"
    left += f", {active} active" if active else ""
    right = f"{snapshot.time:%Y-%m-%d %H:%M:%S} UTC   q: quit "
    if len(left) + len(right) >= width:
        right = f"{snapshot.time:%H:%M:%S} UTC "
    text = Text(left, style="bold reverse", no_wrap=True, overflow="crop")
    text.append(" " * max(width - len(left) - len(right), 1) + right)
    text.truncate(width)
    return text


def _trouble(trouble: Trouble) -> Text:
    return Text(
        f" {trouble.what} away for {duration(trouble.since_s)}, trying again: {trouble.why}",
        style="bold white on red",
        no_wrap=True,
        overflow="ellipsis",
    )
