"""Figures of a benchmark: what was measured, beside what, and whether the goal is met."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Several runs of one measurement.

    Attributes:
        median: The middle one.
        low: The least.
        high: The greatest.
        runs: How many.
    """

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sum up the values of some runs, at least one."""
        return cls(
            median=statistics.median(values), low=min(values), high=max(values), runs=len(values)
        )


class Measure(StrEnum):
    """What a goal is about."""

    VALUE = "value"
    RATIO = "ratio"


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """A bound that the median shall keep; one of the two is given.

    Attributes:
        of: The figure itself or its ratio to the peer's.
        at_least: Lower bound.
        at_most: Upper bound.
    """

    of: Measure
    at_least: float | None = None
    at_most: float | None = None

    def is_met_by(self, value: float) -> bool:
        """Tell whether a value keeps the bound."""
        is_low_enough = self.at_most is None or value <= self.at_most
        return is_low_enough and (self.at_least is None or value >= self.at_least)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the report.

    Attributes:
        group: Which part of the benchmark.
        name: What was measured.
        unit: Of both values.
        ours: Obsorb.
        peer: What stands beside it; empty when only a limit does.
        theirs: The peer; None when it is not installed.
        ratio: Ours by theirs, run by run, since two runs side by side share the host's mood.
        goal: What is wanted; None where the figure is only shown.
        lost: Events of ours that did not arrive in place, all runs and consumers.
        peer_lost: The same of the peer.
        note: A few words for people.
        met: Whether the goal is met; None when there is none or no peer to compare with.
        at: Where on a curve: how many clients, consumers or bytes; None: on none.
    """

    group: str
    name: str
    unit: str
    ours: Spread
    peer: str = ""
    theirs: Spread | None = None
    ratio: Spread | None = None
    goal: Goal | None = None
    lost: int | None = None
    peer_lost: int | None = None
    note: str = ""
    met: bool | None = None
    at: float | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one run of the benchmark says.

    Attributes:
        command: How it was started.
        date: When, UTC.
        host: Where: processors, memory, versions, load.
        figures: The rows.
        failed: Groups that ended with a failure.
    """

    command: str
    date: datetime
    host: dict[str, str]
    figures: list[Figure]
    failed: list[str] = []


def figure(  # noqa: PLR0913 (a row has so many columns)
    group: str,
    name: str,
    unit: str,
    ours: Sequence[float],
    *,
    peer: str = "",
    theirs: Sequence[float] = (),
    goal: Goal | None = None,
    lost: int | None = None,
    peer_lost: int | None = None,
    note: str = "",
    at: float | None = None,
) -> Figure:
    """Build a row from the values of the runs.

    Args:
        group: Which part of the benchmark.
        name: What was measured.
        unit: Of all values.
        ours: One value for each run.
        peer: What stands beside it.
        theirs: One value for each run; empty when the peer is not installed.
        goal: What is wanted.
        lost: Events of ours that were lost; the goal then wants 0.
        peer_lost: The same of the peer.
        note: For people.
        at: Where on a curve.
    """
    # Beside a peer that needs nothing at all there is no ratio.
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)] if theirs and all(theirs) else []
    ratio = Spread.of(ratios) if ratios else None
    mine = Spread.of(ours)
    return Figure(
        group=group,
        name=name,
        unit=unit,
        ours=mine,
        peer=peer,
        theirs=Spread.of(theirs) if theirs else None,
        ratio=ratio,
        goal=goal,
        lost=lost,
        peer_lost=peer_lost,
        note=note,
        met=_is_met(goal, mine, ratio, lost),
        at=at,
    )


def _is_met(goal: Goal | None, ours: Spread, ratio: Spread | None, lost: int | None) -> bool | None:
    measured = ours if goal is not None and goal.of is Measure.VALUE else ratio
    if goal is None or measured is None:
        return None
    return goal.is_met_by(measured.median) and not lost


def alternate(rounds: int, sides: Sequence[Callable[[], T]]) -> list[list[T]]:
    """Measure all sides in turn, in every other round in reverse order.

    Returns:
        For each side its values, one for each round.
    """
    values: list[list[T]] = [[] for _ in sides]
    for turn in range(rounds):
        order = range(len(sides)) if turn % 2 == 0 else reversed(range(len(sides)))
        for side in order:
            values[side].append(sides[side]())
    return values


def now() -> datetime:
    """Return the time for a report, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
