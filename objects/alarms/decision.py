"""How an alarm goes from state to state: pure functions over four flags.

Where an alarm stands and where a display shows it:

| shelved | stands | acknowledged | state | column |
|---|---|---|---|---|
| no | no | no | cleared | good |
| no | no | yes | cleared | good |
| no | yes | no | raised | bad |
| no | yes | yes | acknowledged | acknowledged |
| yes | no | no | shelved | good |
| yes | no | yes | shelved | good |
| yes | yes | no | shelved | acknowledged |
| yes | yes | yes | shelved | acknowledged |

It *stands* when its condition holds and has been told, when it is latched, or while it chatters.
A condition that begins is not told for a moment: over before, it was a glitch and was never bad.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from idl_like_interfaces.alarms import (
    Alarm,
    AlarmReport,
    AlarmState,
    Change,
    Column,
    NotPossible,
)
from objects.alarms.condition import Condition, Flags, Moment, Step

CHATTER_COUNT = 5
"""Begun so often within ``CHATTER_S`` an alarm chatters, until it has been quiet for as long."""

CHATTER_S = 60.0

_OLDEST = timedelta(days=30)

STATES: dict[tuple[bool, bool, bool], tuple[AlarmState, Column]] = {
    (False, False, False): (AlarmState.CLEARED, Column.GOOD),
    (False, False, True): (AlarmState.CLEARED, Column.GOOD),
    (False, True, False): (AlarmState.RAISED, Column.BAD),
    (False, True, True): (AlarmState.ACKNOWLEDGED, Column.ACKNOWLEDGED),
    (True, False, False): (AlarmState.SHELVED, Column.GOOD),
    (True, False, True): (AlarmState.SHELVED, Column.GOOD),
    (True, True, False): (AlarmState.SHELVED, Column.ACKNOWLEDGED),
    (True, True, True): (AlarmState.SHELVED, Column.ACKNOWLEDGED),
}
"""Is shelved, stands, is acknowledged: the state and the column."""


def begun(
    alarm_id: int, report: AlarmReport, source: str, flags: Flags, at: Moment, glitch_s: float
) -> Step:
    """Take the first report of a condition."""
    alarm = Alarm(
        alarm_id=alarm_id,
        report=report,
        source=source,
        state=AlarmState.CLEARED,
        column=Column.GOOD,
        is_active=False,
        raised=at.utc,
        changed=at.utc,
        count=0,
    )
    fresh = Condition(alarm=alarm, flags=flags, began_at=at.monotonic, ended_at=at.monotonic)
    return raised(fresh, report, source, at, glitch_s)


def raised(
    before: Condition, report: AlarmReport, source: str, at: Moment, glitch_s: float
) -> Step:
    """Take a report of a condition that holds."""
    if before.alarm.is_active:
        return _renewed(before, report, source, at)
    chatters = before.alarm.is_chattering
    pending = glitch_s > 0 and not report.latch and not chatters
    alarm = replace(
        before.alarm,
        report=report,
        source=source,
        is_active=True,
        raised=_began(report.time, at.utc),
        cleared=None,
        count=before.alarm.count + 1,
        is_glitch=False,
        is_stale=False,
    )
    flags = replace(
        before.flags,
        latched=report.latch and not before.flags.acknowledged,
        pending=pending,
        shown=before.flags.shown or not pending,
    )
    begins = (*before.begins, at.monotonic)[-CHATTER_COUNT:]
    after = replace(before, alarm=alarm, flags=flags, began_at=at.monotonic, begins=begins)
    if not chatters and _is_dense(begins):
        return _chattering(after, at)
    return _step(after, at, None if pending or chatters else Change.RAISED)


def _renewed(before: Condition, report: AlarmReport, source: str, at: Moment) -> Step:
    alarm = replace(before.alarm, report=report, source=source, is_stale=False)
    after = replace(before, alarm=alarm)
    was = before.alarm.report.severity
    if report.severity is was or before.flags.pending:
        return _step(after, at, None)
    text = f"{was} before"
    if before.flags.acknowledged and report.severity.is_at_least(was):
        flags = replace(after.flags, acknowledged=False)
        return _step(
            replace(after, flags=flags), at, Change.UNACKNOWLEDGED, text=f"it got worse: {text}"
        )
    return _step(after, at, Change.SEVERITY, text=text)


def told(before: Condition, at: Moment) -> Step:
    """Let displays show a condition that has held long enough to be no glitch."""
    flags = replace(before.flags, pending=False, shown=True)
    return _step(replace(before, flags=flags), at, Change.RAISED)


def over(before: Condition, at: Moment, text: str = "") -> Step:
    """Take it that the condition is over."""
    if not before.alarm.is_active:
        return Step(condition=before)
    is_glitch = before.flags.pending
    alarm = replace(
        before.alarm, is_active=False, is_glitch=is_glitch, is_stale=False, cleared=at.utc
    )
    flags = replace(before.flags, pending=False, shown=True)
    after = replace(before, alarm=alarm, flags=flags, ended_at=at.monotonic)
    if alarm.is_chattering:
        return _step(after, at, None)
    return _step(after, at, Change.GLITCH if is_glitch else Change.CLEARED, text=text)


def acknowledged(before: Condition, by: str, comment: str, at: Moment) -> Step:
    """Take note of it; one that is shelved is taken from the shelf.

    Raises:
        NotPossible: It is good or acknowledged already.
    """
    is_noted = before.flags.acknowledged and before.alarm.state is not AlarmState.SHELVED
    if is_noted or not before.stands:
        raise _refusal(before, "acknowledged", "it is good or somebody has taken note of it")
    flags = replace(before.flags, acknowledged=True, latched=False)
    alarm = replace(before.alarm, by=by, comment=comment, until=None)
    after = replace(before, alarm=alarm, flags=flags)
    if not alarm.is_active:
        after = replace(after, ended_at=at.monotonic)
    return _step(after, at, Change.ACKNOWLEDGED, by=by, text=comment)


def unacknowledged(before: Condition, by: str, at: Moment) -> Step:
    """Have it announced again.

    Raises:
        NotPossible: It is not acknowledged.
    """
    if not before.flags.acknowledged:
        raise _refusal(before, "un-acknowledged", "nobody has acknowledged it")
    latched = before.alarm.report.latch and before.alarm.is_active
    flags = replace(before.flags, acknowledged=False, latched=latched)
    alarm = before.alarm
    if alarm.until is None:
        alarm = replace(alarm, by="", comment="")
    return _step(replace(before, alarm=alarm, flags=flags), at, Change.UNACKNOWLEDGED, by=by)


def shelved(before: Condition, by: str, reason: str, for_s: float, at: Moment) -> Step:
    """Put it aside for a time, or for another time than before.

    Raises:
        NotPossible: It is good.
    """
    if not before.stands:
        raise _refusal(before, "shelved", "it is good")
    until = at.utc + timedelta(seconds=for_s)
    alarm = replace(before.alarm, by=by, comment=reason, until=until)
    after = replace(before, alarm=alarm, shelf_ends_at=at.monotonic + for_s)
    return _step(after, at, Change.SHELVED, by=by, text=reason)


def unshelved(before: Condition, by: str, text: str, at: Moment) -> Step:
    """Take it back; it is what it would be else.

    Raises:
        NotPossible: It is not shelved.
    """
    if before.alarm.until is None:
        raise _refusal(before, "taken from the shelf", "it is not shelved")
    alarm = replace(before.alarm, by="", comment="", until=None)
    return _step(replace(before, alarm=alarm), at, Change.UNSHELVED, by=by, text=text)


def cleared(before: Condition, by: str, comment: str, at: Moment) -> Step:
    """Declare it to be over, whatever its component says; it may say it again.

    Raises:
        NotPossible: It is good already.
    """
    if not before.stands:
        raise _refusal(before, "cleared", "it is good already")
    alarm = replace(
        before.alarm,
        is_active=False,
        is_chattering=False,
        is_stale=False,
        until=None,
        cleared=before.alarm.cleared or at.utc,
    )
    flags = replace(before.flags, latched=False, pending=False)
    after = replace(before, alarm=alarm, flags=flags, ended_at=at.monotonic, begins=())
    return _step(after, at, Change.CLEARED, by=by, text=comment)


def stale(before: Condition, text: str, at: Moment) -> Step:
    """Note that nobody knows any more whether the condition holds."""
    if before.alarm.is_stale or not before.alarm.is_active:
        return Step(condition=before)
    alarm = replace(before.alarm, is_stale=True)
    return _step(replace(before, alarm=alarm), at, Change.STALE, text=text)


def trusted(before: Condition, at: Moment) -> Step:
    """Note that its component, which was silent, lives and says still what it said."""
    if not before.alarm.is_stale:
        return Step(condition=before)
    alarm = replace(before.alarm, is_stale=False)
    return _step(replace(before, alarm=alarm), at, None)


def is_timed(condition: Condition) -> bool:
    """Tell whether time alone may change it."""
    alarm = condition.alarm
    return condition.flags.pending or alarm.is_chattering or alarm.until is not None


def settled(before: Condition, at: Moment, glitch_s: float) -> Step:
    """Do what time alone does: tell it, take it from the shelf, end its chattering."""
    if before.flags.pending and at.monotonic - before.began_at >= glitch_s:
        return told(before, at)
    if before.alarm.until is not None and at.monotonic >= before.shelf_ends_at:
        return unshelved(before, "", "its time is up", at)
    if before.alarm.is_chattering and at.monotonic - _newest(before) >= CHATTER_S:
        return _quiet(before, at)
    return Step(condition=before)


def _chattering(before: Condition, at: Moment) -> Step:
    alarm = replace(before.alarm, is_chattering=True)
    flags = replace(before.flags, pending=False, shown=True)
    text = f"it began {CHATTER_COUNT} times within {CHATTER_S:.0f} s: it stays until it is quiet"
    return _step(replace(before, alarm=alarm, flags=flags), at, Change.ANNOUNCED, text=text)


def _quiet(before: Condition, at: Moment) -> Step:
    alarm = replace(before.alarm, is_chattering=False)
    text = f"it came and went, and has been quiet for {CHATTER_S:.0f} s"
    after = replace(before, alarm=alarm, begins=())
    change = Change.ANNOUNCED if alarm.is_active else Change.CLEARED
    return _step(after, at, change, text=text)


def _newest(condition: Condition) -> float:
    return max(condition.began_at, condition.ended_at)


def _is_dense(begins: tuple[float, ...]) -> bool:
    return len(begins) == CHATTER_COUNT and begins[-1] - begins[0] <= CHATTER_S


def _step(
    after: Condition, at: Moment, change: Change | None, *, by: str = "", text: str = ""
) -> Step:
    """Work out the state and the column that follow from the flags."""
    is_shelved = after.alarm.until is not None
    state, column = STATES[is_shelved, after.stands, after.flags.acknowledged]
    is_changed = change is not None or state is not after.alarm.state
    changed = at.utc if is_changed else after.alarm.changed
    alarm = replace(after.alarm, state=state, column=column, changed=changed)
    return Step(condition=replace(after, alarm=alarm), change=change, by=by, text=text)


def _refusal(condition: Condition, wanted: str, why: str) -> NotPossible:
    alarm = condition.alarm
    return NotPossible(
        f"alarm {alarm.alarm_id} ({alarm.report.object}: {alarm.report.name}) cannot be {wanted}: "
        f"{why}",
        alarm_id=alarm.alarm_id,
        state=alarm.state,
        cause=f"it is {alarm.state}",
        remedy="look at the alarms again; what is done stays done",
    )


def _began(said: datetime, now: datetime) -> datetime:
    """Take the component's word for when it began, unless its clock is wrong."""
    return said if now - _OLDEST <= said <= now else now
