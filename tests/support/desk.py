"""A servant that counts what it executes, with operations of every kind of call."""

from __future__ import annotations

import threading
from typing import Protocol

from idl_like_interfaces.declare import Finite, Seconds, interface, operation
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.mapping.context import remaining_s
from idl_like_interfaces.octets import Octets
from idl_like_interfaces.waiting import News, wait_for_news


class Rejected(RemoteError, repository_id="IDL:test/Rejected:1.0"):
    """A declared refusal."""

    number: int


@interface("IDL:test/Desk:1.0")
class Desk(Protocol):
    """Where numbers are handed in."""

    @operation(Rejected)
    def hand_in(self, number: int) -> int:
        """Take a number and return how many were taken.

        Raises:
            Rejected: It is negative.
        """

    @operation(idempotent=True)
    def count(self) -> int:
        """Return how many were taken."""

    @operation(idempotent=True)
    def double(self, octets: Octets) -> Octets:
        """Return the octets twice."""

    @operation(oneway=True)
    def drop(self, number: int) -> None:
        """Take a number without a word."""

    @operation(oneway=True)
    def throw(self, octets: Octets) -> None:
        """Take octets without a word."""

    @operation()
    def hold(self) -> None:
        """Return when the gate is opened."""

    @operation(idempotent=True)
    def time_left(self) -> Finite:
        """Return how much time the call has."""

    @operation(long_poll=True, idempotent=True)
    def await_count(self, count: int, timeout_s: Seconds) -> int:
        """Wait until so many were taken; return how many."""


class DeskServant:
    """Implements Desk.

    Attributes:
        taken: The numbers, in the order in which they came.
        thrown: Sizes of the octets, likewise.
        gate: Open: ``hold`` and ``throw`` do not wait.
        looked: How often ``count`` was executed.
    """

    def __init__(self, other: Desk | None = None) -> None:
        self.taken: list[int] = []
        self.thrown: list[int] = []
        self.gate = threading.Event()
        self.looked = 0
        self._other = other
        self._news = News()

    def hand_in(self, number: int) -> int:
        if number < 0:
            raise Rejected("a negative number", number=number)
        self.drop(number)
        return len(self.taken)

    def count(self) -> int:
        self.looked += 1
        return len(self.taken)

    def double(self, octets: Octets) -> Octets:
        return Octets(bytes(octets) * 2)

    def drop(self, number: int) -> None:
        self.taken.append(number)
        self._news.tell()

    def throw(self, octets: Octets) -> None:
        self.gate.wait(30)
        self.thrown.append(len(octets))

    def hold(self) -> None:
        if self._other is not None:
            self._other.hold()
        self.gate.wait(30)

    def time_left(self) -> float:
        return self._other.time_left() if self._other is not None else remaining_s(1e9)

    def await_count(self, count: int, timeout_s: float) -> int:
        def look() -> int | None:
            return len(self.taken) if len(self.taken) >= count else None

        return wait_for_news(self._news, look, lambda: len(self.taken), timeout_s)
