"""The panels of the dashboard, each a function of the snapshot and its room."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from controller.dashboard.drawing import joined, plain_table
from controller.dashboard.snapshot import (
    AcquisitionLine,
    CallLine,
    ComponentLine,
    LogLine,
    Snapshot,
)
from controller.dashboard.text import bar, chart, duration, latency, size, sparkline, tail
from controller.progress import progress_of
from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.daqif import DaqSubstate
from idl_like_interfaces.logs import LogLevel

_STATE_STYLES = {
    ComponentState.STARTED: "yellow",
    ComponentState.RUNNING: "green",
    ComponentState.ERROR: "bold red",
    ComponentState.STOPPED: "dim",
}

_LEVEL_STYLES = {
    LogLevel.CRITICAL: "bold white on red",
    LogLevel.ERROR: "bold red",
    LogLevel.WARNING: "yellow",
    LogLevel.STATE: "cyan",
    LogLevel.EVENT: "magenta",
    LogLevel.ACTION: "blue",
    LogLevel.INFO: "green",
    LogLevel.DEBUG: "dim",
    LogLevel.TRACE: "dim",
}

_LOW_LEASE_S = 2.0
_ROOMY = 90


def component_table(snapshot: Snapshot, width: int, rows: int) -> RenderableType:
    """List the components: state, lease, process; ``rows`` includes the head."""
    if not snapshot.components:
        return Text("no component has bound a name or sent a heartbeat", style="dim")
    table = plain_table(width)
    table.add_column("component", ratio=3, no_wrap=True)
    table.add_column("state", width=8, no_wrap=True)
    table.add_column("lease", width=6, justify="right")
    table.add_column("up", width=6, justify="right")
    table.add_column("pid", width=7, justify="right")
    table.add_column("doing", ratio=5, no_wrap=True, overflow="ellipsis")
    # Those that somebody must look after come first, whatever room there is.
    ordered = tuple(sorted(snapshot.components, key=_is_well))
    shown, hidden = _fitting(ordered, rows - 1)
    for each in shown:
        table.add_row(*_component_cells(each))
    if hidden:
        well = sum(map(_is_well, ordered[-hidden:]))
        table.add_row(Text(f"and {hidden} more{' run' if well == hidden else ''}", style="dim"))
    return table


def _is_well(each: ComponentLine) -> bool:
    is_running = each.state is ComponentState.RUNNING and not each.is_silent
    return is_running and each.lease_s is not None


def _component_cells(each: ComponentLine) -> tuple[Text, ...]:
    return (
        Text(each.name, style="bold"),
        _state_cell(each),
        _lease_cell(each),
        Text("-" if each.uptime_s is None else duration(each.uptime_s)),
        Text(str(each.pid or "-")),
        Text(each.detail or each.kind),
    )


def _state_cell(each: ComponentLine) -> Text:
    if each.is_silent:
        return Text("silent", style="bold red")
    if each.state is None:
        return Text("?", style="dim")
    return Text(each.state.value, style=_STATE_STYLES[each.state])


def _lease_cell(each: ComponentLine) -> Text:
    if each.lease_s is None:
        return Text("none", style="red")
    return Text(f"{each.lease_s:.1f}s", style="red" if each.lease_s < _LOW_LEASE_S else "green")


def acquisition_table(snapshot: Snapshot, width: int, rows: int) -> RenderableType:
    """Show each acquisition on one line, and below it what is wrong or what came out."""
    if not snapshot.acquisitions:
        return Text("none yet", style="dim")
    room = 24 if width >= _ROOMY else 11
    lines: list[Text] = []
    waiting = list(snapshot.acquisitions)
    while waiting:
        own = _acquisition_lines(waiting[0], width, room)
        # As long as others wait, the last line is for their number.
        free = rows - len(lines) - (1 if len(waiting) > 1 else 0)
        if len(own) > free and lines:
            break
        lines += own[: max(free, 1)]
        del waiting[0]
    if waiting:
        lines.append(Text(f"  and {len(waiting)} more", style="dim"))
    return joined(lines[:rows], width)


def _acquisition_lines(each: AcquisitionLine, width: int, room: int) -> list[Text]:
    note = _acquisition_note(each, width)
    return [_acquisition_line(each, width, room), *([note] if note else [])]


def _acquisition_line(each: AcquisitionLine, width: int, room: int) -> Text:
    style = _acquisition_style(each)
    label = each.id if each.id == each.file_id or width < _ROOMY else f"{each.id} {each.file_id}"
    state = f" {each.substate.value:<12} {duration(each.age_s):>6}"
    name = max(width - room - len(state) - 3, 8)
    text = Text("! " if each.error else "  ", style="bold red")
    text.append(f"{label[: name - 1]:<{name}}", style="bold")
    text.append(bar(progress_of(each.substate), room), style=style)
    text.append(state, style=style)
    return text


def _acquisition_style(each: AcquisitionLine) -> str:
    if each.error:
        return "bold red"
    if each.substate in (DaqSubstate.ABORTED, DaqSubstate.ABORTING):
        return "yellow"
    return "green" if each.is_over else "cyan"


def _acquisition_note(each: AcquisitionLine, width: int) -> Text | None:
    if each.error:
        return Text(f"    {each.message}", style="red")
    if each.result:
        return Text(f"    {tail(each.result, width - 4)}", style="dim")
    return None


def channel_text(snapshot: Snapshot, width: int, rows: int) -> RenderableType:
    """Draw events per second; with more than one row a chart with figures below."""
    channel = snapshot.channel
    if channel is None:
        return Text("the event channel was not reached yet", style="dim")
    lost = f", {channel.dropped} LOST" if channel.dropped else ""
    figures = f"{channel.events_per_s:7.1f}/s  {channel.events} in all{lost}  "
    if rows == 1:
        drawn = sparkline(channel.history, max(width - len(figures), 0))
        return Text.assemble(figures, (drawn, "cyan"), no_wrap=True)
    more = f"{size(channel.held_bytes)} held, {channel.consumers} consumers"
    busiest = "  ".join(f"{topic} {count}" for topic, count in channel.topics[:4])
    drawn_rows = chart(channel.history, width, max(rows - 2, 1))
    lines = [Text(figures + more), *(Text(row, style="cyan") for row in drawn_rows)]
    lines.append(Text(busiest, style="dim"))
    return joined(lines[:rows], width)


def calls_text(snapshot: Snapshot, width: int) -> Text:
    """Say on one line how busy the objects are, and before that what went wrong."""
    if not snapshot.calls:
        return Text("no object has told of its calls yet", style="dim")
    known = [each.per_s for each in snapshot.calls if each.per_s is not None]
    text = Text(f"{sum(known):7.1f}/s" if known else "      -/s", no_wrap=True)
    for each in snapshot.calls:
        if each.troubles:
            text.append("  " + _short_name(each, snapshot) + " ", style="bold")
            text.append(_troubles(each), style="bold red" if each.failed else "yellow")
    for each in snapshot.calls:
        if each.per_s is None:
            text.append(f"  {_short_name(each, snapshot)} {each.calls} calls")
        elif each.per_s:
            figures = f"{each.per_s:.1f}/s {latency(each.p99_s, each.highest_bound_s)}"
            text.append(f"  {_short_name(each, snapshot)} {figures}")
    text.truncate(width, overflow="ellipsis")
    return text


def calls_table(snapshot: Snapshot, width: int, rows: int) -> RenderableType:
    """List the objects, the busiest first; ``rows`` includes the head."""
    if not snapshot.calls:
        return Text("no object has told of its calls yet", style="dim")
    table = plain_table(width)
    table.add_column("object", ratio=4, no_wrap=True, overflow="ellipsis")
    for title, room in (("calls/s", 8), ("99 % in", 8), ("now", 5), ("refused", 8)):
        table.add_column(title, width=room, justify="right", no_wrap=True)
    table.add_column("trouble", ratio=3, no_wrap=True, overflow="ellipsis")
    # Those with troubles stand first, whatever room there is; else the busiest.
    ordered = sorted(snapshot.calls, key=lambda each: not each.troubles)
    for each in ordered[: max(rows - 1, 0)]:
        table.add_row(*_call_cells(each, snapshot))
    return table


def _call_cells(each: CallLine, snapshot: Snapshot) -> tuple[Text, ...]:
    return (
        Text(_short_name(each, snapshot), style="bold"),
        Text("-" if each.per_s is None else f"{each.per_s:.1f}"),
        Text(latency(each.p99_s, each.highest_bound_s)),
        Text(str(each.in_progress)),
        Text(str(each.refused or "-")),
        Text(_troubles(each), style="bold red" if each.failed else "yellow"),
    )


def _troubles(each: CallLine) -> str:
    return ", ".join(f"{count} {what}" for count, what in each.troubles)


def _short_name(each: CallLine, snapshot: Snapshot) -> str:
    return each.name.removeprefix(f"{snapshot.root}/")


def names_text(snapshot: Snapshot, width: int, rows: int) -> RenderableType:
    """List what each component has bound."""
    lines = [
        Text.assemble((f"{each.name:<12} ", "bold"), ", ".join(each.names) or "-")
        for each in snapshot.components
    ]
    return joined(lines[: max(rows, 0)], width)


def log_text(snapshot: Snapshot, width: int, rows: int) -> RenderableType:
    """Show the last records that fit, newest at the bottom."""
    if not snapshot.log:
        return Text("no log records yet", style="dim")
    return joined([_log_line(each) for each in snapshot.log[-max(rows, 1) :]], width)


def _log_line(each: LogLine) -> Text:
    text = Text(f"{each.time:%H:%M:%S} ", style="dim")
    text.append(f"{each.level.value:<8} ", style=_LEVEL_STYLES[each.level])
    text.append(f"{each.component:<8} ", style="bold")
    text.append(" ".join(each.text.split()), style="default")
    return text


def _fitting(lines: tuple[ComponentLine, ...], rows: int) -> tuple[tuple[ComponentLine, ...], int]:
    if len(lines) <= rows:
        return lines, 0
    shown = lines[: max(rows - 1, 0)]
    return shown, len(lines) - len(shown)
