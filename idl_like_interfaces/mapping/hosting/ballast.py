"""Memory that is kept for peers: parts of messages, replies that they do not take."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Ballast(Generic[T]):
    """What is kept for whom, and who must go when it is too much; from any thread.

    Args:
        most: Bytes for all together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: dict[T, int] = {}
        self._total = 0

    @property
    def total(self) -> int:
        """Bytes that are kept."""
        return self._total

    def keep(self, owner: T, size: int) -> list[T]:
        """Note how much is kept for somebody now; his place in the order stays.

        Returns:
            Those that have had something kept for longest, as many as are too many. Who
            ends them calls ``let_go``.
        """
        with self._lock:
            self._total += size - self._kept.get(owner, 0)
            self._kept[owner] = size
            over = self._total - self._most
            heaviest: list[T] = []
            for each, its_size in self._kept.items():
                if over <= 0:
                    break
                heaviest.append(each)
                over -= its_size
            return heaviest

    def has_room(self, size: int) -> bool:
        """Tell whether so much more may be kept."""
        return self._total + size <= self._most

    def let_go(self, owner: T) -> None:
        """Note that nothing is kept for somebody any more."""
        if owner not in self._kept:
            return
        with self._lock:
            self._total -= self._kept.pop(owner, 0)
