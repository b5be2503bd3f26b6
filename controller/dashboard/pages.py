"""The further pages of the dashboard: alarms, event channel, ledger, processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from rich.console import RenderableType
from rich.layout import Layout
from rich.text import Text

from controller.dashboard.drawing import FRAME, fill, framed, joined, plain_table
from controller.dashboard.snapshot import Snapshot
from controller.dashboard.text import duration, size
from idl_like_interfaces.accounts import Line, Verdict
from idl_like_interfaces.alarms import AlarmLine, Column, Severity
from idl_like_interfaces.events import ConsumerState, ConsumerStats, QoS
from idl_like_interfaces.supervision import PartState, PartStatus


class Page(StrEnum):
    """What the dashboard shows; the digits 1, 2 ... lead to them in this order."""

    OVERVIEW = "overview"
    ALARMS = "alarms"
    CHANNEL = "channel"
    LEDGER = "ledger"
    PARTS = "parts"


KEYS = {str(number): page for number, page in enumerate(Page, start=1)}

SEVERITY_STYLES = {
    Severity.FATAL: "bold white on red",
    Severity.MAJOR: "bold red",
    Severity.MINOR: "yellow",
    Severity.WARNING: "yellow",
    Severity.INFO: "dim",
}

_VERDICTS = {
    Verdict.UNEXPLAINED: "bold red",
    Verdict.IN_DOUBT: "yellow",
    Verdict.LOST: "yellow",
    Verdict.BALANCED: "green",
}
"""With the order in which they are shown."""

_PART_STYLES = {
    PartState.RUNNING: "green",
    PartState.STARTING: "yellow",
    PartState.WAITING: "bold red",
    PartState.ENDED: "dim",
}

_ADVICE = 6
"""Lines that are kept for what to do about the first alarms."""


def hints(page: Page) -> str:
    """Say which key leads where."""
    said = [f"[{each}]" if each is page else f"{key} {each}" for key, each in KEYS.items()]
    return f" {'  '.join(said)}  q quit "


def draw_page(snapshot: Snapshot, page: Page, width: int, height: int) -> Layout:
    """Draw a further page so that it fills a size."""
    return _PAGES[page](snapshot, width, height)


def _absent(page: Page, what: str) -> Layout:
    said = Text(f"{what} was not reached yet, or is no part of it", style="dim")
    return framed(page.value, said, hint=hints(page))


def _alarms(snapshot: Snapshot, width: int, height: int) -> Layout:
    found, stats = snapshot.alarms, snapshot.alarm_stats
    if found is None:
        return _absent(Page.ALARMS, "the alarm service")
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


def _channel(snapshot: Snapshot, width: int, height: int) -> Layout:
    inner = width - 2 * FRAME
    lower = 3 + FRAME
    body = Layout()
    body.split_column(
        framed(_channel_title(snapshot), _consumers(snapshot, inner, height - lower - FRAME)),
        framed("database, project", _stores(snapshot, inner), lower, hint=hints(Page.CHANNEL)),
    )
    return body


def _channel_title(snapshot: Snapshot) -> str:
    channel = snapshot.channel
    if channel is None:
        return "event channel"
    title = f"event channel: {channel.events} events, {channel.events_per_s:.1f}/s, "
    title += f"{size(channel.held_bytes)} held"
    if channel.journal is None:
        return f"{title}, no journal"
    state = "" if channel.journal.is_writable else " NOT WRITABLE"
    return f"{title}, journal {size(channel.journal.bytes)}{state}"


def _consumers(snapshot: Snapshot, width: int, rows: int) -> RenderableType:
    if snapshot.channel is None or not snapshot.channel.readers:
        return Text("no consumer is connected", style="dim")
    table = plain_table(width)
    table.add_column("consumer", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("state", width=12, no_wrap=True)
    for title, room in (("waiting", 8), ("lag", 8), ("dropped", 8)):
        table.add_column(title, width=room, justify="right", no_wrap=True)
    table.add_column("effective quality of service", ratio=4, no_wrap=True, overflow="ellipsis")
    # Those that lost something or lag behind stand first.
    ordered = sorted(snapshot.channel.readers, key=lambda c: (-c.dropped, -c.waiting, c.name))
    return fill(table, [_consumer_cells(each) for each in ordered], rows)


def _consumer_cells(each: ConsumerStats) -> tuple[Text, ...]:
    state = each.state.value + (" *" if each.durable else "")
    style = "green" if each.state is ConsumerState.READING else "bold red"
    return (
        Text(each.name, style="bold"),
        Text(state, style="dim" if each.state is ConsumerState.AWAY else style),
        Text(str(each.waiting)),
        Text(str(each.lag), style="dim"),
        Text(str(each.dropped), style="bold red" if each.dropped else "dim"),
        Text(qos_text(each.qos)),
    )


def qos_text(qos: QoS) -> str:
    """Say a quality of service in few words."""
    said = f"{qos.overflow}, {qos.max_queue} or {size(qos.max_bytes)}"
    if qos.block_s:
        said += f", blocks {qos.block_s:g} s"
    return f"{said}, {qos.order}, lease {qos.lease_s:g} s"


def _stores(snapshot: Snapshot, width: int) -> Text:
    oldb, project = snapshot.oldb, snapshot.project
    lines = [Text("the online database was not reached", style="dim")]
    if oldb is not None:
        mirror = f", mirror {oldb.mirror}, {oldb.mirror_behind} behind" if oldb.mirror else ""
        said = f"online database: {oldb.keys} keys, {size(oldb.bytes)}{mirror}"
        lines = [Text(said), Text(oldb.problem, style="bold red")]
    if project is not None:
        words = [project.project or "no project", project.operator, project.flight]
        words += [f"{name} {text}" for name, text in sorted(project.context.items())]
        lines.insert(1, Text(f"project: {', '.join(filter(None, words))}"))
    return joined(lines, width)


def _ledger(snapshot: Snapshot, width: int, height: int) -> Layout:
    balance = snapshot.balance
    if balance is None:
        return _absent(Page.LEDGER, "the ledger")
    inner = width - 2 * FRAME
    counts = {v: sum(line.verdict is v for line in balance.lines) for v in _VERDICTS}
    title = "ledger: " + (", ".join(f"{n} {v}" for v, n in counts.items() if n) or "no accounts")
    if balance.silent:
        title += f"; silent: {', '.join(balance.silent)}"
    table = plain_table(inner)
    table.add_column("source", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("hop", ratio=4, no_wrap=True, overflow="ellipsis")
    for name, room in (("taken", 9), ("passed", 9), ("waits", 6), ("lost", 6)):
        table.add_column(name, width=room, justify="right", no_wrap=True)
    table.add_column("verdict", ratio=4, no_wrap=True, overflow="ellipsis")
    order = list(_VERDICTS)
    lines = sorted(balance.lines, key=lambda each: order.index(each.verdict))
    rows = [_account_cells(each) for each in lines]
    return framed(title, fill(table, rows, height - FRAME), hint=hints(Page.LEDGER))


def _account_cells(line: Line) -> tuple[Text, ...]:
    account = line.account
    lost = [each.count for each in account.drops]
    count = "?" if -1 in lost else str(sum(lost))
    return (
        Text(account.source, style="bold"),
        Text(f"{account.hop}{' (gone)' if line.is_stale else ''}"),
        Text(str(account.taken)),
        Text(str(account.passed)),
        Text(str(account.in_flight)),
        Text(count, style="dim" if count == "0" else "bold red"),
        Text(f"{line.verdict} {line.text}".strip(), style=_VERDICTS[line.verdict]),
    )


def _parts(snapshot: Snapshot, width: int, height: int) -> Layout:
    status = snapshot.supervisor
    if status is None:
        return _absent(Page.PARTS, "the supervisor")
    up = duration((snapshot.time - status.started).total_seconds())
    title = f"processes of {status.installation} on {status.host}, up {up}"
    table = plain_table(width - 2 * FRAME)
    table.add_column("part", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("kind", width=12, no_wrap=True)
    table.add_column("state", width=9, no_wrap=True)
    table.add_column("for", width=6, justify="right", no_wrap=True)
    table.add_column("pid", width=8, justify="right", no_wrap=True)
    table.add_column("deaths", width=6, justify="right", no_wrap=True)
    table.add_column("the last one", ratio=3, no_wrap=True, overflow="ellipsis")
    rows = [_part_cells(each, snapshot.time) for each in status.parts]
    return framed(title, fill(table, rows, height - FRAME), hint=hints(Page.PARTS))


def _part_cells(each: PartStatus, now: datetime) -> tuple[Text, ...]:
    said = each.last_death
    if each.restart_in_s:
        said += f"; starts in {duration(each.restart_in_s)}"
    if each.is_alarming:
        said = f"CRASH LOOP: {said}"
    style = "bold red" if each.is_alarming else _PART_STYLES[each.state]
    return (
        Text(each.name, style="bold"),
        Text(each.kind),
        Text(each.state.value, style=style),
        Text(duration((now - each.since).total_seconds())),
        Text(str(each.pid or "-")),
        Text(str(each.deaths), style="red" if each.deaths else "dim"),
        Text(said, style="bold red" if each.is_alarming else ""),
    )


_PAGES: dict[Page, Callable[[Snapshot, int, int], Layout]] = {
    Page.ALARMS: _alarms,
    Page.CHANNEL: _channel,
    Page.LEDGER: _ledger,
    Page.PARTS: _parts,
}
