"""Throughput of the event channel beside Redis and NATS, what it costs, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

from benchmarks.channel_sides import PEERS, Burst, Peer, Side, serve_obsorb, side
from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure

RATE = "channel"
SERVER_COST = "channel, processor time of the server for each delivery"
WHOLE_COST = "channel, processor time of all processes for each delivery"

LINEAR_GOAL = Goal(of=Measure.RATIO, at_most=1.5)
"""With many consumers a delivery costs no more than with one (and some room for a bad moment)."""

_PARTS = "benchmarks.channel_obsorb"
_GOALS_UP_TO = 4
_FEW_ROUNDS = 2

_OURS = ""
"""The key of our own side; those of the peers are their names."""

_Runs = dict[str, tuple[list[Burst], Side]]


def measure_channel(counts: Counts) -> list[Figure]:
    """Measure with every number of consumers, ours and the peers in turn."""
    runs = {consumers: _measured(consumers, counts) for consumers in counts.consumers}
    return [
        *(_rate_row(at, peer, of) for at, of in runs.items() for peer in PEERS),
        *_cost_rows(WHOLE_COST, lambda burst: burst.all_us, runs),
        *_cost_rows(SERVER_COST, lambda burst: burst.server_us, runs),
        _growth(runs),
    ]


def _measured(consumers: int, counts: Counts) -> _Runs:
    """Let all sides that are installed send bursts in turn; the first only warms them up."""
    installed = [peer for peer in PEERS if peer.is_installed]
    servers = [(serve_obsorb(), _PARTS), *((peer.serve(), peer.parts) for peer in installed)]
    events = min(counts.events, counts.deliveries // consumers)
    # Many consumers make long bursts, and no goal stands beside them.
    rounds = counts.channel_rounds if consumers <= _GOALS_UP_TO else _FEW_ROUNDS
    with ExitStack() as stack:
        sides = [stack.enter_context(side(*server, consumers)) for server in servers]
        alternate(1, [_turn(each, max(1, events // 4)) for each in sides])
        bursts = alternate(rounds, [_turn(each, events) for each in sides])
    names = [_OURS, *(peer.name for peer in installed)]
    return dict(zip(names, zip(bursts, sides, strict=True), strict=True))


def _turn(side: Side, events: int) -> Callable[[], Burst]:
    return lambda: side.burst(events)


def _rate_row(consumers: int, peer: Peer, runs: _Runs) -> Figure:
    ours, own = runs[_OURS]
    theirs, other = runs.get(peer.name, ([], None))
    return figure(
        RATE,
        f"events to {_whom(consumers)}",
        "1/s",
        [burst.rate for burst in ours],
        peer=peer.title,
        theirs=[burst.rate for burst in theirs],
        goal=peer.goal if consumers <= _GOALS_UP_TO else None,
        lost=own.lost,
        peer_lost=None if other is None else other.lost,
        at=consumers,
    )


def _cost_rows(group: str, cost: Callable[[Burst], float], runs: dict[int, _Runs]) -> list[Figure]:
    return [
        figure(
            group,
            _whom(at),
            "us",
            [cost(burst) for burst in of[_OURS][0]],
            peer=peer.title,
            theirs=[cost(burst) for burst in of.get(peer.name, ([], None))[0]],
            at=at,
        )
        for at, of in runs.items()
        for peer in PEERS
    ]


def _growth(runs: dict[int, _Runs]) -> Figure:
    """Compare a delivery to one of many consumers with one to a single consumer."""
    few, many = ([burst.server_us for burst in runs[at][_OURS][0]] for at in (min(runs), max(runs)))
    return figure(
        SERVER_COST,
        f"{_whom(max(runs))}, beside fewer",
        "us",
        many,
        peer=f"obsorb to {_whom(min(runs))}",
        # Not measured in the same rounds, nor in as many: what it usually is stands beside each.
        theirs=[median(few)] * len(many),
        goal=LINEAR_GOAL,
    )


def _whom(consumers: int) -> str:
    return "1 consumer" if consumers == 1 else f"each of {consumers} consumers"
