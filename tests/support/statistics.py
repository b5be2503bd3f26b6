"""Statistics of calls as tests need them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from idl_like_interfaces.object import OperationStatistics, Statistics

SINCE = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
BOUNDS_S = [0.001, 0.01, 0.1, 1.0]


def calls(name: str, counts: list[int], **changes: Any) -> OperationStatistics:
    """Return the statistics of an operation from its histogram over ``BOUNDS_S``."""
    values: dict[str, Any] = {
        "name": name,
        "calls": sum(counts),
        "refused": 0,
        "failed": 0,
        "dropped": 0,
        "denied": 0,
        "in_progress": 0,
        "total_s": 0.0,
        "counts": counts,
    }
    return OperationStatistics(**(values | changes))


def statistics(*operations: OperationStatistics, since: datetime = SINCE) -> Statistics:
    """Return the statistics of an object."""
    return Statistics(since=since, bounds_s=BOUNDS_S, operations=list(operations))
