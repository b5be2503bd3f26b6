"""How long names cannot be changed when their server dies: the rows of ``benchmarks.failover``."""

from __future__ import annotations

from benchmarks.counts import QUICK, Counts
from benchmarks.failover import measure
from benchmarks.figures import Figure, Goal, Measure, figure

AWAY_GOAL = Goal(of=Measure.VALUE, at_most=5.0)

_GROUP = "two name servers"
_MS = 1000.0


def measure_failover(counts: Counts) -> list[Figure]:
    """Kill the leading one again and again; compare binds with and without a follower."""
    measured = measure(counts is QUICK)
    times = measured["times_s"]
    pair, alone = (_MS * measured[key] for key in ("bind_pair_s", "bind_alone_s"))
    peer = "one name server alone"
    return [
        figure(_GROUP, "from kill -9 to the next bind", "s", times, goal=AWAY_GOAL),
        figure(_GROUP, "the same, at worst", "s", [max(times)], goal=AWAY_GOAL),
        figure(_GROUP, "bind that both have", "ms", [pair], peer=peer, theirs=[alone]),
    ]
