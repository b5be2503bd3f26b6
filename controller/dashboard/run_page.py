"""The page of the runs: who commands, what is taken, how fast, and for how long there is room."""

from __future__ import annotations

from datetime import datetime

from rich.console import RenderableType
from rich.layout import Layout
from rich.text import Text

from controller.dashboard.drawing import FRAME, fill, framed, joined, plain_table
from controller.dashboard.page import Page, absent, hints
from controller.dashboard.snapshot import LoggerLine, Snapshot
from controller.dashboard.text import duration, size, sparkline
from idl_like_interfaces.event_logger import (
    FileState,
    LoggerRun,
    RunState,
    StreamStatus,
    VolumeStatus,
)
from idl_like_interfaces.run_control import Run, RunControlStatus

_STATE_STYLES = {
    "active": "green",
    "paused": "yellow",
    "starting": "yellow",
    "ending": "yellow",
    "aborting": "bold red",
    "aborted": "bold red",
}
_LEVEL_STYLES = {"ok": "dim", "warning": "yellow", "pause": "bold red", "close": "bold red"}

_LEAST = 3
"""Lines of a panel that are worth its frame."""

_RATE_COLUMNS = (("events", 9), ("1/s", 6), ("bytes/s", 9))
_WIDE = 110

RunRow = tuple[Text, ...]


def draw_runs(snapshot: Snapshot, width: int, height: int) -> Layout:
    """Draw the page so that it fills a size."""
    if snapshot.run_control is None and not snapshot.loggers:
        return absent(Page.RUNS, "run control or an event logger")
    inner = width - 2 * FRAME
    runs = _run_rows(snapshot)
    upper = max(min(len(runs), height // 3 - FRAME) + 1, _LEAST - 1) + FRAME
    loggers = _logger_lines(snapshot, inner)
    middle = max(min(len(loggers), height // 3 - FRAME), 1) + FRAME
    body = Layout()
    body.split_column(
        framed(_title(snapshot.run_control), _run_table(runs, inner, upper - FRAME), upper),
        framed("loggers", joined(loggers[: middle - FRAME], inner), middle),
        framed(
            "streams",
            _stream_table(snapshot, inner, height - upper - middle - FRAME),
            hint=hints(Page.RUNS),
        ),
    )
    return body


def _title(status: RunControlStatus | None) -> str:
    if status is None:
        return "runs: no run control"
    said = f"runs: {len(status.active)} active, last {status.last_run or 'none'}"
    holder = status.control.holder
    said += f"; {holder} at {status.control.place}" if holder else "; nobody has control"
    conditions = ", ".join(status.pause_conditions)
    return f"{said}; PAUSED BY {conditions}" if conditions else said


def _run_table(rows: list[RunRow], width: int, room: int) -> RenderableType:
    if not rows:
        return Text("no run is active", style="dim")
    table = plain_table(width)
    table.add_column("run", width=7, no_wrap=True)
    table.add_column("state", width=8, no_wrap=True)
    table.add_column("for", width=6, justify="right", no_wrap=True)
    for name, wide in _RATE_COLUMNS:
        table.add_column(name, width=wide, justify="right", no_wrap=True)
    table.add_column("missing", width=7, justify="right", no_wrap=True)
    table.add_column("what", ratio=1, no_wrap=True, overflow="ellipsis")
    return fill(table, rows, room)


def _run_rows(snapshot: Snapshot) -> list[RunRow]:
    """Return the runs as run control knows them; without one, as each logger does."""
    control, now = snapshot.run_control, snapshot.time
    if control is not None:
        known = {each.run for each in control.active}
        strange = [(line, run) for line, run in _active(snapshot.loggers) if run.run not in known]
        return [_controlled(each, now) for each in control.active] + [
            _logged(line, run, now) for line, run in strange
        ]
    return [_logged(line, run, now) for line, run in _active(snapshot.loggers)]


def _active(loggers: tuple[LoggerLine, ...]) -> list[tuple[LoggerLine, LoggerRun]]:
    over = (RunState.ENDED, RunState.ABORTED)
    return [(line, run) for line in loggers for run in line.status.runs if run.state not in over]


def _controlled(run: Run, now: datetime) -> RunRow:
    events_s = sum(each.events_s for each in run.writers)
    bytes_s = sum(each.bytes_s for each in run.writers)
    wrong = [f"{each.name}: {each.problem}" for each in run.writers if each.problem]
    said = "; ".join([*([run.pause_reason] if run.pause_reason else []), *wrong, *run.missing])
    rates = _rates(run.events, events_s, bytes_s)
    said = said or f"{run.begin.data_type}, {run.begin.shifter}: {run.begin.comment}"
    return _run_cells(run.run, run.phase.value, run.started, now, rates, run.gap_count, said)


def _logged(line: LoggerLine, run: LoggerRun, now: datetime) -> RunRow:
    rates = _rates(run.events, run.events_s, run.bytes_s)
    said = run.reason or f"in {line.name}"
    return _run_cells(run.run, run.state.value, run.started, now, rates, run.gap_count, said)


def _run_cells(
    run: int, state: str, since: datetime, now: datetime, rates: RunRow, gaps: int, said: str
) -> RunRow:
    return (
        Text(str(run), style="bold"),
        Text(state.lower(), style=_STATE_STYLES.get(state.lower(), "")),
        Text(duration((now - since).total_seconds())),
        *rates,
        Text(str(gaps), style="bold red" if gaps else "dim"),
        Text(" ".join(said.split())),
    )


def _rates(events: int, events_s: float, bytes_s: float) -> RunRow:
    return (Text(str(events)), Text(f"{events_s:.0f}"), Text(size(bytes_s)))


def _logger_lines(snapshot: Snapshot, width: int) -> list[Text]:
    lines: list[Text] = []
    for each in snapshot.loggers:
        lines += [_logger_line(each, width), *map(_volume_line, each.status.volumes)]
        if each.why:
            lines.append(Text(f"  does not answer, as it was: {each.why}", style="bold red"))
        away = {link: how for link, how in each.status.links.items() if how != "connected"}
        lines += [Text(f"  {link} {how}", style="yellow") for link, how in away.items()]
    return lines or [Text("none is bound", style="dim")]


def _logger_line(line: LoggerLine, width: int) -> Text:
    status = line.status
    connected = sum(each.is_connected for each in status.senders)
    figures = f" {status.state.value}, {connected} of {len(status.senders)} senders "
    text = Text(f"logger {line.short}", style="bold")
    text.append(figures, style="" if not status.problem else "bold red")
    if status.problem:
        text.append(status.problem, style="bold red")
    drawn = sparkline(line.rates, max(width - len(text.plain) - 1, 0))
    return text.append(drawn, style="cyan")


def _volume_line(volume: VolumeStatus) -> Text:
    part = volume.free_bytes / volume.size_bytes if volume.size_bytes else 0.0
    said = f"  {volume.path}: {size(volume.free_bytes)} free ({part:.0%})"
    if volume.full_in_s is not None:
        said += f", full in {duration(volume.full_in_s)}"
        said += f", stream {volume.fullest_stream}" if volume.fullest_stream else ""
    return Text(said, style=_LEVEL_STYLES.get(volume.level, ""))


def _stream_table(snapshot: Snapshot, width: int, room: int) -> RenderableType:
    active = _active(snapshot.loggers)
    found = [(line, run, stream) for line, run in active for stream in run.streams]
    if not found:
        return Text("no stream is written", style="dim")
    # Whose queue is fullest needs eyes most.
    found.sort(key=lambda each: (not each[2].problem, -each[2].queue_bytes, -each[2].bytes_s))
    table = plain_table(width)
    table.add_column("stream", ratio=2, no_wrap=True, overflow="ellipsis")
    for name, wide in _RATE_COLUMNS:
        table.add_column(name, width=wide, justify="right", no_wrap=True)
    table.add_column("queue", width=9, justify="right", no_wrap=True)
    table.add_column("files", width=5, justify="right", no_wrap=True)
    table.add_column("the last one", ratio=3, no_wrap=True, overflow="ellipsis")
    rows = [_stream_cells(*each, is_wide=width >= _WIDE) for each in found]
    return fill(table, rows, room)


def _stream_cells(
    line: LoggerLine, run: LoggerRun, stream: StreamStatus, *, is_wide: bool
) -> tuple[Text, ...]:
    queue = size(stream.queue_bytes) if stream.queue_bytes else "-"
    name = f"{stream.name} {run.run} {line.short}" if is_wide else f"{stream.name} {run.run}"
    return (
        Text(name, style="bold"),
        *_rates(stream.events, stream.events_s, stream.bytes_s),
        Text(queue, style="yellow" if stream.blocked_s else ""),
        Text(str(stream.files_total)),
        _file_text(stream),
    )


def _file_text(stream: StreamStatus) -> Text:
    if stream.problem:
        return Text(stream.problem, style="bold red")
    if not stream.files:
        return Text("none yet", style="dim")
    last = stream.files[-1]
    broken = sum(each.state is FileState.ERROR for each in stream.files)
    said = f"{last.state.value} {size(last.size_bytes)}"
    said += f"; {stream.garbage} late" if stream.garbage else ""
    said += f"; {broken} in ERROR" if broken else ""
    return Text(said, style="bold red" if broken else "")
