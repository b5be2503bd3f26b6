"""Peers of the clients that can be away, and remember what they took."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from idl_like_interfaces.errors import Transient

PATIENCE_S = 30.0

Parcel = TypeVar("Parcel")


class Gate(Generic[Parcel]):
    """Takes parcels while it is open; refuses them with what it was told to raise otherwise.

    Attributes:
        taken: The parcels, in order.
        attempts: How often it was called.
    """

    def __init__(self, *, is_open: bool = True) -> None:
        self.taken: list[Parcel] = []
        self.attempts = 0
        self._error: Exception | None = None if is_open else Transient("nobody is there")
        self._changed = threading.Condition()

    def open(self) -> None:
        """Let parcels in from now on."""
        with self._changed:
            self._error = None

    def shut(self, error: Exception | None = None) -> None:
        """Refuse parcels from now on."""
        with self._changed:
            self._error = error or Transient("nobody is there")

    def __call__(self, parcel: Parcel) -> None:
        with self._changed:
            self.attempts += 1
            self._changed.notify_all()
            if self._error is not None:
                raise self._error
            self.taken.append(parcel)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to become true at a call.

        Raises:
            AssertionError: It did not in time.
        """
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S)
