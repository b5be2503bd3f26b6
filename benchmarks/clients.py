"""1 to 256 clients at one object: rate and latency, beside bare Pyro5's two servers and PyTango."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.clients_sides import OURS, PEERS, THREAD, Peer, Run, Side, start
from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure

RATE_GOAL = Goal(of=Measure.RATIO, at_least=0.77)
P99_GOAL = Goal(of=Measure.RATIO, at_most=1.3)

CALLS = "many clients, calls of all"
P50 = "many clients, half of the calls within"
P99 = "many clients, 99 % of the calls within"
SERVER = "the server alone, calls of all clients"
SERVER_P99 = "the server alone, 99 % of the calls within"

_MEASURES: dict[str, dict[str, tuple[str, Callable[[Run], float], Goal | None]]] = {
    "own": {
        CALLS: ("1/s", lambda run: run.rate, RATE_GOAL),
        P50: ("ms", lambda run: run.p50_ms, None),
        P99: ("ms", lambda run: run.p99_ms, P99_GOAL),
    },
    "raw": {
        SERVER: ("1/s", lambda run: run.rate, RATE_GOAL),
        SERVER_P99: ("ms", lambda run: run.p99_ms, P99_GOAL),
    },
}

_Runs = dict[Peer, dict[int, list[Run]]]


def measure_clients(counts: Counts) -> list[Figure]:
    """Measure with every number of clients, all sides in turn."""
    most = max(counts.clients)
    with ExitStack() as stack:
        started = {peer: start(stack, peer, most) for peer in (OURS, *PEERS)}
        sides = {peer: each for peer, each in started.items() if each is not None}
        return [row for kind in _MEASURES for row in _rows(kind, _measured(kind, sides, counts))]


def _measured(kind: str, sides: dict[Peer, dict[str, Side]], counts: Counts) -> _Runs:
    """Let one kind of clients call, of every server that has them."""
    having = {peer: each[kind] for peer, each in sides.items() if kind in each}
    runs: _Runs = {peer: {} for peer in having}
    for clients in counts.clients:
        for side in having.values():
            side.connect(clients)
        turns = [_turn(side, clients, counts.clients_s) for side in having.values()]
        for peer, values in zip(having, alternate(counts.clients_rounds, turns), strict=True):
            runs[peer][clients] = values
    return runs


def _turn(side: Side, clients: int, seconds: float) -> Callable[[], Run]:
    return lambda: side.run(clients, seconds)


def _rows(kind: str, runs: _Runs) -> list[Figure]:
    speaking = [peer for peer in PEERS if kind == "own" or peer.raw is not None]
    return [
        _row(kind, group, clients, peer, runs)
        for group in _MEASURES[kind]
        for clients in runs[OURS]
        for peer in speaking
    ]


def _row(kind: str, group: str, clients: int, peer: Peer, runs: _Runs) -> Figure:
    unit, value, goal = _MEASURES[kind][group]
    theirs = runs.get(peer, {}).get(clients, [])
    return figure(
        group,
        "1 client" if clients == 1 else f"{clients} clients",
        unit,
        [value(run) for run in runs[OURS][clients]],
        peer=peer.title,
        theirs=[value(run) for run in theirs],
        # The thread server is what a program of Pyro5 has unless it asks for the other.
        goal=goal if peer is THREAD else None,
        at=clients,
    )
