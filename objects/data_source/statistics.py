"""What is kept of a series of samples: its statistics, and rows in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

MOST_ROWS = 100_000
"""A longer series is thinned: every second row goes, and from then on only every second comes."""


@dataclass(slots=True)
class Statistics:
    """Least, greatest and mean of the numbers seen; NaN is not counted."""

    count: int = 0
    least: float = math.nan
    most: float = math.nan
    mean: float = math.nan

    def add(self, value: float) -> None:
        """Take a number into account."""
        if not math.isfinite(value):
            return
        self.count += 1
        if self.count == 1:
            self.least = self.most = self.mean = value
            return
        self.least = min(self.least, value)
        self.most = max(self.most, value)
        self.mean += (value - self.mean) / self.count


@dataclass(frozen=True, slots=True)
class Row:
    """One sample: its time (UTC) and its numbers."""

    time: datetime
    values: tuple[float, ...]


@dataclass(slots=True)
class Series:
    """All samples of one acquisition.

    Attributes:
        width: Numbers in a sample.
        limit: Most rows that are kept.
        rows: What is kept, in order of time.
        statistics: For each number, over all samples, kept or not.
    """

    width: int
    limit: int = MOST_ROWS
    rows: list[Row] = field(default_factory=list)
    statistics: list[Statistics] = field(init=False)
    _stride: int = 1
    _seen: int = 0

    def __post_init__(self) -> None:
        self.statistics = [Statistics() for _ in range(self.width)]

    def add(self, time: datetime, values: Sequence[float]) -> None:
        """Take a sample.

        Raises:
            ValueError: It has not one number for each column.
        """
        if len(values) != self.width:
            raise ValueError(f"a sample has {len(values)} values, the columns are {self.width}")
        numbers = tuple(float(value) for value in values)
        for statistics, number in zip(self.statistics, numbers, strict=True):
            statistics.add(number)
        if self._seen % self._stride == 0:
            self.rows.append(Row(time, numbers))
        self._seen += 1
        if len(self.rows) >= self.limit:
            self.rows = self.rows[::2]
            self._stride *= 2
