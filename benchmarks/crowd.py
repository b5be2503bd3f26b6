"""A crowd of idle connections and parked long-polls: what it costs, and who calls beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.clients_sides import Run
from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from benchmarks.processes import busy, memory, threads
from benchmarks.programs import Child

THREADS_GOAL = Goal(of=Measure.RATIO, at_most=0.2)
CALM_GOAL = Goal(of=Measure.VALUE, at_most=5.0)
P50_GOAL = Goal(of=Measure.RATIO, at_most=1.5)
P99_GOAL = Goal(of=Measure.RATIO, at_most=2.0)

PEER = "Pyro5 thread server"
ALONE = "obsorb without the crowd"

_HALF = "half of the calls beside it within"
_MOST = "99 % of the calls beside it within"
_SPARE = 16
_KIB_OF_MIB = 1024
_MS = 1000.0
_PAUSE_S = 0.02
_DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a crowd did to a server.

    Attributes:
        threads: Of the server.
        rss: Its resident memory, MiB.
        pss: The same, shared pages divided, MiB.
        each_kib: By how much PSS grew for each connection.
        busy: Processor time at rest, % of a core.
        gathered_s: How long it took to come.
        woken_ms: From the news until the last long-poll had its reply.
        alone: Calls of one client before.
        beside: The same calls beside the crowd.
    """

    threads: int
    rss: float
    pss: float
    each_kib: float
    busy: float
    gathered_s: float
    woken_ms: float
    alone: Run
    beside: Run


def measure_crowd(counts: Counts) -> list[Figure]:
    """Let crowds come to both servers in turn."""
    sides = [lambda: _ours(counts), lambda: _bare(counts)]
    ours, bare = alternate(counts.crowd_rounds, sides)
    group = f"{counts.crowd} idle connections and {counts.crowd} long-polls"
    return [*_costs(group, ours, bare), *_calls(group, ours)]


def _ours(counts: Counts) -> Seen:
    with (
        Child("benchmarks.crowd_obsorb:Server") as server,
        Child("benchmarks.clients_obsorb:Clients", server.hello) as client,
        Child("benchmarks.crowd_client:Crowd", server.hello, "ours") as crowd,
    ):
        return _see(server, client, crowd, counts)


def _bare(counts: Counts) -> Seen:
    with (
        Child("benchmarks.crowd_bare:Server", str(2 * counts.crowd + _SPARE)) as server,
        Child("benchmarks.clients_bare:Clients", server.hello) as client,
        Child("benchmarks.crowd_client:Crowd", server.hello, "bare") as crowd,
    ):
        return _see(server, client, crowd, counts)


def _see(server: Child, client: Child, crowd: Child, counts: Counts) -> Seen:
    client.do("connect", count=1)
    alone = _call(client, counts)
    before = memory(server.pid)
    gathered_s: float = crowd.do("gather", count=counts.crowd)
    _await_waiting(server, counts.crowd)
    worked = busy({"server": server.pid}, counts.crowd_s)
    after = memory(server.pid)
    count = threads(server.pid)
    beside = _call(client, counts)
    return Seen(
        threads=count,
        rss=after["RSS"],
        pss=after["PSS"],
        each_kib=_KIB_OF_MIB * (after["PSS"] - before["PSS"]) / (2 * counts.crowd),
        busy=worked["server"],
        gathered_s=gathered_s,
        woken_ms=_wake(server, crowd),
        alone=alone,
        beside=beside,
    )


def _call(client: Child, counts: Counts) -> Run:
    return Run.of([client.do("run", count=1, seconds=counts.crowd_s)])


def _await_waiting(server: Child, count: int) -> None:
    until = time.monotonic() + _DEADLINE_S
    while server.do("waited") < count:
        if time.monotonic() > until:
            raise TimeoutError(f"not all of {count} long-polls have come in")
        threading.Event().wait(_PAUSE_S)


def _wake(server: Child, crowd: Child) -> float:
    crowd.order("hear")
    began: float = server.do("tell")
    ended: float = crowd.result()
    return _MS * (ended - began)


def _costs(group: str, ours: list[Seen], bare: list[Seen]) -> list[Figure]:
    def row(
        name: str, unit: str, value: Callable[[Seen], float], goal: Goal | None = None
    ) -> Figure:
        mine, theirs = ([value(each) for each in side] for side in (ours, bare))
        return figure(group, name, unit, mine, peer=PEER, theirs=theirs, goal=goal)

    return [
        row("threads", "", lambda seen: seen.threads, THREADS_GOAL),
        row("memory, RSS", "MiB", lambda seen: seen.rss),
        row("memory, PSS", "MiB", lambda seen: seen.pss),
        row("memory for each connection", "KiB", lambda seen: seen.each_kib),
        row("processor at rest", "% of a core", lambda seen: seen.busy, CALM_GOAL),
        row("time to come", "s", lambda seen: seen.gathered_s),
        row("news to the last long-poll", "ms", lambda seen: seen.woken_ms),
        row(_HALF, "ms", lambda seen: seen.beside.p50_ms),
        row(_MOST, "ms", lambda seen: seen.beside.p99_ms),
    ]


def _calls(group: str, ours: list[Seen]) -> list[Figure]:
    def row(name: str, value: Callable[[Run], float], goal: Goal) -> Figure:
        beside, alone = [value(each.beside) for each in ours], [value(each.alone) for each in ours]
        return figure(group, name, "ms", beside, peer=ALONE, theirs=alone, goal=goal)

    return [
        row(_HALF, lambda run: run.p50_ms, P50_GOAL),
        row(_MOST, lambda run: run.p99_ms, P99_GOAL),
    ]
