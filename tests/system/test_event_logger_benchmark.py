"""The benchmark of events on their way to the disk runs, and tells what it shall."""

from __future__ import annotations

import pytest

from benchmarks.counts import QUICK
from benchmarks.event_logger import GOALS, measure_event_logger

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def test_events_stand_beside_plain_writing() -> None:
    """Of each size; the logger has a processor and memory."""
    rows = measure_event_logger(QUICK)
    beside = [row for row in rows if row.name == "durable"]
    assert len(beside) == len(GOALS)
    assert all(row.theirs is not None and row.ours.median > 0 for row in beside)
    assert all(row.ours.median >= 0 for row in rows)
    assert rows[-1].unit == "MiB"
