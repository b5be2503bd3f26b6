"""Calls and octets, each against the same with bare Pyro5."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from benchmarks.programs import Child

CALL_GOAL = Goal(of=Measure.RATIO, at_most=1.3)
OCTETS_GOAL = Goal(of=Measure.RATIO, at_least=0.9)

_OURS = "benchmarks.calls_obsorb"
_BARE = "benchmarks.calls_bare"
_KIB = 1024
_SIZES = tuple(kib * _KIB for kib in (4, 16, 64, 256, 1024))
_GOAL_FROM = 256 * _KIB
"""A transfer of less is a call that carries something; the calls have their own goal."""

_CALLS = {"add": "add(int, int)", "echo": "echo of a struct of 5 fields"}
_WAYS = {"put": "to the object", "get": "from the object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A client of ours and a bare one, each connected to its server."""

    ours: Child
    bare: Child


@contextmanager
def _pair() -> Iterator[_Pair]:
    with (
        Child(f"{_OURS}:Server") as server,
        Child(f"{_BARE}:Server") as bare_server,
        Child(f"{_OURS}:Client", server.hello) as ours,
        Child(f"{_BARE}:Client", bare_server.hello) as bare,
    ):
        yield _Pair(ours=ours, bare=bare)


def measure_calls(counts: Counts) -> list[Figure]:
    """Measure the mean time of small calls."""
    with _pair() as pair:
        return [_call(pair, what, name, counts) for what, name in _CALLS.items()]


def _call(pair: _Pair, what: str, name: str, counts: Counts) -> Figure:
    def mean_us(client: Child) -> float:
        seconds: float = client.do(what, count=counts.calls)
        return 1e6 * seconds / counts.calls

    ours, bare = _measured(pair, counts.rounds, mean_us)
    return figure(
        "calls", name, "us", ours, peer="bare Pyro5, msgpack", theirs=bare, goal=CALL_GOAL
    )


def measure_octets(counts: Counts) -> list[Figure]:
    """Measure the throughput of octets in both directions."""
    with _pair() as pair:
        return [_octets(pair, way, size, counts) for size in _SIZES for way in _WAYS]


def _octets(pair: _Pair, way: str, size: int, counts: Counts) -> Figure:
    def mb_per_s(client: Child) -> float:
        seconds: float = client.do(way, count=counts.transfers, size=size)
        return counts.transfers * size / 1e6 / seconds

    ours, bare = _measured(pair, counts.octets_rounds, mb_per_s)
    return figure(
        "octets",
        f"{size // _KIB} KiB {_WAYS[way]}",
        "MB/s",
        ours,
        peer="bare Pyro5 annotation",
        theirs=bare,
        goal=OCTETS_GOAL if size >= _GOAL_FROM else None,
        at=size,
    )


def _measured(pair: _Pair, rounds: int, measure: Callable[[Child], float]) -> list[list[float]]:
    """Measure both sides in turn; the first run of each only warms it up."""
    sides = [lambda: measure(pair.ours), lambda: measure(pair.bare)]
    alternate(1, sides)
    return alternate(rounds, sides)
