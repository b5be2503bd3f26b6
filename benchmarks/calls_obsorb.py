"""The processes of the benchmark of calls, ours: object and client."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Protocol

from typing_extensions import override

from benchmarks.calls_count import PLAIN_READING, block, seconds
from idl_like_interfaces.declare import Finite, Value, interface, operation
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.octets import Octets


class Reading(Value, frozen=True, kw_only=True):
    """What the echo carries: a small struct as components exchange them."""

    sensor: str
    sequence: int
    value: Finite
    is_valid: bool
    history: list[Finite]


READING = from_plain(Reading, PLAIN_READING)


@interface("IDL:obsorb/benchmarks/Target:1.0")
class Target(Protocol):
    """The object that is called."""

    @operation()
    def add(self, a: int, b: int) -> int:
        """Return the sum."""

    @operation()
    def echo(self, reading: Reading) -> Reading:
        """Return the argument."""

    @operation()
    def put(self, octets: Octets) -> int:
        """Take octets and return how many."""

    @operation()
    def get(self, size: int) -> Octets:
        """Return so many octets."""


class Servant(Target):
    """What each operation does is what the declaration says."""

    @override
    def add(self, a: int, b: int) -> int:
        return a + b

    @override
    def echo(self, reading: Reading) -> Reading:
        return reading

    @override
    def put(self, octets: Octets) -> int:
        return len(octets)

    @override
    def get(self, size: int) -> Octets:
        return Octets(block(size))


class Server(ExitStack):
    """Our servant in our object adapter; says its URI."""

    def __init__(self) -> None:
        super().__init__()
        adapter = self.enter_context(ObjectAdapter())
        self.hello = adapter.activate(Servant(), Target, "target")


class Client(ExitStack):
    """Calls through our typed stub; each order returns seconds."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._target = narrow(uri, Target)
        self.callback(release, self._target)

    def add(self, count: int) -> float:
        add = self._target.add
        return seconds(lambda: add(1, 2), count)

    def echo(self, count: int) -> float:
        echo = self._target.echo
        return seconds(lambda: echo(READING), count)

    def put(self, count: int, size: int) -> float:
        put, buffer = self._target.put, block(size)
        return seconds(lambda: put(Octets(buffer)), count)

    def get(self, count: int, size: int) -> float:
        get = self._target.get
        return seconds(lambda: get(size).view, count)
