"""What Prometheus reads, as its own parser understands it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse
from prometheus_client.registry import Collector
from typing_extensions import override

from idl_like_interfaces.errors import CommFailure
from objects.metrics.exposition import Answers, buckets, families
from tests.support.statistics import SINCE, calls, statistics

ANSWERS: Answers = {
    "obs/events": statistics(
        calls("fetch", [5, 3, 0, 1, 1], in_progress=4, total_s=12.5, refused=2),
        calls("publish", [7, 0, 0, 0, 0], failed=1, dropped=2, denied=3, total_s=0.004),
    ),
    'obs/odd "name"\n': statistics(),
    "obs/dead": CommFailure("nobody there"),
}


class Fixed(Collector):
    """Gives the families of some answers."""

    @override
    def collect(self) -> Iterator[Metric]:
        return families(ANSWERS)


@pytest.fixture(params=["text", "openmetrics"])
def samples(request: pytest.FixtureRequest) -> dict[tuple[str, frozenset[str]], float]:
    """Return the values by name and labels, in both formats."""
    registry = CollectorRegistry()
    registry.register(Fixed())
    if request.param == "text":
        found = parse(generate_latest(registry).decode())
    else:
        text = openmetrics.generate_latest(registry).decode()  # type: ignore[no-untyped-call]
        found = parse_open(text)  # type: ignore[no-untyped-call]
    return {
        (each.name, frozenset(each.labels.values())): each.value
        for family in found
        for each in family.samples
    }


Samples = dict[tuple[str, frozenset[str]], float]

FETCH = frozenset({"obs/events", "fetch"})
PUBLISH = frozenset({"obs/events", "publish"})


def test_every_object_is_up_or_down(samples: Samples) -> None:
    """One that does not answer is shown with 0, whatever characters a name has."""
    up = {next(iter(labels)): v for (name, labels), v in samples.items() if name == "obsorb_up"}
    assert up == {"obs/events": 1.0, 'obs/odd "name"\n': 1.0, "obs/dead": 0.0}


def test_calls_are_counted_by_what_became_of_them(samples: Samples) -> None:
    """For each operation of each object."""
    names = ("calls", "calls_refused", "calls_failed", "calls_dropped", "calls_denied")
    found = [[samples[f"obsorb_{n}_total", each] for n in names] for each in (FETCH, PUBLISH)]
    assert found == [[10, 2, 0, 0, 0], [7, 0, 1, 2, 3]]
    assert samples["obsorb_calls_in_progress", FETCH] == 4


def test_durations_are_a_histogram(samples: Samples) -> None:
    """Its buckets count all shorter calls, the last one all."""
    name = "obsorb_call_duration_seconds"
    found = [samples[f"{name}_bucket", FETCH | {le}] for le in ("0.001", "0.01", "0.1", "1.0")]
    assert found == [5, 8, 8, 9]
    assert samples[f"{name}_bucket", FETCH | {"+Inf"}] == 10
    assert (samples[f"{name}_count", FETCH], samples[f"{name}_sum", FETCH]) == (10, 12.5)


def test_a_restart_can_be_seen(samples: Samples) -> None:
    """By the time since when an object counts."""
    found = samples["obsorb_active_since_seconds", frozenset({"obs/events"})]
    assert found == SINCE.timestamp()


def test_the_dead_have_nothing_but_their_zero(samples: Samples) -> None:
    """What was counted before is not told as if it were now."""
    assert [name for name, labels in samples if "obs/dead" in labels] == ["obsorb_up"]


def test_a_histogram_has_one_count_more_than_bounds() -> None:
    """Else it is not what it claims to be."""
    with pytest.raises(ValueError, match="shorter"):
        buckets([0.1, 1.0], [1, 2])
