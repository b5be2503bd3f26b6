"""The page of the processes that the supervisor keeps running."""

from __future__ import annotations

from datetime import datetime

from rich.layout import Layout
from rich.text import Text

from controller.dashboard.drawing import FRAME, fill, framed, plain_table
from controller.dashboard.page import Page, absent, hints
from controller.dashboard.snapshot import Snapshot
from controller.dashboard.text import duration
from idl_like_interfaces.supervision import PartState, PartStatus

_PART_STYLES = {
    PartState.RUNNING: "green",
    PartState.STARTING: "yellow",
    PartState.WAITING: "bold red",
    PartState.ENDED: "dim",
}


def draw_parts(snapshot: Snapshot, width: int, height: int) -> Layout:
    """Draw the page so that it fills a size."""
    status = snapshot.supervisor
    if status is None:
        return absent(Page.PARTS, "the supervisor")
    up = duration((snapshot.time - status.started).total_seconds())
    title = f"processes of {status.installation} on {status.host}, up {up}"
    table = plain_table(width - 2 * FRAME)
    table.add_column("part", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("kind", width=10, no_wrap=True)
    table.add_column("state", width=10, no_wrap=True)
    table.add_column("for", width=6, justify="right", no_wrap=True)
    table.add_column("pid", width=7, justify="right", no_wrap=True)
    table.add_column("deaths", width=6, justify="right", no_wrap=True)
    table.add_column("the last one", ratio=3, no_wrap=True, overflow="ellipsis")
    rows = [_part_cells(each, snapshot.time) for each in status.parts]
    return framed(title, fill(table, rows, height - FRAME), hint=hints(Page.PARTS))


def _part_cells(each: PartStatus, now: datetime) -> tuple[Text, ...]:
    said = each.last_death
    if each.restart_in_s:
        said += f"; starts in {duration(each.restart_in_s)}"
    style = "bold red" if each.is_alarming else _PART_STYLES[each.state]
    return (
        Text(each.name, style="bold"),
        Text(each.kind),
        Text("crash loop" if each.is_alarming else each.state.value, style=style),
        Text(duration((now - each.since).total_seconds())),
        Text(str(each.pid or "-")),
        Text(str(each.deaths), style="red" if each.deaths else "dim"),
        Text(said, style="bold red" if each.is_alarming else ""),
    )
