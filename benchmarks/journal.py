"""What it costs the channel to keep its events on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.channel_sides import Burst, Side, serve_obsorb, side
from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure

RATE_GOAL = Goal(of=Measure.RATIO, at_least=0.5)

_GROUP = "journal on disk, events to 1 consumer"
_OFF = "no journal"
_SURVIVES = {"kill -9": (), "loss of power": ("sync=yes",)}


def measure_journal(counts: Counts) -> list[Figure]:
    """Send bursts through a channel without a journal, and with one of both kinds, in turn."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="obsorb-bench-")))
        kinds: dict[str, tuple[str, ...]] = {_OFF: ()}
        for number, (what, options) in enumerate(_SURVIVES.items()):
            kinds[what] = (f"journal={scratch / str(number)}", *options)
        sides = [
            stack.enter_context(side(serve_obsorb(*options), "benchmarks.channel_obsorb", 1))
            for options in kinds.values()
        ]
        turns = [_turn(each, counts.events) for each in sides]
        alternate(1, turns)
        bursts = dict(zip(kinds, alternate(counts.channel_rounds, turns), strict=True))
    lost = {what: each.lost for what, each in zip(kinds, sides, strict=True)}
    return [
        *(_rate_row(what, bursts, lost[what]) for what in _SURVIVES),
        *(_cost_row(what, bursts) for what in _SURVIVES),
    ]


def _turn(side: Side, events: int) -> Callable[[], Burst]:
    return lambda: side.burst(events)


def _rate_row(what: str, bursts: dict[str, list[Burst]], lost: int) -> Figure:
    ours, without = ([burst.rate for burst in bursts[kind]] for kind in (what, _OFF))
    name = f"acknowledged when they survive {what}"
    goal = None if _SURVIVES[what] else RATE_GOAL
    return figure(_GROUP, name, "1/s", ours, peer=_OFF, theirs=without, goal=goal, lost=lost)


def _cost_row(what: str, bursts: dict[str, list[Burst]]) -> Figure:
    ours, without = ([burst.server_us for burst in bursts[kind]] for kind in (what, _OFF))
    name = f"processor time of the channel for each, {what}"
    return figure(_GROUP, name, "us", ours, peer=_OFF, theirs=without)
