"""Rates of counters, over the last seconds."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from objects.component.clock import Clock

WINDOW_S: Final = 5.0


class Rate:
    """Rates of events and bytes; measured whenever it is asked.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: deque[tuple[float, int, int]] = deque()

    def of(self, events: int, octets: int) -> tuple[float, float]:
        """Return events and bytes per second, given how many there are by now."""
        with self._lock:
            now = self._clock.monotonic()
            self._seen.append((now, events, octets))
            while len(self._seen) > 2 and now - self._seen[1][0] >= WINDOW_S:  # noqa: PLR2004 (a rate needs two)
                self._seen.popleft()
            then, events_then, octets_then = self._seen[0]
        if now <= then:
            return 0.0, 0.0
        return (events - events_then) / (now - then), (octets - octets_then) / (now - then)
