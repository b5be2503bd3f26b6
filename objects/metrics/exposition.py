"""Statistics of objects as metric families; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.object import OperationStatistics, Statistics

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

Answers = Mapping[str, Statistics | RemoteError]

_OUTCOMES = {
    "calls": "Calls that were executed to their end, well or not.",
    "refused": "Calls that were ended by a declared or a system error.",
    "failed": "Calls that were ended by INTERNAL: a bug.",
    "dropped": "Calls that were not executed: out of time, sent twice, or too many.",
    "denied": "Calls that were not executed: the caller's role does not allow it.",
}
_CALL = ["object", "operation"]


def families(answers: Answers) -> Iterator[Metric]:
    """Yield the metric families of all objects.

    Args:
        answers: By the name of the object what it has answered, or why it has not.
    """
    known = {name: each for name, each in answers.items() if isinstance(each, Statistics)}
    yield _up(answers)
    yield _since(known)
    yield from _counters(known)
    yield _in_progress(known)
    yield _durations(known)


def _up(answers: Answers) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    up = GaugeMetricFamily("obsorb_up", "1: the object answers; 0: not.", labels=["object"])
    for name, each in answers.items():
        up.add_metric([name], float(isinstance(each, Statistics)))
    return up


def _since(known: Mapping[str, Statistics]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    since = GaugeMetricFamily(
        "obsorb_active_since_seconds",
        "When the object was activated, seconds since 1970.",
        labels=["object"],
    )
    for name, each in known.items():
        since.add_metric([name], each.since.timestamp())
    return since


def _counters(known: Mapping[str, Statistics]) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily

    for outcome, what in _OUTCOMES.items():
        name = "obsorb_calls" if outcome == "calls" else f"obsorb_calls_{outcome}"
        counter = CounterMetricFamily(name, what, labels=_CALL)
        for object_name, each in _operations(known):
            counter.add_metric([object_name, each.name], getattr(each, outcome))
        yield counter


def _in_progress(known: Mapping[str, Statistics]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    gauge = GaugeMetricFamily(
        "obsorb_calls_in_progress",
        "Calls that are executed or wait, as long-polls do.",
        labels=_CALL,
    )
    for name, each in _operations(known):
        gauge.add_metric([name, each.name], each.in_progress)
    return gauge


def _durations(known: Mapping[str, Statistics]) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    histogram = HistogramMetricFamily(
        "obsorb_call_duration_seconds",
        "Time from the request to the reply.",
        labels=_CALL,
    )
    for name, statistics in known.items():
        for each in statistics.operations:
            histogram.add_metric(
                [name, each.name], buckets(statistics.bounds_s, each.counts), each.total_s
            )
    return histogram


def buckets(bounds_s: Iterable[float], counts: Iterable[int]) -> list[tuple[str, float]]:
    """Return a histogram as Prometheus has it: each bucket counts the shorter ones, too."""
    edges = [*map(_edge, bounds_s), "+Inf"]
    return [(edge, float(count)) for edge, count in zip(edges, accumulate(counts), strict=True)]


def _edge(bound_s: float) -> str:
    return repr(float(bound_s))


def _operations(
    known: Mapping[str, Statistics],
) -> Iterator[tuple[str, OperationStatistics]]:
    for name, statistics in known.items():
        for each in statistics.operations:
            yield name, each
