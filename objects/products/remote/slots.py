"""A limited number of places; who waits for one is served in order and can be woken."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from objects.products.cancel import Cancel


class Slots:
    """Places for so many at a time; ``limit`` 0: for everybody."""

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._free = limit or float("inf")
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def taken(self, cancel: Cancel) -> Iterator[None]:
        """Wait for a place and have it within.

        Raises:
            Cancelled: Asked to end before there was one.
        """
        mine = self._line_up()
        # No lock of ours is held here: who asks us to end holds one of theirs.
        with cancel.waking(mine.set):
            mine.wait()
        try:
            cancel.check()
            yield
        finally:
            self._leave(mine)

    def _line_up(self) -> threading.Event:
        mine = threading.Event()
        with self._lock:
            if self._free > 0:
                self._free -= 1
                mine.set()
            else:
                self._waiting.append(mine)
        return mine

    def _leave(self, mine: threading.Event) -> None:
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
            elif self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
