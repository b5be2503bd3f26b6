"""How many events pass per second, over the last few seconds."""

from __future__ import annotations

from collections import deque

WINDOW_S = 5.0
_SLOT_S = 0.25


class RateMeter:
    """Counts in slots of a quarter of a second, and forgets them after five seconds."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._slots: deque[tuple[float, int]] = deque()

    def add(self, count: int, now: float) -> None:
        """Count events."""
        if self._slots and now - self._slots[-1][0] < _SLOT_S:
            began, before = self._slots.pop()
            self._slots.append((began, before + count))
        else:
            self._slots.append((now, count))
        self._trim(now)

    def per_second(self, now: float) -> float:
        """Return the mean rate over the window, or since the start when that is shorter."""
        self._trim(now)
        window = min(WINDOW_S, max(now - self._began, 1.0))
        return sum(count for _, count in self._slots) / window

    def _trim(self, now: float) -> None:
        while self._slots and now - self._slots[0][0] >= WINDOW_S:
            self._slots.popleft()
