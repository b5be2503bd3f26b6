"""All runs of a logger: where an event goes by its run number, and what becomes of strays."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from idl_like_interfaces.event_logger import NoSuchRun
from idl_like_interfaces.waiting import News
from objects.logger_stream.records import Records
from objects.logger_stream.run import ActiveRun

ENDED_TOLD = 16
"""Runs that have ended of which the status tells."""


class Strays(Protocol):
    """Who takes the events of no active run."""

    def take(self, run: int, records: Records, sender: str, *, was_known: bool) -> None:
        """Keep events of a run that has ended, or was never started, as far as that is bounded."""

    def mismatch(self, of: ActiveRun, run: int, records: Records, sender: str) -> None:
        """A sender of an active run sent events of one that was never started."""


class Runs:
    """The runs of this logger, active and ended.

    Any thread may ask for the route of an event; only the commands' thread adds and ends runs.

    Args:
        strays: Takes what belongs to no active run.

    Attributes:
        changed: Told when a run begins, ends, is paused or resumed, and when ``hold`` changes.
        not_accepted: Events that came when no run was active.
    """

    def __init__(self, strays: Strays) -> None:
        self.changed = News()
        self.not_accepted = 0
        self._strays = strays
        self._holds: dict[str, str] = {}
        self._lock = threading.Lock()
        self._accepting: dict[int, ActiveRun] = {}
        self._runs: dict[int, ActiveRun] = {}
        self._ended: set[int] = set()
        self._latest: deque[ActiveRun] = deque(maxlen=ENDED_TOLD)
        self._newest = 0

    @property
    def hold(self) -> str:
        """Why nothing at all is taken at the moment (the senders wait); empty: it is."""
        return next(iter(self._holds.values()), "")

    def hold_all(self, why: str, reason: str) -> None:
        """Have all senders wait for a reason of some kind; an empty one: that kind is over."""
        with self._lock:
            holds = {key: each for key, each in self._holds.items() if key != why}
            self._holds = {**holds, why: reason} if reason else holds
        self.changed.tell()

    def route(self, number: int) -> ActiveRun | None:
        """Return the run that takes the events of this number now; None: they are strays."""
        return self._accepting.get(number)

    def stray(self, number: int, records: Records, sender: str, present: int = 0) -> None:
        """Take events of a run to which ``route`` leads nowhere.

        Args:
            number: Their run.
            records: The events.
            sender: Name of who sent them.
            present: The run to which the last accepted event of this sender belongs; 0: none.
        """
        was_known = self.is_known(number)
        if not self._accepting and not was_known:
            with self._lock:
                self.not_accepted += len(records)
            return
        self._strays.take(number, records, sender, was_known=was_known)
        of = self._accepting.get(present)
        if of is not None and not was_known:
            of.note_mismatches(len(records))
            self._strays.mismatch(of, number, records, sender)

    def is_known(self, number: int) -> bool:
        """Tell whether this logger has ever begun a run of this number."""
        return number in self._ended or number in self._runs

    def is_active(self, number: int) -> bool:
        """Tell whether a run of this number has begun and not ended."""
        return number in self._runs

    @property
    def newest(self) -> int:
        """The greatest number of a run that this logger has seen; 0: none."""
        return self._newest

    @property
    def active(self) -> list[ActiveRun]:
        """Runs that have not ended, by number."""
        with self._lock:
            return [run for _, run in sorted(self._runs.items())]

    @property
    def told(self) -> list[ActiveRun]:
        """Active runs, and the latest that ended."""
        with self._lock:
            latest = list(self._latest)
        return [*self.active, *latest]

    def get(self, number: int) -> ActiveRun:
        """Return a run that has not ended.

        Raises:
            NoSuchRun: There is none.
        """
        with self._lock:
            run = self._runs.get(number)
        if run is None:
            raise no_such_run(number)
        return run

    def knows(self, ended: Iterable[int], newest: int) -> None:
        """Take up what is known of runs before this start."""
        self._ended |= set(ended)
        self._newest = max([self._newest, newest, *self._ended])

    def add(self, run: ActiveRun) -> None:
        """Begin to route events to a run."""
        with self._lock:
            self._runs[run.number] = run
            self._newest = max(self._newest, run.number)
            self._accepting = {**self._accepting, run.number: run}
        self.changed.tell()

    def close(self, run: ActiveRun) -> None:
        """Route no more events to a run; it is ending."""
        with self._lock:
            self._accepting = {n: each for n, each in self._accepting.items() if each is not run}
        self.changed.tell()

    def remove(self, run: ActiveRun) -> None:
        """Count a run among those that have ended."""
        self.close(run)
        with self._lock:
            self._ended.add(run.number)
            self._runs.pop(run.number, None)
            self._latest.append(run)
        self.changed.tell()


def no_such_run(number: int) -> NoSuchRun:
    """Return the refusal of a number that names no run."""
    return NoSuchRun(
        f"run {number} is not known here",
        run=number,
        cause="it was never started in this logger, or its number is mistyped",
        remedy="look at the status for the runs that there are",
    )
