"""The status of the logger: made once a second at most, the same for all who ask."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from idl_like_interfaces.event_logger import LoggerStatus
from objects.component.clock import Clock
from objects.logger_stream.run import ActiveRun

CACHED_S: Final = 1.0

RATE_WINDOW_S: Final = 5.0
"""Rates are those over the last seconds."""


class RunRates:
    """Rates of the runs, from what they had when the status was made before.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[int, deque[tuple[float, int, int]]] = {}

    def of(self, run: ActiveRun) -> tuple[float, float]:
        """Return events and bytes a second."""
        now = self._clock.monotonic()
        seen = self._seen.setdefault(run.number, deque())
        seen.append((now, *run.counts))
        while len(seen) > 1 and now - seen[1][0] >= RATE_WINDOW_S:
            seen.popleft()
        (then, events, octets), (_, to_events, to_octets) = seen[0], seen[-1]
        if now <= then:
            return 0.0, 0.0
        return (to_events - events) / (now - then), (to_octets - octets) / (now - then)

    def forget(self, kept: set[int]) -> None:
        """Keep what is known of these runs only."""
        self._seen = {number: each for number, each in self._seen.items() if number in kept}


class StatusBoard:
    """Where the status hangs; any thread may look.

    Args:
        clock: The time.
        make: Makes it anew.
    """

    def __init__(self, clock: Clock, make: Callable[[], LoggerStatus]) -> None:
        self._clock = clock
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[float, LoggerStatus] | None = None
        self._is_stale = False

    def get(self) -> LoggerStatus:
        """Return the latest status; it is at most a second old, and no older than a command."""
        with self._lock:
            now = self._clock.monotonic()
            made = self._made
            if made is None or self._is_stale or not 0 <= now - made[0] < CACHED_S:
                self._is_stale = False
                made = self._made = now, self._make()
            return made[1]

    def invalidate(self) -> None:
        """Have it made anew when it is asked for next: a command has changed something."""
        self._is_stale = True
