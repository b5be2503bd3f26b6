"""The alarm watcher: which conditions must pause a run, and when to say so (again)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from idl_like_interfaces.alarms import REANNOUNCE_S, Alarm, AlarmFilter, Column, PauseCondition
from objects.alarms.condition import Condition, Moment
from objects.alarms.filters import Filter


@dataclass(slots=True, kw_only=True)
class _Pause:
    alarm: Alarm
    since: datetime
    number: int
    told_at: float


class AlarmWatcher:
    """Follows conditions and says which must pause a run.

    A condition pauses a run when its report says so or when one of the declared filters takes
    it, while it holds and stands in the column of the bad ones: it ends when it is resolved
    and when the alarm is acknowledged or shelved.

    Args:
        declared: Filters from the settings.
        period_s: After which a condition that lasts is announced again.

    Raises:
        BadParam: One of the filters is none.
    """

    def __init__(
        self, declared: Sequence[AlarmFilter] = (), period_s: float = REANNOUNCE_S
    ) -> None:
        self._filters = [
            Filter(each, f"pause_conditions[{at}]") for at, each in enumerate(declared)
        ]
        self._period_s = period_s
        self._pauses: dict[int, _Pause] = {}

    def look(self, condition: Condition, at: Moment) -> PauseCondition | None:
        """Return what is to be announced because a condition changed, if anything is."""
        alarm = condition.alarm
        known = self._pauses.get(alarm.alarm_id)
        if not self.pauses_run(alarm):
            self._pauses.pop(alarm.alarm_id, None)
            return None if known is None else _announcement(known, alarm, is_over=True)
        if known is not None:
            known.alarm = alarm
            return None
        pause = _Pause(
            alarm=alarm,
            since=alarm.raised,
            number=condition.flags.announcements + 1,
            told_at=at.monotonic,
        )
        self._pauses[alarm.alarm_id] = pause
        return _announcement(pause, alarm, is_over=False)

    def again(self, at: Moment) -> list[PauseCondition]:
        """Return what must be announced again because it lasts."""
        due = [
            pause
            for pause in self._pauses.values()
            if at.monotonic - pause.told_at >= self._period_s
        ]
        for pause in due:
            pause.number += 1
            pause.told_at = at.monotonic
        return [_announcement(pause, pause.alarm, is_over=False) for pause in due]

    def conditions(self) -> list[PauseCondition]:
        """Return the conditions that must pause a run now, the oldest first."""
        ordered = sorted(self._pauses.values(), key=lambda pause: pause.since)
        return [_announcement(pause, pause.alarm, is_over=False) for pause in ordered]

    def pauses_run(self, alarm: Alarm) -> bool:
        """Tell whether an alarm must pause a run as it is."""
        holds = alarm.is_active or alarm.is_chattering
        if not holds or alarm.column is not Column.BAD:
            return False
        return alarm.report.pauses_run or any(each.takes(alarm) for each in self._filters)


def _announcement(pause: _Pause, alarm: Alarm, *, is_over: bool) -> PauseCondition:
    return PauseCondition(alarm=alarm, is_over=is_over, number=pause.number, since=pause.since)
