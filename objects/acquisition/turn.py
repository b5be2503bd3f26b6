"""Who executes a command of an acquisition, and when another one need not wait for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from objects.acquisition.product import SourceResult
from objects.acquisition.rounds import Round
from objects.acquisition.sources import SourceFailure

TURN_S = 60.0
"""A command waits so long for its turn."""


class Urgency(IntEnum):
    """Of several commands the more urgent one counts."""

    USUAL = 0
    FORCE_STOP = 1
    ABORT = 2
    FORCE_ABORT = 3

    @property
    def is_impatient(self) -> bool:
        """Tell whether it does not wait for sources that are being asked just now."""
        return self in (Urgency.FORCE_STOP, Urgency.FORCE_ABORT)


class TurnBusy(Exception):
    """Another command did not end in time."""


class TurnLost(Exception):
    """A more urgent command waits: the running one shall ask no more sources and end.

    Attributes:
        wanted: What waits.
        results: What the sources have answered that were asked.
        failures: By source name, what went wrong.
    """

    def __init__(
        self, wanted: Urgency, results: list[SourceResult], failures: dict[str, SourceFailure]
    ) -> None:
        super().__init__(wanted.name)
        self.wanted = wanted
        self.results = results
        self.failures = failures


class Turn:
    """One command at a time; who waits with more urgency ends the one that runs.

    A command that aborts lets the running one finish the round of requests that it is in; one
    that is forced does not wait for that either.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: list[Urgency] = []
        self._running = Urgency.USUAL
        self._round: Round | None = None

    @contextmanager
    def taken(self, urgency: Urgency = Urgency.USUAL) -> Iterator[None]:
        """Wait for the turn and have it.

        Raises:
            TurnBusy: It did not come in time.
        """
        self._take(urgency)
        before, self._running = self._running, urgency
        try:
            yield
        finally:
            self._running = before
            self._turn.release()

    def run(self, asked: Round) -> tuple[list[SourceResult], dict[str, SourceFailure]]:
        """Run a round of requests; the caller has the turn.

        Raises:
            TurnLost: Something more urgent waits; maybe not all sources have answered.
        """
        with self._lock:
            if self._most_urgent() > self._running:
                raise TurnLost(self._most_urgent(), [], {})
            self._round = asked
        try:
            results, failures = asked.run()
        finally:
            with self._lock:
                self._round = None
        if asked.is_given_up:
            raise TurnLost(self._most_urgent(), results, failures)
        return results, failures

    def _take(self, urgency: Urgency) -> None:
        with self._lock:
            self._waiting.append(urgency)
            if self._round is not None and urgency.is_impatient and urgency > self._running:
                self._round.give_up()
        try:
            if not self._turn.acquire(timeout=TURN_S):
                raise TurnBusy
        finally:
            with self._lock:
                self._waiting.remove(urgency)

    def _most_urgent(self) -> Urgency:
        return max(self._waiting, default=Urgency.USUAL)
