"""Mergers that have said nothing for too long: told, and begun anew or given up on request."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import AlertSeverity, DaqSubstate
from objects.products.component import DpmSettings
from objects.products.silence import SILENT
from tests.support.eventually import eventually
from tests.support.products import Dpm, MergerControl, make_source, running, specification

_PROGRESS = 'say("progress", message="one of one"'

_HALF_WAY = f"""
say("progress", message="half of it", done=0, total=1)
os.read(os.open(at("gate"), os.O_RDWR), 1)
{_PROGRESS}"""


@pytest.fixture
def hanging(settings: DpmSettings, merger: MergerControl) -> DpmSettings:
    """Return settings with a merger that waits to be let go on, and warn after a minute."""
    merger.hold()
    return replace(settings, merge_silence_s=60.0)


def silent(dpm: Dpm, merger: MergerControl, source: Path) -> int:
    """Queue an acquisition whose merger says nothing for an hour; return its process id."""
    dpm.daq.queue_daq(specification("A.1", source))
    pid = merger.await_started()
    dpm.wait_until(lambda: dpm.job("A.1").substate is DaqSubstate.MERGING)
    dpm.site.clock.advance(3600)
    dpm.site.tick()
    return pid


def test_a_merger_that_says_nothing_is_told_with_what_to_do(
    data_root: Path, hanging: DpmSettings, merger: MergerControl
) -> None:
    """A warning, once; with the product it is gone."""
    with running(data_root, hanging) as dpm:
        silent(dpm, merger, make_source(data_root / "a.fits"))
        published = len(dpm.site.events)
        dpm.site.tick()
        assert [topic for topic, _ in dpm.site.events[published:]] == ["dpm/storage"]
        status = dpm.daq.get_daq_status("A.1")
        (alert,) = status.alerts
        assert (alert.id, alert.severity, status.error) == (SILENT, AlertSeverity.WARNING, False)
        assert "for more than 60 s, since 2026-" in alert.description
        assert "does not answer" in alert.cause
        assert "obsorb daq retry A.1" in alert.remedy
        assert "obsorb daq abort A.1" in alert.remedy
        merger.release()
        assert dpm.wait("A.1", DaqSubstate.COMPLETED).alerts == []


def test_one_that_speaks_again_is_not_told_any_more(
    data_root: Path, hanging: DpmSettings, merger: MergerControl
) -> None:
    """Its last words are in the warning that a second silence raises."""
    merger.script.write_text(merger.script.read_text().replace(_PROGRESS, _HALF_WAY))
    with running(data_root, hanging) as dpm:
        silent(dpm, merger, make_source(data_root / "a.fits"))
        merger.release()

        def quiet() -> bool:
            dpm.site.tick()
            return dpm.daq.get_daq_status("A.1").alerts == []

        eventually(quiet)
        dpm.site.clock.advance(61)
        dpm.site.tick()
        (alert,) = dpm.daq.get_daq_status("A.1").alerts
        assert "when it said: half of it" in alert.description
        merger.release()
        dpm.wait("A.1", DaqSubstate.COMPLETED)


def test_a_retry_ends_a_silent_merger_and_begins_anew(
    data_root: Path, hanging: DpmSettings, merger: MergerControl
) -> None:
    """One that speaks is left alone by it."""
    with running(data_root, hanging) as dpm:
        first = silent(dpm, merger, make_source(data_root / "a.fits"))
        dpm.daq.retry_merge_daq("A.1")
        second = merger.await_started()
        assert second != first
        dpm.wait_until(lambda: dpm.job("A.1").alerts == [])
        dpm.daq.retry_merge_daq("A.1")
        merger.release()
        dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert merger.pids == [first, second]


def test_a_silent_merger_can_be_given_up(
    data_root: Path, hanging: DpmSettings, merger: MergerControl
) -> None:
    """As the remedy says."""
    with running(data_root, hanging) as dpm:
        silent(dpm, merger, make_source(data_root / "a.fits"))
        dpm.daq.abort_daq("A.1")
        assert dpm.wait("A.1", DaqSubstate.ABORTED).alerts == []


def test_the_warning_of_a_dpm_that_was_killed_does_not_stay(
    data_root: Path, hanging: DpmSettings, merger: MergerControl
) -> None:
    """The next start has a merger of its own, which is not silent yet."""
    status = data_root / "dpm" / "in-progress" / "A.1" / "status.json"
    with running(data_root, hanging) as dpm:
        silent(dpm, merger, make_source(data_root / "a.fits"))
        killed = status.read_bytes()
    assert SILENT.encode() in killed
    status.write_bytes(killed)
    with running(data_root, hanging) as dpm:
        merger.await_started()
        dpm.wait_until(lambda: dpm.job("A.1").alerts == [])


def test_it_can_be_switched_off(
    data_root: Path, hanging: DpmSettings, merger: MergerControl
) -> None:
    """By 0."""
    with running(data_root, replace(hanging, merge_silence_s=0.0)) as dpm:
        silent(dpm, merger, make_source(data_root / "a.fits"))
        assert dpm.daq.get_daq_status("A.1").alerts == []
