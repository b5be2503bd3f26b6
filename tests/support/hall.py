"""A servant for tests of hosting: its calls stay, wait, and tell who made them."""

from __future__ import annotations

import threading
from typing import Protocol

from idl_like_interfaces.declare import Finite, Seconds, interface, operation
from idl_like_interfaces.mapping.context import current_caller, remaining_s
from idl_like_interfaces.octets import Octets
from idl_like_interfaces.waiting import News, wait_for_news


@interface("IDL:test/Hall:1.0")
class Hall(Protocol):
    """A place where callers stay, wait and leave things."""

    @operation()
    def stay(self) -> int:
        """Stay until the door is opened; return how many have been here."""

    @operation()
    def enter(self, who: str) -> int:
        """Note who comes; return how many have come."""

    @operation(idempotent=True)
    def look(self) -> list[str]:
        """Return who has come."""

    @operation(oneway=True)
    def leave(self, what: int) -> None:
        """Leave a number here."""

    @operation(long_poll=True, idempotent=True)
    def wait(self, timeout_s: Seconds) -> int:
        """Return how many have come as soon as it is somebody, or when the time is over."""

    @operation(idempotent=True)
    def time_left(self) -> Finite | None:
        """Return how much time the call has; ``None``: any."""

    @operation(idempotent=True)
    def caller(self) -> list[str]:
        """Return address and identity of the caller."""

    @operation(idempotent=True)
    def octets(self, size: int) -> Octets:
        """Return so many octets."""


class HallServant:
    """Implements Hall."""

    def __init__(self) -> None:
        self.door = threading.Event()
        self.inside = threading.Semaphore(0)
        self.came: list[str] = []
        self.left: list[int] = []
        self.news = News()
        self._lock = threading.Lock()

    def stay(self) -> int:
        self.inside.release()
        self.door.wait(30)
        return self.enter("who stayed")

    def enter(self, who: str) -> int:
        with self._lock:
            self.came.append(who)
            count = len(self.came)
        self.news.tell()
        return count

    def look(self) -> list[str]:
        return list(self.came)

    def leave(self, what: int) -> None:
        self.left.append(what)

    def wait(self, timeout_s: float) -> int:
        return wait_for_news(self.news, lambda: len(self.came) or None, lambda: 0, timeout_s)

    def time_left(self) -> float | None:
        left = remaining_s(1e9)
        return None if left == 1e9 else left

    def caller(self) -> list[str]:
        caller = current_caller()
        return [caller.address, caller.identity]

    def octets(self, size: int) -> Octets:
        return Octets(bytes(size))
