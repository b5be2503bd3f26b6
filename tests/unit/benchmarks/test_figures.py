"""Rows are built correctly from the values of the runs."""

from __future__ import annotations

import pytest

from benchmarks.figures import Spread, alternate, figure
from tests.unit.benchmarks.rows import CHEAPER, FASTER, IN_TIME, rate


def test_a_spread_has_median_least_and_greatest() -> None:
    """And says of how many runs."""
    assert Spread.of([3.0, 1.0, 7.0, 2.0]) == Spread(median=2.5, low=1.0, high=7.0, runs=4)


def test_the_ratio_is_the_median_of_the_ratios_of_neighbouring_runs() -> None:
    """Not the ratio of the medians: a slow moment of the host strikes both sides of a pair."""
    row = figure("g", "n", "us", [10.0, 100.0, 12.0], peer="p", theirs=[5.0, 100.0, 10.0])
    assert row.ratio == Spread(median=1.2, low=1.0, high=2.0, runs=3)


@pytest.mark.parametrize(("ours", "is_met"), [(1.3, True), (1.31, False)])
def test_an_upper_bound_of_a_ratio_is_kept_or_missed(ours: float, *, is_met: bool) -> None:
    """The bound itself is good."""
    row = figure("g", "n", "us", [ours], peer="p", theirs=[1.0], goal=CHEAPER)
    assert row.met is is_met


@pytest.mark.parametrize(("ours", "is_met"), [(2.0, True), (1.99, False)])
def test_a_lower_bound_of_a_ratio_is_kept_or_missed(ours: float, *, is_met: bool) -> None:
    """The bound itself is good."""
    row = figure("g", "n", "1/s", [ours], peer="p", theirs=[1.0], goal=FASTER)
    assert row.met is is_met


@pytest.mark.parametrize(("seconds", "is_met"), [([4.0, 9.0, 3.0], True), ([6.0], False)])
def test_a_limit_is_compared_with_the_median(seconds: list[float], *, is_met: bool) -> None:
    """One slow run does not miss a goal."""
    assert figure("g", "n", "s", seconds, goal=IN_TIME).met is is_met


def test_a_lost_event_misses_the_goal_at_any_rate() -> None:
    """Nothing may be lost."""
    assert rate().met is True
    assert rate(lost=1).met is False


def test_without_the_peer_a_ratio_is_neither_met_nor_missed() -> None:
    """The peer is not installed."""
    row = rate(theirs=())
    assert (row.theirs, row.ratio, row.met) == (None, None, None)


def test_beside_nothing_at_all_there_is_no_ratio() -> None:
    """A peer that needs no processor time at rest."""
    row = figure("g", "n", "%", [0.1, 0.0], peer="p", theirs=[0.0, 0.1])
    assert row.theirs is not None
    assert (row.ratio, row.met) == (None, None)


def test_without_a_goal_nothing_is_met_or_missed() -> None:
    """The figure is only shown."""
    assert figure("g", "n", "s", [1.0]).met is None


def test_sides_take_turns_in_alternating_order() -> None:
    """So that none is always the first after a pause."""
    calls: list[str] = []

    def side(name: str, value: float) -> float:
        calls.append(name)
        return value

    values = alternate(3, [lambda: side("a", 1.0), lambda: side("b", 2.0)])
    assert "".join(calls) == "abbaab"
    assert values == [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]
