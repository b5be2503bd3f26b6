"""The clock of the host is set while streams write: no decision and no file name goes by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from idl_like_interfaces.event_logger import FileState
from objects.logger_stream.space import Forecast, Thresholds
from objects.logger_stream.volumes import Volume
from tests.support.clock import ManualClock
from tests.support.eventually import eventually
from tests.support.streams import Bench, bench, feed, numbers_in, of_state, records

STEPS = [timedelta(hours=-1), timedelta(days=1)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Bench]:
    """Give a place for streams where time stands still."""
    with bench(tmp_path / "data") as made:
        yield made


def step(clock: ManualClock, by: timedelta) -> None:
    """Set the clock; no time passes."""
    clock.set_utc(clock.utc() + by)


@pytest.mark.parametrize("by", STEPS, ids=str)
def test_files_end_at_their_age(place: Bench, by: timedelta) -> None:
    """A file of ten seconds ends ten seconds after its begin, whatever the date says by then."""
    stream = place.stream(max_s=10.0, range_grace_s=5.0)
    feed(stream, records([1], lbn=1))
    step(place.manual, by)
    place.later(9.0)
    feed(stream, records([2], lbn=2))
    assert [each.state for each in stream.files()] == [FileState.OPEN]
    step(place.manual, by)
    place.later(2.0)
    eventually(lambda: of_state(stream, FileState.END), "the end of its age")
    feed(stream, records([3], lbn=3))
    step(place.manual, by)
    place.later(3.0)
    assert stream.files()[0].state is FileState.END
    place.later(3.0)
    eventually(lambda: stream.files()[0].state is FileState.CLOSED, "the end of its grace")
    stream.end("end of run")
    names = [Path(each.path).name for each in stream.files()]
    assert names == ["all_000000007_000.raw", "all_000000007_001.raw"]
    assert [n for each in stream.files() for n in numbers_in(each.path)] == [1, 2, 3]


@pytest.mark.parametrize("by", STEPS, ids=str)
def test_events_become_durable_in_their_time(place: Bench, by: timedelta) -> None:
    """The period of syncing is one of time that passes."""
    stream = place.stream(flush_period_s=1.0, sync_period_s=1.0)
    stream.put(records([1]))
    step(place.manual, by)
    place.later(1.5)
    eventually(lambda: stream.durable_ticket == stream.last_ticket, "it is durable")


@pytest.mark.parametrize("by", STEPS, ids=str)
def test_the_forecast_and_the_rest_of_a_volume_go_on(tmp_path: Path, by: timedelta) -> None:
    """A volume that failed is tried again after the same time; the forecast is as before."""
    clock = ManualClock()
    volume = Volume(tmp_path, clock)
    volume.look(Thresholds())
    volume.failed(OSError(5, "it failed"))
    step(clock, by)
    at_once = volume.is_usable
    clock.advance(2.0)
    assert (at_once, volume.is_usable) == (False, True)
    forecast = Forecast()
    for free in (1000, 900, 800):
        forecast.add(clock.monotonic(), free)
        step(clock, by)
        clock.advance(10.0)
    assert forecast.full_in_s(0.0) == pytest.approx(80.0)
