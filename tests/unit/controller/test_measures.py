"""What the statistics of calls mean."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.measures import difference, long_polls, measure, quantile, total
from tests.support.statistics import BOUNDS_S, SINCE, calls, statistics

COUNTS = st.lists(st.integers(0, 1000), min_size=5, max_size=5)


@pytest.mark.parametrize(
    ("counts", "part", "found_s"),
    [
        ([10, 0, 0, 0, 0], 0.5, 0.0005),  # in the middle of the first bucket
        ([10, 0, 0, 0, 0], 1.0, 0.001),
        ([0, 10, 0, 0, 0], 0.5, 0.0055),  # in the middle of the second
        ([50, 0, 50, 0, 0], 0.5, 0.001),  # an empty bucket lies behind it
        ([50, 0, 50, 0, 0], 0.75, 0.055),
        ([99, 0, 0, 0, 1], 0.99, 0.001),
        ([98, 0, 0, 0, 2], 0.99, 1.0),  # longer than all bounds: at least the highest
        ([0, 0, 0, 0, 0], 0.5, None),
    ],
)
def test_quantiles_are_estimated_within_a_bucket(
    counts: list[int], part: float, found_s: float | None
) -> None:
    """As if its calls were spread evenly."""
    assert quantile(BOUNDS_S, counts, part) == pytest.approx(found_s)


@given(times_ms=st.lists(st.integers(1, 1000), min_size=2, max_size=200))
def test_an_estimate_lies_in_the_right_bucket(times_ms: list[int]) -> None:
    """That of the true quantile, or on its edge."""
    counts = [0] * 5
    for time_ms in times_ms:
        counts[sum(time_ms / 1000 > bound for bound in BOUNDS_S)] += 1
    true_s = sorted(times_ms)[(len(times_ms) - 1) // 2] / 1000
    found = quantile(BOUNDS_S, counts, 0.5)
    assert found is not None
    upper = next(bound for bound in BOUNDS_S if true_s <= bound)
    lower = max([0.0, *(bound for bound in BOUNDS_S if bound < true_s)])
    assert lower <= found <= upper + 1e-12


@given(counts=COUNTS)
def test_quantiles_rise(counts: list[int]) -> None:
    """A larger part takes no less time."""
    found = [quantile(BOUNDS_S, counts, part / 20) or 0.0 for part in range(21)]
    assert found == sorted(found)


def test_a_measure_has_rate_mean_and_quantiles() -> None:
    """Over the span that is given."""
    found = measure(calls("work", [10, 10, 0, 0, 0], total_s=0.04), BOUNDS_S, 4.0)
    assert (found.operation, found.calls, found.per_s) == ("work", 20, 5.0)
    assert (found.mean_s, found.p50_s) == (0.002, 0.001)
    assert found.p99_s == pytest.approx(0.00982)


def test_without_calls_or_span_there_are_no_figures() -> None:
    """Rather than zeros."""
    found = measure(calls("work", [0] * 5, denied=3), BOUNDS_S)
    assert (found.denied, found.per_s, found.mean_s, found.p99_s) == (3, None, None, None)


@given(before=COUNTS, more=COUNTS)
def test_the_difference_and_what_was_before_make_all(before: list[int], more: list[int]) -> None:
    """For each operation, also one that is new."""
    now = [a + b for a, b in zip(before, more, strict=True)]
    one = statistics(calls("old", before, failed=1, in_progress=1))
    two = statistics(calls("new", more), calls("old", now, failed=3, in_progress=7))
    found = difference(one, two)
    assert [each.counts for each in found.operations] == [more, more]
    assert (found.operations[1].failed, found.operations[1].in_progress) == (2, 7)


def test_after_a_restart_all_is_new() -> None:
    """Counters that begin at zero again give no negative rates."""
    before = statistics(calls("work", [100, 0, 0, 0, 0]))
    after = statistics(calls("work", [1, 0, 0, 0, 0]), since=SINCE + timedelta(seconds=9))
    assert difference(before, after) == after
    assert difference(None, after) == after


def test_operations_add_up() -> None:
    """To what the object does in all."""
    found = total([calls("a", [1, 2, 0, 0, 0], failed=1), calls("b", [0, 1, 0, 0, 5], denied=2)], 5)
    assert (found.name, found.calls, found.failed, found.denied) == ("", 9, 1, 2)
    assert found.counts == [1, 3, 0, 0, 5]
    assert total([], 5).calls == 0


def test_operations_that_wait_are_known() -> None:
    """Their times are no measure of an object's health."""
    assert {"fetch", "pull", "follow", "rec_wait", "await_daq_state", "changes"} <= long_polls()
    assert "publish" not in long_polls()
