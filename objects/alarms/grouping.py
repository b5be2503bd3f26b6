"""The operator's list: few lines, the worst first, however many alarms there are."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable

from idl_like_interfaces.alarms import Alarm, AlarmLine, Column, Overview, Severity

MOST_NUMBERS = 1000
"""Alarms that one line names."""

_BADNESS = {severity: place for place, severity in enumerate(Severity)}
_COLUMNS = {column: place for place, column in enumerate(Column)}
_DIGITS = re.compile(r"\d+")

Key = Callable[[Alarm], Hashable]


def _alike(alarm: Alarm) -> Hashable:
    """The same condition of like objects: they differ in numbers at most."""
    report = alarm.report
    return (
        alarm.column,
        report.severity,
        report.subsystem,
        _DIGITS.sub("#", report.name),
        _DIGITS.sub("#", report.object),
    )


_COARSER: tuple[Key, ...] = (
    lambda alarm: alarm.alarm_id,
    _alike,
    lambda alarm: (alarm.column, alarm.report.severity, _DIGITS.sub("#", alarm.report.name)),
    lambda alarm: (alarm.column, _DIGITS.sub("#", alarm.report.name)),
    lambda alarm: (alarm.column, alarm.report.subsystem or alarm.source),
)


def urgency(alarm: Alarm) -> tuple[int, float]:
    """Sort key: the worst first, then the newest."""
    return -_BADNESS[alarm.report.severity], -alarm.changed.timestamp()


def make_overview(alarms: Iterable[Alarm], limit: int) -> Overview:
    """Group what is not good until it fits; what does not fit at all shares the last line."""
    shown = list(alarms)
    counts = Counter(alarm.column for alarm in shown)
    standing = [alarm for alarm in shown if alarm.column is not Column.GOOD]
    groups = _grouped(standing, limit)
    if len(groups) > limit:
        rest = [alarm for group in groups[limit - 1 :] for alarm in group]
        lines = [_line(group) for group in groups[: limit - 1]] + [_rest(rest)]
    else:
        lines = [_line(group) for group in groups]
    return Overview(lines=lines, columns={column: counts[column] for column in Column})


def _grouped(alarms: list[Alarm], limit: int) -> list[list[Alarm]]:
    found: list[list[Alarm]] = []
    for key in _COARSER:
        groups: dict[Hashable, list[Alarm]] = defaultdict(list)
        for alarm in alarms:
            groups[key(alarm)].append(alarm)
        found = sorted(groups.values(), key=_rank)
        if len(found) <= limit:
            break
    return found


def _rank(group: list[Alarm]) -> tuple[int, int, float]:
    worst = max(_BADNESS[alarm.report.severity] for alarm in group)
    column = min(_COLUMNS[alarm.column] for alarm in group)
    return column, -worst, -max(alarm.changed.timestamp() for alarm in group)


def _line(group: list[Alarm]) -> AlarmLine:
    newest = max(group, key=lambda alarm: alarm.changed)
    report = newest.report
    if len(group) == 1:
        return _made(group, f"{report.object}: {report.name}: {report.text}", newest)
    names = Counter(alarm.report.name for alarm in group)
    objects = Counter(alarm.report.object for alarm in group)
    return _made(
        group, f"{_several(names, 'conditions')} of {_several(objects, 'objects')}", newest
    )


def _rest(group: list[Alarm]) -> AlarmLine:
    newest = max(group, key=lambda alarm: alarm.changed)
    kinds = len({_alike(alarm) for alarm in group})
    return _made(group, f"and {len(group)} more alarms of {kinds} kinds", newest)


def _made(group: list[Alarm], text: str, newest: Alarm) -> AlarmLine:
    ordered = sorted(group, key=urgency)
    return AlarmLine(
        severity=ordered[0].report.severity,
        text=text,
        count=len(group),
        alarms=[alarm.alarm_id for alarm in ordered[:MOST_NUMBERS]],
        newest=newest,
    )


def _several(texts: Counter[str], what: str) -> str:
    """Name one, or say how many there are and which two come first and last."""
    if len(texts) == 1:
        return next(iter(texts))
    ordered = sorted(texts, key=_natural)
    return f"{len(texts)} {what} ({ordered[0]} … {ordered[-1]})"


def _natural(text: str) -> list[tuple[int, str]]:
    """Sort key in which 2 comes before 10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)
    ]
