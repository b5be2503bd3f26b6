"""What waits for the thread of a stream: portions of records, bounded in events and bytes."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

import numpy as np

from objects.component.clock import Clock
from objects.logger_stream.records import Records


class Portion(NamedTuple):
    """Records that were taken at once, and the ticket by which their fate is known."""

    ticket: int
    records: Records


class Portions:
    """A bounded queue; any thread puts, one takes.

    What was taken counts as waiting until it is released, so the bound holds for all that is
    in memory on the way to a file.

    Args:
        most_events: Events that may wait.
        most_bytes: And their bytes.
        clock: The time.

    Attributes:
        last_ticket: Ticket of the portion that was put last; 0: none was.
    """

    def __init__(self, most_events: int, most_bytes: int, clock: Clock) -> None:
        self.last_ticket = 0
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._clock = clock
        self._condition = threading.Condition()
        self._portions: deque[Portion] = deque()
        self._events = self._bytes = 0
        self._refuses_since: float | None = None
        self._is_ended = False

    @property
    def waiting(self) -> tuple[int, int]:
        """Events that are on the way to a file, and their bytes."""
        with self._condition:
            return self._events, self._bytes

    @property
    def blocked_s(self) -> float:
        """For so long somebody has found no room for all that he had; 0: nobody has."""
        since = self._refuses_since
        return 0.0 if since is None else max(0.0, self._clock.monotonic() - since)

    @property
    def is_ended(self) -> bool:
        """Whether it takes nothing any more, ever."""
        return self._is_ended

    @property
    def is_over(self) -> bool:
        """Whether it takes nothing any more, and all was taken from it."""
        with self._condition:
            return self._is_ended and not self._portions

    def put(self, records: Records) -> int:
        """Take leading records as far as there is room; return how many. Never waits.

        The first record is always taken into an empty queue, however large it is.
        """
        with self._condition:
            count = self._fitting(records)
            if count < len(records):
                self._refuses_since = self._refuses_since or self._clock.monotonic()
            else:
                self._refuses_since = None
            if count:
                # A few of many shall not keep the memory of all: the bound would be of no use.
                is_all = count == len(records)
                self._append(records if is_all else records.head(count).own())
            return count

    def take(self, timeout_s: float) -> list[Portion]:
        """Return all that waits, after a while nothing; returns at once when it was woken."""
        with self._condition:
            if not self._portions and not self._is_ended:
                self._condition.wait(timeout_s)
            taken, self._portions = list(self._portions), deque()
            return taken

    def release(self, records: Records) -> None:
        """Say that records which were taken are in a file: there is room for others."""
        with self._condition:
            self._events -= len(records)
            self._bytes -= records.nbytes
            if not self._events:
                self._refuses_since = None

    def pause(self, timeout_s: float) -> None:
        """Wait a while, or until it is woken: for who tries again."""
        with self._condition:
            self._condition.wait(timeout_s)

    def end(self) -> None:
        """Take nothing any more, and wake who takes."""
        with self._condition:
            self._is_ended = True
            self._condition.notify_all()

    def wake(self) -> None:
        """Have ``take`` and ``pause`` return at once."""
        with self._condition:
            self._condition.notify_all()

    def _append(self, records: Records) -> None:
        self.last_ticket += 1
        self._portions.append(Portion(self.last_ticket, records))
        self._events += len(records)
        self._bytes += records.nbytes
        self._condition.notify_all()

    def _fitting(self, records: Records) -> int:
        if self._is_ended:
            return 0
        events = self._most_events - self._events
        octets = self._most_bytes - self._bytes
        if len(records) <= events and records.nbytes <= octets:
            return len(records)
        ends = np.cumsum(records.index["size"], dtype=np.int64)
        fitting = min(max(events, 0), int(np.searchsorted(ends, max(octets, 0), side="right")))
        return fitting if fitting or self._events else min(1, len(records))
