"""What a configuration of the logger comes to."""

from __future__ import annotations

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import (
    LoggerConfiguration,
    RangeUnit,
    StreamConfiguration,
    StreamParameters,
)
from objects.logger_stream.configuration import (
    LEAST_QUEUE_BYTES,
    QUEUES_BYTES,
    built_in,
    check,
    complete,
    over,
)


def of(*streams: tuple[str, int], **more: object) -> LoggerConfiguration:
    """Return a configuration with streams of these names and ids."""
    made = [StreamConfiguration(name=name, id=id) for name, id in streams]
    return LoggerConfiguration(streams=made, **more)  # type: ignore[arg-type]


def test_what_is_not_said_comes_from_below() -> None:
    """Field by field; a zero is said."""
    found = over(
        StreamParameters(range_grace_s=0.0, max_events=5),
        StreamParameters(range_grace_s=9.0, max_bytes=1 << 30),
    )
    assert (found.range_grace_s, found.max_events, found.max_bytes) == (0.0, 5, 1 << 30)


def test_every_parameter_is_said_in_the_end() -> None:
    """But for the limits that there need not be."""
    given = of(("a", 1), defaults=StreamParameters(range_unit=RangeUnit.EVENT))
    found = complete(given, StreamParameters(sync_period_s=2.0), ["runs"])
    parameters = found.streams[0].parameters
    assert (parameters.range_unit, parameters.sync_period_s) == (RangeUnit.EVENT, 2.0)
    assert parameters.volumes == ["runs"]
    unsaid = {name for name in parameters.__struct_fields__ if getattr(parameters, name) is None}
    assert unsaid == {"max_events", "max_s"}


@pytest.mark.parametrize("streams", [1, 16, 100, 1024, 4096])
def test_queues_have_a_bound_together(streams: int) -> None:
    """The more streams, the smaller they are."""
    size = built_in(streams, ()).queue_bytes
    assert size is not None
    assert size == LEAST_QUEUE_BYTES or streams * size <= QUEUES_BYTES


@pytest.mark.parametrize(
    ("configuration", "field", "said"),
    [
        (of(("a", 1), ("b", 2), ("A", 3)), "c.streams[2].name", "c.streams[0]"),
        (of(("a", 1), ("b", 2), ("d", 2)), "c.streams[2].id", "'b'"),
        (of(("a", 1), min_free_warning=0.01), "c.minFreePause", "minFreeWarning"),
        (of(("a", 1), min_free_close=0.09), "c.minFreeClose", "minFreePause"),
    ],
)
def test_contradictions_are_refused(
    configuration: LoggerConfiguration, field: str, said: str
) -> None:
    """With the path of the field, what was found, and what to do."""
    with pytest.raises(BadParam) as caught:
        check(configuration, "c")
    assert caught.value.field == field
    assert said in caught.value.message
    assert caught.value.remedy


def test_equal_thresholds_are_no_contradiction() -> None:
    """They are reached together."""
    check(of(("a", 1), min_free_warning=0.1, min_free_pause=0.1, min_free_close=0.1))
