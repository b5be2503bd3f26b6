"""All runs that have something left to be done, each with its driver."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.mapping.context import remaining_s
from idl_like_interfaces.run_configuration import RunBegin, RunConfiguration
from idl_like_interfaces.run_control import Phase, Verdict, WriterPhase
from idl_like_interfaces.waiting import block_for_news
from objects.run_control.driver import RunDriver
from objects.run_control.elapsed import stamp
from objects.run_control.ending import confirm_late
from objects.run_control.entry import OpenRun, Tell
from objects.run_control.records import RunRecord, new_record, noted
from objects.run_control.store import RunStore
from objects.run_control.surroundings import Surroundings

log = logging.getLogger(__name__)

ANSWER_S = 0.5
"""So much before its caller's deadline a command answers with what there is."""

LATE_S = 86_400.0
"""So long after its end, or a restart of run control, a run may still be confirmed.

Counted while this process lives, not by the date: a clock that is set must not give up files."""

_LATE_RUNS = 16


class RunOffice(Closing):
    """Begins runs and drives them; any thread may call it.

    Args:
        around: What drivers need.
        tell: Called with the old and the new record after each change.
        first_run: The least number to give.
    """

    def __init__(self, around: Surroundings, tell: Tell, first_run: int) -> None:
        self._around = around
        self._tell = tell
        self._first = first_run
        self._store: RunStore = around.store
        self._lock = threading.Lock()
        self._drivers: dict[int, RunDriver] = {}
        self._awaited_since: dict[int, float] = {}
        self._last = 0
        self._is_closed = False

    def recover(self) -> None:
        """Take up what a crash has interrupted; nothing is driven yet."""
        self._last = self._store.last_number()
        for record in self._store.open_runs():
            log.info("run %d is taken up again, %s", record.number, record.phase.value)
            run = OpenRun(record, self._store, self._tell)
            self._drivers[record.number] = RunDriver(run, self._around, is_restored=True)

    def start(self) -> None:
        """Begin to drive."""
        for each in list(self._drivers.values()):
            each.start()

    @override
    def close(self) -> None:
        """Drive no more."""
        with self._lock:
            self._is_closed = True
            drivers = list(self._drivers.values())
        for each in drivers:
            each.run.news.tell()  # commands that wait answer with what there is
        for each in drivers:
            each.close()

    @property
    def last_run(self) -> int:
        """The greatest number given; 0: none yet."""
        return self._last

    @property
    def next_run(self) -> int:
        """The number that the next run will have."""
        return max(self._last + 1, self._first)

    @property
    def problem(self) -> str:
        """Why a run cannot go on now; empty: all can."""
        return next((each.problem for each in list(self._drivers.values()) if each.problem), "")

    def wake(self) -> None:
        """Have all drivers look at once."""
        for each in list(self._drivers.values()):
            each.run.wake.set()

    def active(self) -> list[RunRecord]:
        """Return the runs that have not ended, by number."""
        records = [each.run.record for each in list(self._drivers.values())]
        return sorted((each for each in records if not each.is_over), key=lambda r: r.number)

    def find(self, number: int) -> RunRecord | None:
        """Return a run; None: there is none."""
        driver = self._drivers.get(number)
        return driver.run.record if driver is not None else self._store.get(number)

    def find_request(self, request: str) -> RunRecord | None:
        """Return the run that was begun with a request; None: there is none."""
        return self._store.by_request(request)

    def begin(
        self, begin: RunBegin, configuration: RunConfiguration, request: str, by: str
    ) -> RunRecord:
        """Give the next number to a run and begin to start it.

        Raises:
            PersistStore: It could not be written; no number was used.
        """
        clock = self._around.site.clock
        now, begun_at = clock.utc(), stamp(clock)

        def make(number: int) -> RunRecord:
            made = new_record(number, begin, configuration, request, now)
            made = replace(made, by=by, begun_at=begun_at)
            return noted(made, f"start: {begin.comment or 'no comment'}", now, by)

        with self._lock:
            record, is_new = self._store.begin(request, self._first, make)
            if is_new and not self._is_closed:
                self._last = record.number
                run = OpenRun(record, self._store, self._tell)
                self._drivers[record.number] = driver = RunDriver(run, self._around)
                driver.start()
        if is_new:
            self._tell(record, record)
        return record

    def change(self, number: int, change: Callable[[RunRecord], RunRecord]) -> RunRecord | None:
        """Change a run and have it driven; None: it is settled, nothing can be changed any more.

        Raises:
            PersistStore: It could not be written; it is as it was.
        """
        driver = self._drivers.get(number)
        if driver is None:
            return None
        record = driver.run.change(change)
        driver.run.wake.set()
        return record

    def wait(self, number: int, wanted: Callable[[RunRecord], bool], most_s: float) -> RunRecord:
        """Return a run once it is as wanted, or as it is when the time is over."""
        driver = self._drivers.get(number)
        if driver is None:
            found = self._store.get(number)
            assert found is not None
            return found
        run = driver.run

        def look() -> RunRecord | None:
            return run.record if wanted(run.record) or self._is_closed else None

        wait_s = max(0.0, min(most_s, remaining_s(most_s) - ANSWER_S))
        return block_for_news(run.news, look, lambda: run.record, wait_s)

    def tidy(self) -> None:
        """Let go of runs that are settled, and ask for late confirmations."""
        with self._lock:
            done = [number for number, each in self._drivers.items() if each.is_done]
            gone = [self._drivers.pop(number) for number in done]
        for each in gone:
            each.close()
        for record in self._awaited():
            self._confirm(record)

    def _awaited(self) -> list[RunRecord]:
        """Return the runs of which somebody may still confirm files."""
        now = self._around.site.clock.monotonic()
        found = [each for each in self._store.newest(_LATE_RUNS) if is_awaited(each)]
        before = self._awaited_since
        self._awaited_since = {each.number: before.get(each.number, now) for each in found}
        return [each for each in found if now - self._awaited_since[each.number] < LATE_S]

    def _confirm(self, record: RunRecord) -> None:
        run = OpenRun(record, self._store, self._tell)
        try:
            if confirm_late(run, self._around):
                self._around.settle(run.record)
        except (RemoteError, OSError) as error:
            log.warning("run %d could not be confirmed late: %s", record.number, error)


def is_awaited(record: RunRecord) -> bool:
    """Tell whether a run has ended and somebody may still confirm his files."""
    lost = any(each.phase is WriterPhase.LOST for each in record.run.writers)
    return (
        record.is_settled
        and lost
        and record.run.verdict is Verdict.FLAGGED
        and record.phase in {Phase.ENDED, Phase.ABORTED}
    )
