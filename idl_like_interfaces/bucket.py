"""How many lines a peer may cause, in a log or a record: who insists shall not fill a disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

MOST_PER_S = 20.0
BURST = 200.0


class Bucket:
    """A bucket that refills with time; usable from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = BURST
        self._at = clock()
        self._turn = threading.Lock()

    def take(self) -> bool:
        """Tell whether the next one is told by itself, and take note of it."""
        with self._turn:
            now = self._clock()
            self._left = min(BURST, self._left + (now - self._at) * MOST_PER_S)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True
