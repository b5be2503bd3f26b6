"""The idle connections of a stub: taken by one call at a time, from any thread."""

from __future__ import annotations

import time
from collections import deque
from typing import Generic, Protocol, TypeVar

from idl_like_interfaces.mapping.calling.dialing import Place

_IDLE_S = 60.0
"""A connection that nobody has used for so long is closed when another one is given back."""


class Pooled(Protocol):
    """What a pool keeps.

    Attributes:
        place: Where it leads.
        used_at: When its last call ended (monotonic).
    """

    place: Place
    used_at: float

    @property
    def is_stale(self) -> bool:
        """Tell whether the peer has closed it."""

    def close(self) -> None:
        """Close it."""


P = TypeVar("P", bound=Pooled)


class Pool(Generic[P]):
    """Keeps idle connections to one place; the one that was used last is taken first.

    Args:
        most: So many are kept.

    Attributes:
        place: Where they lead; one that leads elsewhere is not kept.
    """

    def __init__(self, most: int) -> None:
        self.place: Place | None = None
        self._most = most
        # Its operations are atomic, so that no call waits for another one's lock.
        self._idle: deque[P] = deque()

    def __len__(self) -> int:
        return len(self._idle)

    def take(self) -> P | None:
        """Return a connection that is still open; ``None``: there is none."""
        while True:
            try:
                line = self._idle.pop()
            except IndexError:
                return None
            if not line.is_stale:
                return line
            line.close()

    def give(self, line: P) -> None:
        """Give one back after a call."""
        if line.place is not self.place:
            line.close()
            return
        line.used_at = now = time.monotonic()
        self._idle.append(line)
        if len(self._idle) > 1:
            self._trim(now)

    def _trim(self, now: float) -> None:
        try:
            oldest = self._idle.popleft()
        except IndexError:
            return
        if len(self._idle) >= self._most or oldest.used_at < now - _IDLE_S:
            oldest.close()
        else:
            self._idle.appendleft(oldest)

    def clear(self) -> None:
        """Close all that are idle."""
        while True:
            try:
                self._idle.pop().close()
            except IndexError:
                return
