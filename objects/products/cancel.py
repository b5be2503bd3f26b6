"""Asks a step that is under way to end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancelled(Exception):
    """The step ended early because it was asked to; it can be done again."""


class Cancel:
    """One request to end; steps look at it, and blocked ones are woken by it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requested = False
        self._wake: Callable[[], None] | None = None

    def request(self) -> None:
        """Ask, once; a step that blocks is woken from this thread."""
        with self._lock:
            if not self._requested:
                self._requested = True
                if self._wake is not None:
                    self._wake()

    def check(self) -> None:
        """Go on, or not.

        Raises:
            Cancelled: It was asked for.
        """
        with self._lock:
            if self._requested:
                raise Cancelled

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Within, ``wake`` ends what blocks; it is never called after the block was left."""
        with self._lock:
            self._wake = wake
            if self._requested:
                wake()
        try:
            yield
        finally:
            with self._lock:
                self._wake = None
