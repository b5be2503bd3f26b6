"""How much is measured: enough for a stable median, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Bounds of a run.

    Attributes:
        rounds: Repetitions of each side.
        calls: Small calls in a repetition.
        transfers: Octets calls in a repetition.
        channel_rounds: Repetitions of each side with events.
        events: Events in a repetition; no more than the channel holds for late readers.
        consumers: The numbers of consumers that are tried.
        starts: Starts of an installation.
        rest_s: How long the rest of an installation is watched, in seconds.
        demos: Runs of the demonstration.
    """

    rounds: int
    calls: int
    transfers: int
    channel_rounds: int
    events: int
    consumers: tuple[int, ...]
    starts: int
    rest_s: float
    demos: int


FULL = Counts(
    rounds=11,
    calls=3000,
    transfers=200,
    channel_rounds=5,
    events=100_000,
    consumers=(1, 4),
    starts=3,
    rest_s=10.0,
    demos=1,
)

QUICK = Counts(
    rounds=1,
    calls=50,
    transfers=5,
    channel_rounds=1,
    events=500,
    consumers=(1, 2),
    starts=1,
    rest_s=0.5,
    demos=0,
)
