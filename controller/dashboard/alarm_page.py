"""The page of the alarms: the worst first, and what to do about them."""

from __future__ import annotations

from rich.layout import Layout
from rich.text import Text

from controller.dashboard.drawing import FRAME, fill, framed, joined, plain_table
from controller.dashboard.page import Page, absent, hints
from controller.dashboard.snapshot import Snapshot
from idl_like_interfaces.alarms import AlarmLine, Column, Severity

SEVERITY_STYLES = {
    Severity.FATAL: "bold white on red",
    Severity.MAJOR: "bold red",
    Severity.MINOR: "yellow",
    Severity.WARNING: "yellow",
    Severity.INFO: "dim",
}

_ADVICE = 6
"""Lines that are kept for what to do about the first alarms."""


def draw_alarms(snapshot: Snapshot, width: int, height: int) -> Layout:
    """Draw the page so that it fills a size."""
    found, stats = snapshot.alarms, snapshot.alarm_stats
    if found is None:
        return absent(Page.ALARMS, "the alarm service")
    inner = width - 2 * FRAME
    title = "alarms: " + ", ".join(f"{found.columns.get(each, 0)} {each}" for each in Column)
    if stats is not None:
        title += f"; {stats.per_10_min} in 10 min, {stats.shelved} shelved"
    upper = max(height - _ADVICE - FRAME, 4)
    table = plain_table(inner)
    table.add_column("severity", width=8, no_wrap=True)
    table.add_column("state", width=12, no_wrap=True)
    table.add_column("since", width=8, no_wrap=True)
    table.add_column("what", ratio=1, no_wrap=True, overflow="ellipsis")
    rows = [_alarm_cells(each) for each in found.lines]
    body = Layout()
    body.split_column(
        framed(title, fill(table, rows, upper - FRAME) if rows else _well(), upper),
        framed(
            "what to do",
            _advice(found.lines, inner, height - upper - FRAME),
            hint=hints(Page.ALARMS),
        ),
    )
    return body


def _well() -> Text:
    return Text("no condition is bad", style="green")


def _alarm_cells(each: AlarmLine) -> tuple[Text, ...]:
    count = f" (+{each.count - 1})" if each.count > 1 else ""
    return (
        Text(each.severity.value, style=SEVERITY_STYLES[each.severity]),
        Text(each.newest.state.value),
        Text(f"{each.newest.raised:%H:%M:%S}", style="dim"),
        Text(" ".join(each.text.split()) + count),
    )


def _advice(lines: list[AlarmLine], width: int, rows: int) -> Text:
    said: list[Text] = []
    for each in lines:
        report = each.newest.report
        said += [
            Text(f"{report.object}: {report.name}", style="bold"),
            Text(f"  cause: {' '.join(report.cause.split())}"),
            Text(f"  remedy: {' '.join(report.remedy.split())}"),
        ]
    return joined(said[: max(rows, 1)], width) if said else Text("nothing", style="dim")
