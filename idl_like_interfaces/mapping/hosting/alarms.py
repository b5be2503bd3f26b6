"""Alarm clocks of one thread: what is to be done at which moment."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

_FEW = 64

Action = Callable[[], None]


class Alarms:
    """Actions at moments of the monotonic clock; set from any thread, rung by one.

    Args:
        wake: Called when a moment was set that comes before all others.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._heap: list[tuple[float, int]] = []
        self._actions: dict[int, Action] = {}
        self._numbers = itertools.count()

    def __len__(self) -> int:
        """Return how many are set."""
        return len(self._actions)

    def set(self, when: float, action: Action) -> Callable[[], None]:
        """Have something done at a moment, which must not wait.

        Returns:
            Call it when it need not be done any more; harmless when repeated or too late.
        """
        number = next(self._numbers)
        with self._lock:
            is_first = not self._heap or when < self._heap[0][0]
            self._actions[number] = action
            heapq.heappush(self._heap, (when, number))
        if is_first:
            self._wake()
        return lambda: self._cancel(number)

    def next_s(self, now: float) -> float | None:
        """Return how long it is until the next moment; ``None``: there is none."""
        with self._lock:
            return max(0.0, self._heap[0][0] - now) if self._heap else None

    def due(self, now: float) -> list[Action]:
        """Take out what is to be done now, in the order of the moments."""
        found = []
        with self._lock:
            while self._heap and self._heap[0][0] <= now:
                action = self._actions.pop(heapq.heappop(self._heap)[1], None)
                if action is not None:
                    found.append(action)
        return found

    def _cancel(self, number: int) -> None:
        with self._lock:
            if self._actions.pop(number, None) is None:
                return
            # Moments of what was cancelled stay until they come, or are more than the others.
            if len(self._heap) > 2 * len(self._actions) + _FEW:
                self._heap = [each for each in self._heap if each[1] in self._actions]
                heapq.heapify(self._heap)
