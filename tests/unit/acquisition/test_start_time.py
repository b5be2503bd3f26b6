"""An acquisition begins at a given time, also when its coordinator is restarted before that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.mapping.coding import to_plain
from idl_like_interfaces.recif import RecCmds, RecStatusName
from objects.acquisition.states import Phase
from objects.data_source.components import DetectorComponent, DetectorSettings
from tests.support.daq import Bench
from tests.support.eventually import eventually
from tests.support.site import FakeSite

QUICK_S = 0.1


@pytest.fixture
def cameras(bench: Bench) -> Iterator[dict[str, RecCmds]]:
    """Put two real detectors that share the coordinator's clock in the places of a and b."""
    made = {}
    for name in "ab":
        site = FakeSite(bench.data_root, name=f"cam{name}")
        site.clock = bench.site.clock
        made[name] = DetectorComponent(site, DetectorSettings(frame_count=1, shape=(8, 8)))
        made[name].recover()
        bench.site.bind(f"obs/{name}", made[name].recorder)
    yield {name: each.recorder for name, each in made.items()}
    for each in made.values():
        each.stop()


def later(bench: Bench, seconds: float = 100.0) -> datetime:
    """Return a time to come."""
    return bench.site.clock.utc() + timedelta(seconds=seconds)


def v1(bench: Bench, time: datetime, prim: str = "ab", meta: str = "m") -> str:
    """Start by version 1."""
    wanted = {"startTime": time.isoformat(), "awaitInterval": QUICK_S}
    return bench.start(prim, meta, properties=json.dumps(wanted))


def v2(bench: Bench, time: datetime) -> str:
    """Start by version 2."""
    sources: list[dict[str, Any]] = [
        {"type": "primarySource", "sourceName": each, "rrUri": f"obs/{each}"} for each in "ab"
    ]
    wanted = {"startTime": time.isoformat(), "awaitCompletionInterval": QUICK_S}
    return str(bench.daq.start_daq_v2(json.dumps({"sources": sources, **wanted})).id)


@pytest.mark.parametrize("start", [v1, v2])
def test_primary_sources_begin_at_the_time(
    bench: Bench, cameras: dict[str, RecCmds], start: Any
) -> None:
    """Not before; meanwhile it is Acquiring, and its status says when."""
    time = later(bench)
    id = start(bench, time)
    status = bench.daq.get_status(id)
    assert (status.substate, status.start_time) == ("Acquiring", time)
    assert to_plain(status)["startTime"] == time.isoformat().replace("+00:00", "Z")
    assert {each.rec_status("").status for each in cameras.values()} == {RecStatusName.INACTIVE}
    bench.site.clock.advance(101.0)
    eventually(lambda: all(each.rec_status("").start_time for each in cameras.values()))
    for camera in cameras.values():
        assert camera.rec_status("").start_time >= time  # type: ignore[operator]


def test_a_restart_before_the_time_changes_nothing(
    bench: Bench, cameras: dict[str, RecCmds]
) -> None:
    """The coordinator is not needed for it; afterwards it notices the end."""
    time = later(bench)
    id = v1(bench, time)
    bench.component.stop()
    bench.site.clock.advance(100.5)
    eventually(lambda: all(each.rec_status("").start_time for each in cameras.values()))
    bench.restart()
    assert bench.daq.get_status(id).start_time == time
    bench.site.clock.advance(10.0)
    bench.await_phase(id, Phase.STOPPED)
    assert bench.daq.get_status(id).start_time == time


def test_one_that_waits_can_be_stopped_and_aborted(
    bench: Bench, cameras: dict[str, RecCmds]
) -> None:
    """As one that records."""
    first = v1(bench, later(bench))
    bench.daq.abort_daq(first)
    assert cameras["a"].rec_status("").status is RecStatusName.ABORTED
    second = v1(bench, later(bench))
    assert not bench.daq.stop_daq(second).error
    assert cameras["a"].rec_status("").status is RecStatusName.STOPPED


def test_it_is_not_stale_while_it_waits(bench: Bench) -> None:
    """The limit of age counts from its time on."""
    id = v1(bench, later(bench, 20 * 3600), "a", "")
    bench.site.clock.advance(15 * 3600)
    bench.restart()
    assert [each.id for each in bench.daq.get_active_list()] == [id]
    bench.site.clock.advance(20 * 3600)
    bench.restart()
    assert bench.daq.get_active_list() == []


@pytest.mark.parametrize(
    ("seconds", "prim", "words"),
    [(-5.0, "a", r"5\.0 s in the past"), (100.0, "", "no primary source")],
)
def test_a_time_that_cannot_be_kept_is_refused(
    bench: Bench, seconds: float, prim: str, words: str
) -> None:
    """Before any source is asked."""
    with pytest.raises(DaqException, match=words) as refused:
        v1(bench, later(bench, seconds), prim)
    assert refused.value.remedy
    assert bench.journal == []
    assert bench.daq.get_active_list() == []


@pytest.mark.parametrize("text", ["tomorrow", "2026-11-22T12:00:00", 7])
def test_a_text_that_is_no_time_is_refused(bench: Bench, text: object) -> None:
    """By its path; a time without a zone is none."""
    with pytest.raises(DaqException, match=r"properties\.startTime"):
        bench.start(properties=json.dumps({"startTime": text}))


def test_without_a_time_it_begins_at_once(bench: Bench, tmp_path: Path) -> None:
    """The sources are told no time."""
    id = bench.start()
    assert bench.daq.get_status(id).start_time is None
