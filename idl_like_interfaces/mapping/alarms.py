"""Alarm clocks of one thread: what is to be done at which moment."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable


class Alarms:
    """Actions at moments of the monotonic clock; set from any thread, rung by one.

    Args:
        wake: Called when a moment was set that comes before all others.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def set(self, when: float, action: Callable[[], None]) -> None:
        """Do something at a moment; it must look for itself whether that is still wanted."""
        with self._lock:
            is_first = not self._heap or when < self._heap[0][0]
            heapq.heappush(self._heap, (when, next(self._numbers), action))
        if is_first:
            self._wake()

    def next_s(self, now: float) -> float | None:
        """Return how long it is until the next moment; ``None``: there is none."""
        with self._lock:
            return max(0.0, self._heap[0][0] - now) if self._heap else None

    def due(self, now: float) -> list[Callable[[], None]]:
        """Take out what is to be done now, in the order of the moments."""
        found = []
        with self._lock:
            while self._heap and self._heap[0][0] <= now:
                found.append(heapq.heappop(self._heap)[2])
        return found
