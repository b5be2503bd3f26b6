"""What it costs to keep events on disk: at the channel, and at the supplier."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.channel_sides import Burst, Side, serve_obsorb, side
from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure

RATE_GOAL = Goal(of=Measure.RATIO, at_least=0.5)

_PARTS = "benchmarks.channel_obsorb"
_GROUP = "kept on disk, events to 1 consumer"
_OFF = "nothing on disk"
_SPOOLED = "by the supplier, until the channel has them"
_JOURNALS = {
    "by the channel, over kill -9": (),
    "by the channel, over a loss of power": ("sync=yes",),
}
_KINDS = (*_JOURNALS, _SPOOLED)
_GOALS: dict[str, Goal | None] = dict.fromkeys(_KINDS, RATE_GOAL)
_GOALS["by the channel, over a loss of power"] = None  # as fast as the disk


def measure_journal(counts: Counts) -> list[Figure]:
    """Send bursts with nothing on disk, with a journal of both kinds, and with a spool, in turn."""
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="obsorb-bench-"))
        sides = {_OFF: side(serve_obsorb(), _PARTS, 1)}
        for number, (kind, options) in enumerate(_JOURNALS.items()):
            server = serve_obsorb(f"journal={scratch}/{number}", *options)
            sides[kind] = side(server, _PARTS, 1)
        sides[_SPOOLED] = side(serve_obsorb(), "benchmarks.channel_spooled", 1)
        entered = {kind: stack.enter_context(each) for kind, each in sides.items()}
        turns = [_turn(each, counts.events) for each in entered.values()]
        alternate(1, turns)
        bursts = dict(zip(entered, alternate(counts.channel_rounds, turns), strict=True))
    return [
        *(_rate_row(kind, bursts, entered[kind].lost) for kind in _KINDS),
        *(_cost_row(kind, bursts) for kind in _KINDS),
    ]


def _turn(side: Side, events: int) -> Callable[[], Burst]:
    return lambda: side.burst(events)


def _rate_row(kind: str, bursts: dict[str, list[Burst]], lost: int) -> Figure:
    ours, without = ([burst.rate for burst in bursts[each]] for each in (kind, _OFF))
    return figure(
        _GROUP, kind, "1/s", ours, peer=_OFF, theirs=without, goal=_GOALS[kind], lost=lost
    )


def _cost_row(kind: str, bursts: dict[str, list[Burst]]) -> Figure:
    ours, without = ([burst.all_us for burst in bursts[each]] for each in (kind, _OFF))
    name = f"processor time for each, kept {kind}"
    return figure(_GROUP, name, "us", ours, peer=_OFF, theirs=without)
