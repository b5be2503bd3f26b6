"""One sender to several loggers: each event goes to those that write its streams."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from idl_like_interfaces.clients.event_router import EventRouter, routes_of
from idl_like_interfaces.clients.event_sender import EventSender
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import LoggerState, LoggerStatus, StreamConfiguration
from objects.logger_stream.event_server import EventServerServant
from objects.logger_stream.intake import Intake
from tests.support.held_streams import HeldRuns

PATIENCE_S = 20.0


def status(name: str, *ids: int) -> LoggerStatus:
    """Return the status of a logger with streams of these ids."""
    return LoggerStatus(
        name=name,
        state=LoggerState.RUNNING,
        time=datetime.now(UTC),
        streams=[StreamConfiguration(name=f"s{each}", id=each) for each in ids],
    )


@pytest.fixture
def loggers() -> dict[str, HeldRuns]:
    """Return two loggers that share the streams 1 to 4."""
    made = {}
    for name, ids in {"one": (1, 2), "two": (3, 4)}.items():
        made[name] = HeldRuns()
        made[name].start(1, ids)
    return made


@pytest.fixture
def router(loggers: dict[str, HeldRuns]) -> Iterator[EventRouter]:
    """Return a router to both."""
    routes = routes_of({"one": status("one", 1, 2), "two": status("two", 3, 4)})
    senders = {
        name: EventSender(EventServerServant(Intake(held.runs, held.clock)), "cr1")
        for name, held in loggers.items()
    }
    with EventRouter(senders, routes) as made:
        yield made


@pytest.mark.spec("D65")
def test_streams_are_shared_without_overlap(
    loggers: dict[str, HeldRuns], router: EventRouter
) -> None:
    """Each logger gets the ids that are its own; what nobody has goes to the first."""
    for event, streams in enumerate([(1,), (3, 4), (2, 3), (9,), (), (4, 9)], 1):
        router.send(1, event, 1, streams, b"payload")
    assert router.flush(PATIENCE_S)
    assert router.wait_durable(PATIENCE_S)
    one, two = loggers["one"], loggers["two"]
    assert (one.stream(1, 1).numbers, one.stream(1, 2).numbers) == ([1], [3])
    assert (two.stream(1, 3).numbers, two.stream(1, 4).numbers) == ([2, 3], [2, 6])
    assert one.unassigned(1).numbers == [4, 5, 6]
    assert two.runs.get(1).counts[0] == 3
    assert router.finish(PATIENCE_S)


@pytest.mark.spec("D65")
def test_loggers_that_both_write_a_stream_are_refused() -> None:
    """Who routes would have to choose."""
    with pytest.raises(BadParam, match="both write the stream 2"):
        routes_of({"one": status("one", 1, 2), "two": status("two", 2, 3)})
