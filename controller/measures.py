"""What the statistics of calls mean: rates, means and quantiles; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate

import msgspec
from msgspec.structs import replace

from idl_like_interfaces.declare import Role
from idl_like_interfaces.object import OperationStatistics, Statistics


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the calls of one operation, or of all operations of an object.

    Attributes:
        operation: Empty: all together.
        calls: Executed to their end.
        refused: Of these, ended by an error.
        failed: Of these, by a bug.
        dropped: Not executed: out of time, sent twice, or too many.
        denied: Not executed: not allowed.
        in_progress: Executed or waiting now.
        per_s: Calls per second; None when the span is not known.
        mean_s: Of the time from request to reply; None without calls.
        p50_s: The time that half of the calls did not exceed, estimated; None without calls.
        p99_s: The same of 99 of 100. Both are at most the highest bound of the histogram,
            which then means: so much or more.
    """

    operation: str
    calls: int
    refused: int
    failed: int
    dropped: int
    denied: int
    in_progress: int
    per_s: float | None
    mean_s: float | None
    p50_s: float | None
    p99_s: float | None


@cache
def long_polls() -> frozenset[str]:
    """Return the operations that wait: their time says how long there was no news.

    To publish is none of them: it waits only for consumers that block.
    """
    from idl_like_interfaces.idl.registry import declared

    return frozenset(
        operation.name
        for each in declared()
        for operation in each.operations.values()
        if operation.long_poll and operation.role is Role.OBSERVER
    )


def quantile(bounds_s: Sequence[float], counts: Sequence[int], part: float) -> float | None:
    """Estimate the time that a part of the calls did not exceed.

    Within a bucket calls are taken as spread evenly; of the last bucket, which has no upper
    bound, its lower one is returned.

    Args:
        bounds_s: Upper bounds of all buckets but the last.
        counts: Calls in each bucket.
        part: From 0 to 1.

    Returns:
        Seconds; None without calls.
    """
    rank = part * sum(counts)
    lower_s, below = 0.0, 0
    if not sum(counts):
        return None
    for upper_s, upto in zip(bounds_s, accumulate(counts), strict=False):
        if upto >= rank and upto > below:
            return lower_s + (upper_s - lower_s) * (rank - below) / (upto - below)
        lower_s, below = upper_s, upto
    return lower_s


def measure(
    statistics: OperationStatistics, bounds_s: Sequence[float], span_s: float | None = None
) -> Measure:
    """Say what the statistics of an operation mean.

    Args:
        statistics: Of the operation.
        bounds_s: Of its histogram.
        span_s: The time in which these calls were made; None: not known.
    """
    calls = statistics.calls
    return Measure(
        operation=statistics.name,
        calls=calls,
        refused=statistics.refused,
        failed=statistics.failed,
        dropped=statistics.dropped,
        denied=statistics.denied,
        in_progress=statistics.in_progress,
        per_s=calls / span_s if span_s else None,
        mean_s=statistics.total_s / calls if calls else None,
        p50_s=quantile(bounds_s, statistics.counts, 0.5),
        p99_s=quantile(bounds_s, statistics.counts, 0.99),
    )


def difference(before: Statistics | None, after: Statistics) -> Statistics:
    """Return what came since; after a restart of the object that is all of it."""
    if before is None or before.since != after.since or before.bounds_s != after.bounds_s:
        return after
    known = {each.name: each for each in before.operations}
    news = [_less(each, known.get(each.name)) for each in after.operations]
    return replace(after, operations=news)


def _less(after: OperationStatistics, before: OperationStatistics | None) -> OperationStatistics:
    if before is None:
        return after
    return replace(
        after,
        calls=after.calls - before.calls,
        refused=after.refused - before.refused,
        failed=after.failed - before.failed,
        dropped=after.dropped - before.dropped,
        denied=after.denied - before.denied,
        total_s=max(after.total_s - before.total_s, 0.0),
        counts=[a - b for a, b in zip(after.counts, before.counts, strict=True)],
    )


def total(operations: Iterable[OperationStatistics], buckets: int) -> OperationStatistics:
    """Add up operations of one object; the sum has no name."""
    nothing = OperationStatistics(
        name="",
        calls=0,
        refused=0,
        failed=0,
        dropped=0,
        denied=0,
        in_progress=0,
        total_s=0.0,
        counts=[0] * buckets,
    )
    summed = nothing
    for each in operations:
        summed = _more(summed, each)
    return summed


def _more(one: OperationStatistics, two: OperationStatistics) -> OperationStatistics:
    return replace(
        one,
        calls=one.calls + two.calls,
        refused=one.refused + two.refused,
        failed=one.failed + two.failed,
        dropped=one.dropped + two.dropped,
        denied=one.denied + two.denied,
        in_progress=one.in_progress + two.in_progress,
        total_s=one.total_s + two.total_s,
        counts=[a + b for a, b in zip(one.counts, two.counts, strict=True)],
    )
