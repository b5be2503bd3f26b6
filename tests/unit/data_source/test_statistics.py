"""Series of samples: their statistics, and rows in bounded memory."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from objects.data_source.statistics import Series, Statistics

BEGIN = datetime(2026, 1, 2, tzinfo=UTC)


@given(some.lists(some.floats(-1e9, 1e9), min_size=1))
def test_statistics_are_those_of_all_numbers(values: list[float]) -> None:
    """Least, greatest, mean, without keeping the numbers."""
    statistics = Statistics()
    for value in [math.nan, *values, math.inf]:
        statistics.add(value)
    assert (statistics.least, statistics.most) == (min(values), max(values))
    assert statistics.mean == pytest.approx(math.fsum(values) / len(values), abs=1e-3)
    assert statistics.count == len(values)


@given(some.integers(1, 500), some.integers(2, 40))
def test_a_long_series_is_thinned_evenly(samples: int, limit: int) -> None:
    """Memory is bounded; the kept rows are equally spaced from the first on."""
    series = Series(1, limit=limit)
    for number in range(samples):
        series.add(BEGIN + timedelta(seconds=number), [number])
    kept = [row.values[0] for row in series.rows]
    assert len(kept) <= limit
    assert kept[0] == 0
    assert len({later - earlier for earlier, later in pairwise(kept)}) <= 1
    assert series.statistics[0].count == samples


def test_a_sample_of_another_width_is_refused() -> None:
    """The message says both numbers."""
    with pytest.raises(ValueError, match="has 1 values, the columns are 2"):
        Series(2).add(BEGIN, [1.0])
