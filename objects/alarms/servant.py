"""The alarm service's servant: decides at the desk, writes, and then tells."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC
from typing import Protocol

from typing_extensions import override

from idl_like_interfaces.alarm_statistics import AlarmStats
from idl_like_interfaces.alarms import (
    LONGEST_TEXT,
    Alarm,
    AlarmBatch,
    AlarmFilter,
    AlarmReport,
    AlarmService,
    HistoryEntry,
    HistoryQuery,
    NoSuchAlarm,
    Overview,
    PauseCondition,
    ReportReply,
)
from idl_like_interfaces.announcements import Heartbeat
from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import BadParam, PersistStore
from objects.alarms import decision, own
from objects.alarms.book import Outcome
from objects.alarms.condition import Condition, Moment, Step
from objects.alarms.desk import AlarmDesk
from objects.alarms.filters import Filter
from objects.alarms.grouping import make_overview, urgency
from objects.alarms.queries import check_limit, fitting, select
from objects.alarms.store import AlarmLog
from objects.component.clock import Clock

LONGEST_SHELF_S = 7 * 86_400.0
MOST_LISTED = 10_000
MOST_LINES = 1000
MOST_BY_HAND = 10_000

ATTEND_S = 1.0
"""How often what was written is put onto the disk: a power cut may take so much."""


_ALL = AlarmFilter()
_NEWEST = HistoryQuery()


class Publish(Protocol):
    """Sends an event; never waits."""

    def __call__(self, topic: str, body: Value) -> None:
        """Send an event, urgently."""


class AlarmServiceServant(AlarmService):
    """The alarm service over its log; any thread may call it.

    Args:
        desk: Decides; not used by anybody else.
        store: The alarm log, not opened yet.
        clock: The time.
        publish: Tells everybody of a change.
    """

    def __init__(self, desk: AlarmDesk, store: AlarmLog, clock: Clock, publish: Publish) -> None:
        self._desk = desk
        self._store = store
        self._clock = clock
        self._publish = publish
        self._source = ""
        self._attend_at = 0.0
        self._lock = threading.Lock()

    def recover(self, source: str) -> None:
        """Know again what was known; announce again what must pause a run.

        Raises:
            OSError: The log cannot be read or opened.
        """
        self._source = source
        with self._lock:
            outcome = self._desk.restore(self._store.recover(), self._now())
            self._store.open(self._desk.snapshot())
            self._carry_out(outcome)
            if damaged := self._store.damaged:
                text = f"{damaged} damaged lines of the alarm log are passed over; they are kept"
                self._carry_out(self._desk.note(source, text, self._now()))

    def close(self) -> None:
        """Write what waits, and close the log."""
        with self._lock:
            self._store.close()

    def beat(self, source: str, heartbeat: Heartbeat) -> None:
        """Take a heartbeat."""
        with self._lock:
            self._carry_out(self._desk.beat(source, heartbeat, self._now()))

    def pass_time(self, *, is_deaf: bool = False) -> None:
        """Do what is due; call it a few times in a second.

        Args:
            is_deaf: The event channel does not answer.
        """
        with self._lock:
            now = self._now()
            self._carry_out(self._desk.pass_time(now))
            problem = self._store.problem
            deaf = own.deaf(self._source, now.utc) if is_deaf else None
            full = own.not_stored(self._source, problem, now.utc) if problem else None
            self._say_of_itself(own.DEAF, deaf, now)
            self._say_of_itself(own.NOT_STORED, full, now)
            if now.monotonic >= self._attend_at:
                self._attend_at = now.monotonic + ATTEND_S
                self._store.attend(self._desk.snapshot)

    @override
    def report(self, batch: AlarmBatch) -> ReportReply:
        _check_times(batch)
        with self._lock:
            if batch.reports:
                self._check_room()
            reply, outcome = self._desk.take(batch, self._now())
            self._carry_out(outcome)
        return reply

    @override
    def note(self, source: str, text: str) -> None:
        with self._lock:
            self._check_room()
            self._carry_out(self._desk.note(source, text, self._now()))

    @override
    def get_alarms(self, filter: AlarmFilter = _ALL, limit: int = 1000) -> list[Alarm]:
        check_limit(limit, MOST_LISTED, "limit")
        found = sorted(self._found(filter), key=urgency)
        return fitting(found[:limit])

    @override
    def overview(self, filter: AlarmFilter = _ALL, limit: int = 10) -> Overview:
        check_limit(limit, MOST_LINES, "limit")
        return make_overview(self._found(filter), limit)

    @override
    def acknowledge(self, alarm_ids: list[int], by: str, comment: str = "") -> list[Alarm]:
        _check_said(by, comment)
        return self._by_hand(
            alarm_ids, lambda each, now: decision.acknowledged(each, by, comment, now)
        )

    @override
    def unacknowledge(self, alarm_ids: list[int], by: str) -> list[Alarm]:
        _check_said(by)
        return self._by_hand(alarm_ids, lambda each, now: decision.unacknowledged(each, by, now))

    @override
    def shelve(self, alarm_ids: list[int], by: str, reason: str, for_s: float) -> list[Alarm]:
        _check_said(by, reason)
        if not reason.strip() or not 0 < for_s <= LONGEST_SHELF_S:
            raise BadParam(
                f"alarms cannot be shelved for {for_s:g} s with the reason {reason[:80]!r}",
                field="for_s" if reason.strip() else "reason",
                remedy="give a time above 0 and of a week at most, and say why",
            )
        return self._by_hand(
            alarm_ids, lambda each, now: decision.shelved(each, by, reason, for_s, now)
        )

    @override
    def unshelve(self, alarm_ids: list[int], by: str) -> list[Alarm]:
        _check_said(by)
        return self._by_hand(alarm_ids, lambda each, now: decision.unshelved(each, by, "", now))

    @override
    def clear(self, alarm_ids: list[int], by: str, comment: str = "") -> list[Alarm]:
        _check_said(by, comment)
        return self._by_hand(alarm_ids, lambda each, now: decision.cleared(each, by, comment, now))

    @override
    def history(self, query: HistoryQuery = _NEWEST) -> list[HistoryEntry]:
        return select(self._store, query)

    @override
    def pause_conditions(self) -> list[PauseCondition]:
        with self._lock:
            return self._desk.pause_conditions()

    @override
    def get_stats(self) -> AlarmStats:
        with self._lock:
            return self._desk.stats(self._now(), self._store.problem)

    def _found(self, declared: AlarmFilter) -> list[Alarm]:
        wanted = Filter(declared)
        with self._lock:
            alarms = self._desk.alarms()
        return [alarm for alarm in alarms if wanted.takes(alarm)]

    def _by_hand(
        self, alarm_ids: list[int], act: Callable[[Condition, Moment], Step]
    ) -> list[Alarm]:
        if len(alarm_ids) > MOST_BY_HAND:
            raise BadParam(
                f"{len(alarm_ids)} alarms at once are too many",
                field="alarm_ids",
                remedy=f"give at most {MOST_BY_HAND}",
            )
        with self._lock:
            self._check_room()
            now = self._now()
            done, outcome, refused = self._desk.by_hand(alarm_ids, lambda each: act(each, now), now)
            outcome.lines += self._desk.forget_silent(each for each in done if not each.is_active)
            self._carry_out(outcome)
        if refused:
            missing = [each for each in refused if isinstance(each, NoSuchAlarm)]
            raise (missing or refused)[0]
        return fitting(done)

    def _say_of_itself(self, name: str, report: AlarmReport | None, now: Moment) -> None:
        desk = self._desk
        self._carry_out(desk.take_back(name, now) if report is None else desk.say(report, now))

    def _carry_out(self, outcome: Outcome) -> None:
        """Write, and then tell: nobody hears of what a crash could take back."""
        if outcome.lines:
            self._store.append(outcome.lines)
        for topic, body in outcome.events:
            self._publish(topic, body)

    def _check_room(self) -> None:
        if not self._store.has_room():
            raise PersistStore(
                f"the alarm log takes nothing more: {self._store.problem}",
                cause="the disk has been full for long, and so is the memory that waits for it",
                remedy="free some space; components report again by themselves",
            )

    def _now(self) -> Moment:
        return Moment(utc=self._clock.utc(), monotonic=self._clock.monotonic())


def _check_times(batch: AlarmBatch) -> None:
    """Refuse a time that nobody could show: at the ends of the calendar UTC has none for it."""
    for place, report in enumerate(batch.reports):
        time = getattr(report, "time", None)
        try:
            if time is not None:
                time.astimezone(UTC)
        except OverflowError as error:
            raise BadParam(
                f"the time {time} cannot be said in UTC",
                field=f"batch.reports[{place}].time",
                remedy="correct the clock of the component",
            ) from error


def _check_said(*texts: str) -> None:
    for text in texts:
        if len(text) > LONGEST_TEXT:
            raise BadParam(
                f"a text of {len(text)} characters is too long",
                field="by or comment",
                remedy=f"say it with at most {LONGEST_TEXT}",
            )
