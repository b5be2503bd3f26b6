"""The dashboard as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.dashboard.snapshot import ChannelLine, Snapshot, Trouble
from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.daqif import DaqSubstate
from tests.unit.controller.pictures import NOON, acquisition, component, draw, installation

SIZES = [(80, 24), (120, 40), (200, 50), (60, 16)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_frame_fills_the_terminal_and_never_wraps(width: int, height: int) -> None:
    """Whatever the size, there are that many lines, none wider than the terminal."""
    lines = draw(installation(), width, height).splitlines()
    assert len(lines) == height
    assert max(map(len, lines)) <= width


@given(width=st.integers(40, 260), height=st.integers(12, 80))
def test_any_size_can_be_drawn(width: int, height: int) -> None:
    """No size makes it fail or overflow."""
    lines = draw(installation(), width, height).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50)])
def test_all_that_matters_is_seen(width: int, height: int) -> None:
    """Components with lease and pid, acquisitions with progress, events, newest log lines."""
    picture = draw(installation(), width, height)
    for text in ("dcs1", "running", "5.2s", "4711", "Acquiring", "██", "7.0/s", "record number 59"):
        assert text in picture, text


def test_wide_terminal_shows_names_and_busiest_topics() -> None:
    """With room there is more: every bound name, the counts of the topics."""
    wide = draw(installation(), 200, 50)
    assert "obs/dpm/dpm/daq" in wide
    assert "component/heartbeat 1200" in wide
    assert "obs/dpm/dpm/daq" not in draw(installation(), 80, 24)


def test_small_terminal_keeps_the_newest_log_lines() -> None:
    """The log gives way from its old end."""
    picture = draw(installation(), 80, 24)
    assert "record number 59" in picture
    assert "record number 20" not in picture


def test_failed_acquisition_shows_mark_and_message() -> None:
    """An error is marked, and the alert stands below."""
    failed = acquisition(3, DaqSubstate.MERGING, error=True, message="[disk full]")
    picture = draw(installation(acquisitions=(failed,)), 80, 24)
    assert "! STIS" in picture
    assert "[disk full]" in picture


def test_ended_acquisition_shows_its_product() -> None:
    """The path of a product is there; a long one is cut where it says least."""
    done = acquisition(2, DaqSubstate.COMPLETED, result="/data/" + "x" * 90 + "/STIS.fits")
    picture = draw(installation(acquisitions=(done,)), 80, 24)
    assert "x/STIS.fits" in picture
    assert "…" in picture


def test_acquisitions_that_do_not_fit_are_counted() -> None:
    """Nothing disappears without a word."""
    many = tuple(acquisition(number, DaqSubstate.ACQUIRING) for number in range(30))
    picture = draw(installation(acquisitions=many), 80, 24)
    shown = picture.count("Acquiring")
    assert shown >= 1
    assert f"and {30 - shown} more" in picture


def test_components_that_do_not_fit_are_counted() -> None:
    """Nothing disappears without a word."""
    many = tuple(component(f"source{number:02}") for number in range(40))
    picture = draw(installation(components=many), 80, 24)
    assert "and " in picture
    assert " more" in picture


def test_silent_component_is_named_so() -> None:
    """A component whose heartbeats stopped is not shown as running."""
    picture = draw(installation(components=(component("ocm", silent_s=9.0),)), 80, 24)
    assert "silent" in picture
    assert "running" not in picture


def test_component_without_heartbeat_or_lease_is_shown() -> None:
    """What is not known is shown as not known."""
    unknown = component("ocm", state=None, silent_s=None, uptime_s=None, lease_s=None, pid=0)
    line = next(
        x for x in draw(installation(components=(unknown,)), 80, 24).splitlines() if "ocm" in x
    )
    assert "?" in line
    assert "none" in line


def test_component_in_error_is_shown() -> None:
    """The state of the heartbeat is what is shown."""
    failed = component("ocm", state=ComponentState.ERROR)
    assert "error" in draw(installation(components=(failed,)), 80, 24)


def test_lost_name_server_is_told_with_the_time() -> None:
    """Away, for how long, and why; the rest stays as it was last seen."""
    trouble = Trouble(what="name server localhost:9090", since_s=72.0, why="Connection refused")
    picture = draw(installation(troubles=(trouble,)), 80, 24)
    assert "name server localhost:9090 away for 1m12s" in picture
    assert "Connection refused" in picture
    assert "dcs1" in picture
    assert len(picture.splitlines()) == 24


def test_lost_events_are_told() -> None:
    """Consumers that lost events are shown in capitals."""
    channel = ChannelLine(events=10, events_per_s=1.0, history=(1.0,), dropped=4)
    assert "4 LOST" in draw(installation(channel=channel), 80, 24)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50)])
def test_empty_installation_says_what_is_missing(width: int, height: int) -> None:
    """Before anything was heard each panel says so."""
    picture = draw(Snapshot(time=NOON, name_server="localhost:9090", root="obs"), width, height)
    for text in ("no component", "none yet", "not reached yet", "no log records yet"):
        assert text in picture, text
