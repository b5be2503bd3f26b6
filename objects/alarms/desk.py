"""All that the alarm service decides: reports, heartbeats, time, and its own alarms."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from msgspec.structs import replace

from idl_like_interfaces.alarm_statistics import AlarmStats, Offender
from idl_like_interfaces.alarms import (
    Alarm,
    AlarmBatch,
    AlarmClear,
    AlarmFilter,
    AlarmNote,
    AlarmReport,
    AllReported,
    Column,
    NoSuchAlarm,
    NotPossible,
    PauseCondition,
    ReportReply,
    Severity,
)
from idl_like_interfaces.announcements import ComponentState, Heartbeat
from objects.alarms import own
from objects.alarms.book import Book, Origin, Outcome
from objects.alarms.condition import Condition, Moment, Step
from objects.alarms.heartbeats import Heartbeats
from objects.alarms.lines import Beat, Line, Mark, Snapshot
from objects.alarms.rates import Rates
from objects.alarms.watcher import AlarmWatcher

GLITCH_S = 0.5

MOST_MARKS = 5000
MOST_LISTED = 100
LONG_STANDING = timedelta(days=1)


class AlarmDesk:
    """What is known, and what follows from what happens; no input and output.

    Every operation returns what is to be written and then told. One thread at a time.

    Args:
        source: The service itself, e.g. ``obs/alarms``.
        incarnation: Its start.
        at: Now.
        listed: Components that must run, with the time after which they are silent.
        pause_conditions: Filters: what must pause a run beside what its reporter says so of.
        glitch_s: A condition that is over sooner was a glitch.

    Raises:
        BadParam: One of the filters is none.
    """

    def __init__(
        self,
        source: str,
        incarnation: str,
        at: Moment,
        *,
        listed: dict[str, float] | None = None,
        pause_conditions: Sequence[AlarmFilter] = (),
        glitch_s: float = GLITCH_S,
    ) -> None:
        self._own = Origin(source=source, incarnation=incarnation)
        self._watcher = AlarmWatcher(pause_conditions)
        self._heartbeats = Heartbeats(listed or {}, at.monotonic)
        self._book = Book(self._watcher, glitch_s)
        self._marks: OrderedDict[tuple[str, str], Mark] = OrderedDict()
        self._lost = 0

    # What was written

    def restore(self, lines: Iterable[Line], at: Moment) -> Outcome:
        """Take what was written before; return what is to be told anew."""
        for line in lines:
            if line.snapshot is not None:
                self._restore_snapshot(line.snapshot, at)
            self._restore(line, at)
        return self._book.watch_all(at)

    def _restore_snapshot(self, snapshot: Snapshot, at: Moment) -> None:
        book = self._book
        book.next_number = max(book.next_number, snapshot.next_number)
        book.next_id = max(book.next_id, snapshot.next_id)
        book.rates = Rates(snapshot.tally)
        self._lost = snapshot.lost
        for each in snapshot.known:
            book.restore(each.alarm, each.flags, at)
        for mark in snapshot.marks:
            self._set_mark(mark)
        for beat in snapshot.beats:
            self._restore_beat(beat, at)

    def _restore(self, line: Line, at: Moment) -> None:
        entry = line.entry
        alarm = line.alarm if entry is None else entry.alarm
        if entry is not None:
            self._book.next_number = max(self._book.next_number, entry.number + 1)
        if alarm is not None and line.flags is not None:
            self._book.restore(alarm, line.flags, at)
            if line.began:
                when = alarm.raised if entry is None else entry.time
                self._book.rates.count(alarm.report.object, alarm.report.name, when)
        if line.mark is not None:
            self._set_mark(line.mark)
        if line.beat is not None:
            self._restore_beat(line.beat, at)
        self._lost += line.lost

    def _restore_beat(self, beat: Beat, at: Moment) -> None:
        if beat.is_forgotten:
            self._heartbeats.forget(beat.source)
        else:
            self._heartbeats.restore(beat.source, beat.incarnation, beat.state, at.monotonic)

    def snapshot(self) -> Snapshot:
        """Return all that is known."""
        return Snapshot(
            next_number=self._book.next_number,
            next_id=self._book.next_id,
            known=self._book.known(),
            marks=list(self._marks.values()),
            beats=[
                Beat(source=source, incarnation=pulse.incarnation, state=pulse.state)
                for source, pulse in self._heartbeats.pulses.items()
                if pulse.incarnation
            ],
            tally=self._book.rates.tally,
            lost=self._lost,
        )

    # What happens

    def take(self, batch: AlarmBatch, at: Moment) -> tuple[ReportReply, Outcome]:
        """Take reports; what came before is passed over."""
        outcome = Outcome()
        key = batch.source, batch.incarnation
        known = self._marks.get(key)
        mark = known or Mark(source=batch.source, incarnation=batch.incarnation, last=0)
        lost = 0
        if batch.first > mark.last + 1:
            lost = min(batch.lost, batch.first - 1 - mark.last)
            mark = replace(mark, hole=batch.first, last=batch.first - 1)
        if known is None:
            _extend(outcome, self._started_anew(batch.source, batch.incarnation, at))
        before = mark.last
        for number, report in enumerate(batch.reports, batch.first):
            if number > before:
                mark = self._take_one(outcome, report, replace(mark, last=number), at)
        if mark != known:
            self._lost += lost
            self._set_mark(mark)
            outcome.lines.append(Line(mark=mark, lost=lost))
        taken = max(0, mark.last - before)
        return ReportReply(taken=taken, is_complete=not mark.hole), outcome

    def _take_one(
        self,
        outcome: Outcome,
        report: AlarmReport | AlarmClear | AlarmNote | AllReported,
        mark: Mark,
        at: Moment,
    ) -> Mark:
        book = self._book
        match report:
            case AlarmReport():
                origin = Origin(
                    source=mark.source,
                    incarnation=mark.incarnation,
                    number=mark.last,
                    is_retold=bool(mark.hole),
                )
                _extend(outcome, book.raised(report, origin, at) or self._refuse_one(at))
            case AlarmClear():
                _extend(outcome, book.over(report.object, report.name, report.text, at))
            case AlarmNote():
                noted = book.note(mark.source, report.text, at)
                # On one line: what is torn off is sent again, what is not never.
                noted.lines = [replace(line, mark=mark) for line in noted.lines]
                _extend(outcome, noted)
            case AllReported() if report.since >= mark.hole:
                over = book.over_unless(mark.source, mark.incarnation, report.since, at)
                _extend(outcome, over)
                return replace(mark, hole=0)
        return mark

    def _refuse_one(self, at: Moment) -> Outcome:
        self._lost += 1
        outcome = self.say(own.too_many(self._own.source, at.utc), at)
        outcome.lines.append(Line(lost=1))
        return outcome

    def note(self, source: str, text: str, at: Moment) -> Outcome:
        """Enter into the history what is no alarm."""
        return self._book.note(source, text, at)

    def beat(self, source: str, heartbeat: Heartbeat, at: Moment) -> Outcome:
        """Take a heartbeat of a component."""
        beaten = self._heartbeats.beat(source, heartbeat, at.monotonic)
        outcome = Outcome()
        if beaten.is_back:
            _extend(outcome, self._book.over(source, own.SILENT, "it beats again", at))
            _extend(outcome, self._book.trusted(source, heartbeat.incarnation, at))
        if beaten.is_new_start:
            _extend(outcome, self._started_anew(source, heartbeat.incarnation, at))
        if beaten.note:
            if heartbeat.state is ComponentState.STOPPED:
                _extend(outcome, self._book.stale(source, "its component has stopped", at))
            noted = self._book.note(source, beaten.note, at)
            beat = Beat(source=source, incarnation=heartbeat.incarnation, state=heartbeat.state)
            noted.lines = [replace(line, beat=beat) for line in noted.lines]
            _extend(outcome, noted)
        return outcome

    def _started_anew(self, source: str, incarnation: str, at: Moment) -> Outcome:
        if source == self._own.source:
            return Outcome()  # what the service says of others it looks into itself
        text = "its component was started anew and has not said it again"
        return self._book.stale(source, text, at, but=incarnation)

    def pass_time(self, at: Moment) -> Outcome:
        """Do what is due: silent components, announcements, shelves, what was good for long."""
        outcome = Outcome()
        for source in self._heartbeats.fallen_silent():
            pulse = self._heartbeats.pulses[source]
            _extend(outcome, self.say(own.silent(source, pulse, at.utc), at))
            _extend(outcome, self._book.stale(source, "its component is silent", at))
        _extend(outcome, self._book.pass_time(at))
        return outcome

    def say(self, report: AlarmReport, at: Moment) -> Outcome:
        """Raise an alarm of the service itself."""
        return self._book.raised(report, self._own, at) or Outcome()

    def take_back(self, name: str, at: Moment) -> Outcome:
        """End an alarm that the service raised about itself."""
        return self._book.over(self._own.source, name, "", at)

    def by_hand(
        self, alarm_ids: Iterable[int], act: Callable[[Condition], Step], at: Moment
    ) -> tuple[list[Alarm], Outcome, list[NoSuchAlarm | NotPossible]]:
        """Do something to several alarms, to each by itself.

        Returns:
            Those to which it was done, what is to be written and told, and the refusals.
        """
        return self._book.by_hand(alarm_ids, act, at)

    def forget_silent(self, alarms: Iterable[Alarm]) -> list[Line]:
        """Supervise no more whose silence somebody has declared to be over."""
        lines = []
        for alarm in alarms:
            if alarm.report.name == own.SILENT and alarm.source == self._own.source:
                source = alarm.report.object
                self._heartbeats.forget(source)
                state = ComponentState.STOPPED
                beat = Beat(source=source, incarnation="", state=state, is_forgotten=True)
                lines.append(Line(beat=beat))
        return lines

    # What is asked

    def alarms(self) -> list[Alarm]:
        """Return the alarms that a display may show."""
        return list(self._book.shown())

    def pause_conditions(self) -> list[PauseCondition]:
        """Return the conditions that must pause a run now."""
        return self._watcher.conditions()

    def stats(self, at: Moment, problem: str) -> AlarmStats:
        """Add up how much there is to do."""
        alarms = self.alarms()
        columns = Counter(alarm.column for alarm in alarms)
        active = [alarm for alarm in alarms if alarm.is_active]
        severities = Counter(alarm.report.severity for alarm in active)
        rates = self._book.rates
        return AlarmStats(
            columns={column: columns[column] for column in Column},
            by_severity={severity: severities[severity] for severity in Severity},
            per_10_min=rates.recent(at.utc),
            peak_per_10_min=rates.peak(at.utc),
            top_offenders=rates.offenders(at.utc),
            chattering=_named(alarm for alarm in alarms if alarm.is_chattering),
            stale=_named(
                alarm for alarm in active if alarm.is_stale or at.utc - alarm.raised > LONG_STANDING
            ),
            shelved=sum(alarm.until is not None for alarm in alarms),
            silent=self._heartbeats.silent,
            lost=self._lost,
            problem=problem,
        )

    def _set_mark(self, mark: Mark) -> None:
        key = mark.source, mark.incarnation
        self._marks[key] = mark
        self._marks.move_to_end(key)
        if len(self._marks) > MOST_MARKS:
            self._marks.popitem(last=False)


def _extend(outcome: Outcome, more: Outcome) -> None:
    outcome.lines += more.lines
    outcome.events += more.events


def _named(alarms: Iterable[Alarm]) -> list[Offender]:
    ordered = sorted(alarms, key=lambda alarm: -alarm.count)
    return [
        Offender(object=alarm.report.object, name=alarm.report.name, count=alarm.count)
        for alarm in ordered[:MOST_LISTED]
    ]
