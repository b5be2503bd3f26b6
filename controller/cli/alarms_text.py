"""How alarms are said at the command line: lines with a style, for a terminal and for a file."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime

from controller.cli.styled import Styled
from idl_like_interfaces.alarm_statistics import AlarmStats
from idl_like_interfaces.alarms import (
    Alarm,
    AlarmLine,
    AlarmState,
    Column,
    HistoryEntry,
    Overview,
    Severity,
)

STYLES = {
    Severity.FATAL: "bold white on red",
    Severity.MAJOR: "bold red",
    Severity.MINOR: "yellow",
    Severity.WARNING: "cyan",
    Severity.INFO: "",
}

_MARGIN = " " * 8


def age(since: datetime, now: datetime) -> str:
    """Say in a few characters how long ago something was."""
    seconds = max(0, int((now - since).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def alarm_lines(alarm: Alarm, now: datetime, width: int) -> list[Styled]:
    """Say an alarm, with its cause and its remedy below."""
    report = alarm.report
    style = style_of(alarm)
    begin = f"{alarm.alarm_id:>6}  {report.severity:<7}  {alarm.state}, {_when(alarm, now)}"
    lines = [Styled(_cut(begin + _marks(alarm), width), style)]
    lines += _wrapped(f"{report.object}: {report.name}: {report.text}", width, style)
    if alarm.by:
        said = f": {alarm.comment}" if alarm.comment else ""
        until = f" until {alarm.until:%Y-%m-%d %H:%M:%S} UTC" if alarm.until else ""
        lines += _wrapped(f"{alarm.state} by {alarm.by}{until}{said}", width, "dim")
    lines += _wrapped(f"cause:  {report.cause}", width)
    lines += _wrapped(f"remedy: {report.remedy}", width)
    return lines


def style_of(alarm: Alarm) -> str:
    """Return how a terminal shows an alarm: by its severity while it is bad."""
    if alarm.column is Column.BAD:
        return STYLES[alarm.report.severity]
    return "green" if alarm.column is Column.GOOD else "dim"


def detail_lines(alarm: Alarm, now: datetime, width: int) -> list[Styled]:
    """Say all of an alarm."""
    report = alarm.report
    facts = {
        "source": alarm.source,
        "subsystem": report.subsystem,
        "system": report.system_id,
        "attribute": report.attribute,
        "raised": f"{_stamp(alarm.raised)}, {alarm.count} times",
        "changed": _stamp(alarm.changed),
        "cleared": _stamp(alarm.cleared) if alarm.cleared else "",
        "reported": _stamp(report.time),
        "latched": "stays bad until it is acknowledged" if report.latch else "",
        "run": "must pause while it holds" if report.pauses_run else "",
    }
    lines = alarm_lines(alarm, now, width)
    lines += [
        Styled(_cut(f"{_MARGIN}{name}: {text}", width), "dim")
        for name, text in facts.items()
        if text
    ]
    return lines


def overview_lines(overview: Overview, now: datetime, width: int) -> list[Styled]:
    """Say an overview, a line for each of its lines."""
    head = ", ".join(f"{count} {column}" for column, count in overview.columns.items())
    lines = [Styled(_cut(head, width), "bold")]
    lines += [_overview_line(line, now, width) for line in overview.lines]
    return lines if overview.lines else [*lines, Styled("nothing is wrong", "green")]


def _overview_line(line: AlarmLine, now: datetime, width: int) -> Styled:
    number = f"{line.alarms[0]:>6}" if line.count == 1 else f"{line.count:>4} x"
    state = line.newest.state if line.newest.state is not AlarmState.RAISED else ""
    text = f"{number}  {line.severity:<7} {age(line.newest.changed, now):>7}  {line.text}"
    if state:
        text += f" ({state})"
    style = STYLES[line.severity] if line.newest.column is Column.BAD else "dim"
    return Styled(_cut(text, width), style)


def history_lines(entry: HistoryEntry) -> list[Styled]:
    """Say a line of the history."""
    by = f" by {entry.by}" if entry.by else ""
    said = f": {entry.text}" if entry.text else ""
    begin = f"{entry.number:>6}  {_stamp(entry.time)}  "
    if entry.alarm is None:
        return [Styled(f"{begin}noted{by}{said}", "dim")]
    report = entry.alarm.report
    text = (
        f"{begin}{entry.change:<14} {report.severity:<7} alarm {entry.alarm.alarm_id}, "
        f"{report.object}: {report.name}{by}{said}"
    )
    return [Styled(text, style_of(entry.alarm))]


def stats_lines(stats: AlarmStats) -> list[Styled]:
    """Say how much there is to do."""
    lines = [
        Styled(", ".join(f"{count} {column}" for column, count in stats.columns.items()), "bold"),
        Styled(
            "active: " + ", ".join(f"{count} {name}" for name, count in stats.by_severity.items())
        ),
        Styled(
            f"{stats.per_10_min} in the last 10 minutes, at most {stats.peak_per_10_min} "
            "in 10 minutes of the last day"
        ),
        Styled(f"{stats.shelved} shelved, {stats.lost} reports lost before they got here"),
    ]
    for title, offenders in (
        ("most often", stats.top_offenders),
        ("chattering", stats.chattering),
        ("stale", stats.stale),
    ):
        lines += [
            Styled(f"{title:<11} {each.count:>5} x  {each.object}: {each.name}")
            for each in offenders
        ]
    lines += [Styled(f"silent      {each}", "bold red") for each in stats.silent]
    if stats.problem:
        lines.append(Styled(f"the history is not stored: {stats.problem}", "bold red"))
    return lines


def _when(alarm: Alarm, now: datetime) -> str:
    if alarm.is_active or alarm.cleared is None:
        return f"since {age(alarm.raised, now)}"
    return f"over since {age(alarm.cleared, now)}"


def _marks(alarm: Alarm) -> str:
    marks = {
        "glitch": alarm.is_glitch,
        "comes and goes": alarm.is_chattering,
        "stale: its component is silent": alarm.is_stale,
        f"{alarm.count} times": alarm.count > 1,
    }
    found = [mark for mark, holds in marks.items() if holds]
    return f" ({', '.join(found)})" if found else ""


def _stamp(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _wrapped(text: str, width: int, style: str = "") -> list[Styled]:
    lines = textwrap.wrap(
        text,
        max(20, width),
        initial_indent=_MARGIN,
        subsequent_indent=_MARGIN + "  ",
        break_on_hyphens=False,
    )
    return [Styled(line, style) for line in lines]


def _cut(text: str, width: int) -> str:
    line = " ".join(text.splitlines())
    return line if len(line) <= width else line[: width - 1] + "…"
