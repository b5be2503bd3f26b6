"""All alarms that are known: what happens to them when something is reported, or time passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from idl_like_interfaces.alarms import (
    ALARM_TOPIC,
    NOTE_TOPIC,
    PAUSE_TOPIC,
    Alarm,
    AlarmReport,
    Change,
    HistoryEntry,
    NoSuchAlarm,
    NotPossible,
    PauseCondition,
)
from idl_like_interfaces.declare import Value
from objects.alarms import decision
from objects.alarms.condition import Condition, Flags, Moment, Step, revived
from objects.alarms.lines import Known, Line
from objects.alarms.rates import Rates
from objects.alarms.watcher import AlarmWatcher

GOOD_FOR_S = 3600.0
"""A good alarm is shown for so long, then it is forgotten (the history keeps it)."""

FORGET_EACH_S = 10.0

MOST_STANDING = 10_000
MOST_GOOD = 2_000


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What is to be written, and then to be told to everybody, in order."""

    lines: list[Line] = field(default_factory=list)
    events: list[tuple[str, Value]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a report comes from.

    Attributes:
        source: Who reports.
        incarnation: Its start.
        number: Its number of the report.
        is_retold: It is told again to a service that had lost something.
    """

    source: str
    incarnation: str
    number: int = 0
    is_retold: bool = False


class Book:
    """The alarms, by object and name. No input and output; one thread at a time.

    Args:
        watcher: Judges which conditions must pause a run.
        glitch_s: A condition that is over sooner was a glitch, and nobody is told.
    """

    def __init__(self, watcher: AlarmWatcher, glitch_s: float) -> None:
        self.rates = Rates()
        self.next_number = 1
        self.next_id = 1
        self._watcher = watcher
        self._glitch_s = glitch_s
        self._by_key: dict[tuple[str, str], Condition] = {}
        self._by_id: dict[int, tuple[str, str]] = {}
        self._timed: set[int] = set()
        self._forget_at = 0.0

    def restore(self, alarm: Alarm, flags: Flags, at: Moment) -> None:
        """Take an alarm as it was written."""
        self._keep(revived(alarm, flags, at))
        self.next_id = max(self.next_id, alarm.alarm_id + 1)

    def known(self) -> list[Known]:
        """Return all, for a snapshot."""
        return [Known(alarm=each.alarm, flags=each.flags) for each in self._by_key.values()]

    def shown(self) -> Iterator[Alarm]:
        """Yield the alarms that a display may show."""
        return (each.alarm for each in self._by_key.values() if each.flags.shown)

    def raised(self, report: AlarmReport, origin: Origin, at: Moment) -> Outcome | None:
        """Take the report of a condition; ``None``: there are too many alarms."""
        before = self._by_key.get((report.object, report.name))
        if before is None and not self._has_room() and origin.number:
            return None  # the service's own few have no number, and always room
        flags = replace(
            before.flags if before else Flags(),
            incarnation=origin.incarnation,
            number=origin.number,
        )
        if before is None or not before.alarm.is_active:
            self.rates.count(report.object, report.name, at.utc)
        if before is None:
            step = decision.begun(self.next_id, report, origin.source, flags, at, self._glitch_s)
            self.next_id += 1
        else:
            known = replace(before, flags=flags)
            step = decision.raised(known, report, origin.source, at, self._glitch_s)
        return self._done(before, step, at, must_write=origin.is_retold)

    def over(self, object: str, name: str, text: str, at: Moment) -> Outcome:
        """Take it that a condition is over."""
        before = self._by_key.get((object, name))
        return self._apply(before, lambda known: decision.over(known, at, text), at)

    def over_unless(self, source: str, incarnation: str, since: int, at: Moment) -> Outcome:
        """End all that a component's start reported before the number ``since`` only."""
        outcome = Outcome()
        for each in self._of(source):
            if each.flags.incarnation == incarnation and each.flags.number < since:
                self._add(outcome, each, decision.over(each, at, "not reported any more"), at)
        return outcome

    def trusted(self, source: str, incarnation: str, at: Moment) -> Outcome:
        """Note that a component that was silent says still what it said before."""
        outcome = Outcome()
        for each in self._of(source):
            if each.flags.incarnation == incarnation:
                self._add(outcome, each, decision.trusted(each, at), at)
        return outcome

    def stale(self, source: str, text: str, at: Moment, *, but: str = "") -> Outcome:
        """Note that nobody knows of a component's conditions, but for those of one start."""
        outcome = Outcome()
        for each in self._of(source):
            if not but or each.flags.incarnation != but:
                self._add(outcome, each, decision.stale(each, text, at), at)
        return outcome

    def by_hand(
        self, alarm_ids: Iterable[int], act: Callable[[Condition], Step], at: Moment
    ) -> tuple[list[Alarm], Outcome, list[NoSuchAlarm | NotPossible]]:
        """Do something to several alarms, to each by itself.

        Returns:
            Those to which it was done, what is to be written and told, and the refusals.
        """
        outcome = Outcome()
        done: list[Alarm] = []
        refused: list[NoSuchAlarm | NotPossible] = []
        for alarm_id in dict.fromkeys(alarm_ids):
            try:
                before = self._shown(alarm_id)
                self._add(outcome, before, act(before), at)
            except (NoSuchAlarm, NotPossible) as error:
                refused.append(error)
            else:
                done.append(self._by_key[self._by_id[alarm_id]].alarm)
        return done, outcome, refused

    def note(self, source: str, text: str, at: Moment) -> Outcome:
        """Enter into the history what is no alarm."""
        entry = self._entry(Change.NOTED, at, by=source, text=text)
        return Outcome(lines=[Line(entry=entry)], events=[(NOTE_TOPIC, entry)])

    def pass_time(self, at: Moment) -> Outcome:
        """Do what is due, and forget what has been good for long."""
        outcome = Outcome()
        for alarm_id in sorted(self._timed):
            each = self._by_key[self._by_id[alarm_id]]
            self._add(outcome, each, decision.settled(each, at, self._glitch_s), at)
        for pause in self._watcher.again(at):
            self._announce(outcome, pause, at)
        if at.monotonic >= self._forget_at:
            self._forget_at = at.monotonic + FORGET_EACH_S
            self._forget(at)
        return outcome

    def watch_all(self, at: Moment) -> Outcome:
        """Announce again, after a restart, what must pause a run."""
        outcome = Outcome()
        for each in list(self._by_key.values()):
            self._look(outcome, each, at)
        return outcome

    def _apply(
        self, before: Condition | None, act: Callable[[Condition], Step], at: Moment
    ) -> Outcome:
        return Outcome() if before is None else self._done(before, act(before), at)

    def _add(self, outcome: Outcome, before: Condition, step: Step, at: Moment) -> None:
        more = self._done(before, step, at)
        outcome.lines += more.lines
        outcome.events += more.events

    def _done(
        self, before: Condition | None, step: Step, at: Moment, *, must_write: bool = False
    ) -> Outcome:
        """Keep the condition as it is now; say what is to be written and told."""
        after, outcome = step.condition, Outcome()
        if after == before:
            return outcome
        self._keep(after)
        began = after.alarm.count > (before.alarm.count if before else 0)
        if step.change is not None:
            entry = self._entry(step.change, at, alarm=after.alarm, by=step.by, text=step.text)
            outcome.lines.append(Line(entry=entry, flags=after.flags, began=began))
            outcome.events.append((ALARM_TOPIC, after.alarm))
        elif before is None or must_write or _differ(before, after):
            outcome.lines.append(Line(alarm=after.alarm, flags=after.flags, began=began))
            if after.flags.shown and before is not None and _is_news(before, after):
                outcome.events.append((ALARM_TOPIC, after.alarm))
        self._look(outcome, after, at)
        return outcome

    def _look(self, outcome: Outcome, condition: Condition, at: Moment) -> None:
        pause = self._watcher.look(condition, at)
        if pause is not None:
            self._announce(outcome, pause, at)

    def _announce(self, outcome: Outcome, pause: PauseCondition, at: Moment) -> None:
        before = self._by_key[self._by_id[pause.alarm.alarm_id]]
        number = 0 if pause.is_over else pause.number
        after = replace(before, flags=replace(before.flags, announcements=number))
        self._keep(after)
        text = (
            "it need not pause a run any more"
            if pause.is_over
            else (f"it must pause a run (announcement {pause.number})")
        )
        entry = self._entry(Change.ANNOUNCED, at, alarm=after.alarm, text=text)
        outcome.lines.append(Line(entry=entry, flags=after.flags))
        outcome.events.append((PAUSE_TOPIC, pause))

    def _entry(
        self,
        change: Change,
        at: Moment,
        *,
        alarm: Alarm | None = None,
        by: str = "",
        text: str = "",
    ) -> HistoryEntry:
        number = self.next_number
        self.next_number += 1
        return HistoryEntry(
            number=number, time=at.utc, change=change, alarm=alarm, by=by, text=text
        )

    def _keep(self, condition: Condition) -> None:
        report = condition.alarm.report
        self._by_key[report.object, report.name] = condition
        self._by_id[condition.alarm.alarm_id] = report.object, report.name
        if decision.is_timed(condition):
            self._timed.add(condition.alarm.alarm_id)
        else:
            self._timed.discard(condition.alarm.alarm_id)

    def _shown(self, alarm_id: int) -> Condition:
        key = self._by_id.get(alarm_id)
        condition = None if key is None else self._by_key[key]
        if condition is None or not condition.flags.shown:
            raise NoSuchAlarm(
                f"there is no alarm {alarm_id}",
                alarm_id=alarm_id,
                cause="it has been good for an hour and is in the history only, or never was",
                remedy="look at the alarms again",
            )
        return condition

    def _of(self, source: str) -> list[Condition]:
        return [each for each in self._by_key.values() if each.alarm.source == source]

    def _has_room(self) -> bool:
        """Tell whether there is room for one more; the oldest good one makes it."""
        if len(self._by_key) < MOST_STANDING:
            return True
        good = [each for each in self._by_key.values() if _is_good(each)]
        if good:
            self._drop(min(good, key=lambda each: each.ended_at))
        return bool(good)

    def _forget(self, at: Moment) -> None:
        good = [each for each in self._by_key.values() if _is_good(each)]
        good.sort(key=lambda each: each.ended_at)
        for place, each in enumerate(good):
            if at.monotonic - each.ended_at < GOOD_FOR_S and len(good) - place <= MOST_GOOD:
                break
            self._drop(each)

    def _drop(self, condition: Condition) -> None:
        report = condition.alarm.report
        del self._by_key[report.object, report.name]
        del self._by_id[condition.alarm.alarm_id]
        self._timed.discard(condition.alarm.alarm_id)


def _is_good(condition: Condition) -> bool:
    alarm = condition.alarm
    return not alarm.is_active and not condition.stands and alarm.until is None


def _differ(before: Condition, after: Condition) -> bool:
    """Tell whether there is more to it than the time and the number of a renewed report."""
    report = replace(after.alarm.report, time=before.alarm.report.time)
    alarm = replace(after.alarm, report=report)
    flags = replace(after.flags, number=before.flags.number)
    return (alarm, flags) != (before.alarm, before.flags)


def _is_news(before: Condition, after: Condition) -> bool:
    """Tell whether displays see a difference: not of what is not told yet, or just chatters on."""
    chatters_on = before.alarm.is_chattering and after.alarm.is_chattering
    is_same = before.alarm.state is after.alarm.state
    return not (is_same and (after.flags.pending or chatters_on))
