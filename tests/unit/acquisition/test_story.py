"""The whole story of an acquisition, while it goes on, after its end, and while the DPM is away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daq_contributions import MOST_TOLD
from idl_like_interfaces.daqif import AlertSeverity, DaqAlert, DaqException, DaqSubstate, StoryAlert
from idl_like_interfaces.errors import Transient
from objects.acquisition.states import Phase
from objects.acquisition.story import past_alerts
from tests.support.clock import ManualClock
from tests.support.daq import Bench

TIME = ManualClock().utc()


def alert(id: str, text: str = "wrong") -> DaqAlert:
    return DaqAlert(id=id, severity=AlertSeverity.ERROR, description=text, time=TIME)


def completed(bench: Bench, id: str = "x") -> None:
    bench.start("a", "m", id=id)
    bench.daq.stop_daq(id)
    bench.await_phase(id, Phase.SCHEDULED)
    bench.dpm.go(
        id, Phase.COLLECTING, Phase.MERGING, Phase.RELEASING, Phase.COMPLETED, result="/r.fits"
    )
    bench.await_phase(id, Phase.COMPLETED)


def test_all_states_are_told_with_their_times(bench: Bench) -> None:
    """Those of the DPM too; every one but the last is over."""
    completed(bench)
    story = bench.daq.get_story("x")
    assert [each.substate for each in story.states] == [
        DaqSubstate.NOT_STARTED,
        DaqSubstate.STARTING,
        DaqSubstate.ACQUIRING,
        DaqSubstate.STOPPING,
        DaqSubstate.STOPPED,
        DaqSubstate.NOT_SCHEDULED,
        DaqSubstate.SCHEDULED,
        DaqSubstate.COLLECTING,
        DaqSubstate.MERGING,
        DaqSubstate.RELEASING,
        DaqSubstate.COMPLETED,
    ]
    assert [each.duration_s is None for each in story.states] == [False] * 10 + [True]
    assert all(each.duration_s >= 0 for each in story.states[:-1])
    assert (story.coordinator, story.status.result) == ("ocm", "/r.fits")


def test_each_source_is_told_with_what_it_made(bench: Bench, tmp_path: Path) -> None:
    """Its answer, its files with their sizes, and how many keywords."""
    made = tmp_path / "a.fits"
    made.write_bytes(b"1234567")
    bench.a.files = [str(made), "far:/data/b.fits"]
    completed(bench)
    a, m = bench.daq.get_story("x").sources
    assert (a.name, a.kind, a.reference, a.state) == ("a", "primarySource", "obs/a", "ended")
    assert a.answer.startswith("Stopped, 0 frames")
    assert [(each.path, each.size_bytes) for each in a.files] == [
        (str(made), 7),
        ("far:/data/b.fits", None),
    ]
    assert (m.kind, m.answer) == ("metadataSource", "stopped, 1 file")


def test_the_dpm_tells_its_part(bench: Bench) -> None:
    """Once it was handed over."""
    bench.start("a", id="x")
    assert bench.daq.get_story("x").making is None
    assert "get_story" not in bench.dpm.calls
    bench.daq.stop_daq("x")
    bench.await_phase("x", Phase.SCHEDULED)
    making = bench.daq.get_story("x").making
    assert making is not None
    assert making.status == bench.dpm.statuses["x"]


@pytest.mark.parametrize("is_over", [False, True])
def test_while_the_dpm_is_away_the_rest_is_told(bench: Bench, is_over: bool) -> None:
    """And that it is away; of one in progress and of one in the archive."""
    if is_over:
        completed(bench)
    else:
        bench.start("a", id="x")
        bench.daq.stop_daq("x")
        bench.await_phase("x", Phase.SCHEDULED)
    bench.dpm.faults["get_story"] = Transient("obs/dpm cannot be reached: nobody listens")
    story = bench.daq.get_story("x")
    assert story.making is None
    assert story.making_note == "the DPM cannot be asked: nobody listens"
    assert story.sources[0].state == "ended"


def test_what_the_dpm_does_not_know_is_said(bench: Bench) -> None:
    """It refuses, or has another acquisition of the same id."""
    completed(bench)
    bench.dpm.faults["get_story"] = DaqException("x was never queued", id="x")
    assert "does not tell: x was never queued" in bench.daq.get_story("x").making_note
    bench.dpm.faults.clear()
    other = replace(bench.dpm.statuses["x"], file_id="TEST.other")
    bench.dpm.statuses["x"] = other
    assert "another acquisition of that id" in bench.daq.get_story("x").making_note


def test_alerts_that_are_over_are_told(bench: Bench) -> None:
    """With the time when they were cleared; the DPM's too. They survive a restart."""
    bench.start("a", id="x")
    bench.daq.stop_daq("x")
    bench.await_phase("x", Phase.SCHEDULED)
    bench.dpm.go("x", Phase.COLLECTING, alerts=[alert("collect/a")])
    bench.dpm.go("x", Phase.COLLECTING, alerts=[alert("collect/a", "worse")])
    bench.dpm.go("x", Phase.COLLECTING)
    bench.restart()
    told = bench.daq.get_story("x").alerts
    assert [(each.alert.description, each.cleared is None) for each in told] == [
        ("wrong", False),
        ("worse", False),
    ]
    assert bench.daq.get_status("x").alerts == []


def test_past_alerts_are_bounded() -> None:
    """The last ones are kept; what goes on is none of them."""
    known: list[StoryAlert] = []
    goes_on = alert("stays")
    for number in range(MOST_TOLD + 5):
        one = alert(str(number))
        time = TIME + timedelta(seconds=number)
        known = past_alerts(known, [goes_on, one], [goes_on], time)
    assert [each.alert.id for each in known] == [str(n) for n in range(5, MOST_TOLD + 5)]


def test_an_unknown_one_has_no_story(bench: Bench) -> None:
    """Refused as everywhere."""
    with pytest.raises(DaqException, match="no acquisition"):
        bench.daq.get_story("nobody")
