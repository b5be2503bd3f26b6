"""A coordinator that was ended takes up its acquisitions again."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import STATUS_TOPIC, DaqException
from idl_like_interfaces.errors import BadParam, Transient
from objects.acquisition.component import OcmComponent, OcmSettings
from objects.acquisition.record import Record
from objects.acquisition.states import Phase, Trigger
from objects.acquisition.store import Workspace, WorkspaceError
from tests.support.daq import Bench
from tests.support.eventually import eventually
from tests.support.site import FakeSite

DEAD = Transient("nobody answers")
HOUR_S = 3600
QUICK = '{"awaitInterval": 0.1}'


def freeze(bench: Bench, id: str, phase: Phase, *, is_listed: bool = True) -> None:
    """Let the workspace say that the coordinator ended in a state."""
    bench.component.stop()
    workspace = Workspace(bench.data_root / "ocm")
    kept = {status.id: (status, context) for status, context in workspace.load()}
    status, context = kept[id]
    workspace.save(replace(status, state=phase.state, substate=phase.substate), context)
    if not is_listed:
        workspace.save_list([])
    bench.component = OcmComponent(bench.site, bench.settings)
    bench.boot()


def kill(bench: Bench) -> None:
    """Start again on what was on the disk before anything could be put in order."""
    workspace, kept = bench.data_root / "ocm", bench.data_root / "kept"
    shutil.copytree(workspace, kept)
    bench.component.stop()
    shutil.rmtree(workspace)
    kept.rename(workspace)
    bench.component = OcmComponent(bench.site, bench.settings)
    bench.boot()


@pytest.mark.spec("ESO-152")
def test_an_acquiring_one_goes_on(bench: Bench) -> None:
    """Killed: it is listed with the same status, and its end is noticed."""
    id = bench.start("ab", "m", properties=QUICK)
    before = bench.daq.get_status(id)
    kill(bench)
    assert bench.daq.get_active_list() == [before]
    assert bench.component.std.get_state() == "Operational;Active"
    bench.a.end()
    bench.b.end()
    assert len(bench.queued(id).sources) == 4


def test_one_that_waits_for_the_dpm_is_handed_over(bench: Bench) -> None:
    """With the results that were collected before."""
    bench.dpm.faults["*"] = DEAD
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    bench.restart()
    bench.dpm.faults.clear()
    assert len(bench.queued(id).sources) == 2


def test_one_at_the_dpm_is_followed_again(bench: Bench) -> None:
    """What has happened in the meantime is asked for."""
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    bench.queued(id)
    bench.dpm.tell = lambda _: None
    bench.dpm.go(id, Phase.COLLECTING, Phase.MERGING)
    bench.restart()
    bench.await_phase(id, Phase.MERGING)


@pytest.mark.parametrize("phase", [Phase.NOT_STARTED, Phase.STARTING])
def test_one_cut_short_in_its_start_is_aborted(bench: Bench, phase: Phase) -> None:
    """Its client never got an answer; what may have begun is ended, and an alert says why."""
    id = bench.start("a", "m", properties=QUICK)
    freeze(bench, id, phase)
    status = bench.await_phase(id, Phase.ABORTED)
    assert status.error
    assert "coordinator ended in" in status.message
    assert "rec_abort" in bench.a.calls
    assert "abort_daq" in bench.m.calls


def test_one_cut_short_in_its_stop_is_stopped(bench: Bench) -> None:
    """Who wanted the stop need not want it twice."""
    id = bench.start("a", "m", properties=QUICK)
    freeze(bench, id, Phase.STOPPING)
    assert len(bench.queued(id).sources) == 2
    assert not bench.daq.get_status(id).error


def test_one_whose_last_source_had_ended_is_stopped(bench: Bench) -> None:
    """Killed after the end was kept and before the stop had begun: nobody else would stop it."""
    bench.dpm.faults["*"] = DEAD
    id = bench.start("a", "m", properties=QUICK)
    bench.a.end()
    bench.await_phase(id, Phase.STOPPED)
    bench.dpm.faults.clear()
    bench.component.stop()
    freeze(bench, id, Phase.ACQUIRING)
    assert len(bench.queued(id).sources) == 2


def test_one_without_sources_to_acquire_is_stopped(bench: Bench) -> None:
    """Killed before it stopped by itself."""
    bench.dpm.faults["*"] = DEAD
    sources = [{"type": "fitsFile", "sourceName": "f", "location": "/f.fits"}]
    id = bench.daq.start_daq_v2(json.dumps({"sources": sources})).id
    bench.dpm.faults.clear()
    freeze(bench, id, Phase.ACQUIRING)
    assert len(bench.queued(id).sources) == 2


def test_one_cut_short_in_its_abort_is_aborted(bench: Bench) -> None:
    """Without an error, when all obey."""
    id = bench.start("a", "m", properties=QUICK)
    freeze(bench, id, Phase.ABORTING)
    assert not bench.await_phase(id, Phase.ABORTED).error


def test_an_id_that_is_in_use_is_not_made_again(bench: Bench) -> None:
    """Also after a restart, and with a clock that was set back meanwhile."""
    first = bench.start("", "m")
    bench.restart()
    second = bench.start("", "n")
    assert second != first
    assert {each.id for each in bench.daq.get_active_list()} == {first, second}


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.STOPPING, Phase.ABORTING])
def test_a_source_that_is_gone_leaves_it_to_a_command(bench: Bench, phase: Phase) -> None:
    """An alert says which source, and nobody else has to wait for it."""
    id = bench.start("a", "m", properties=QUICK)
    bench.a.faults["*"] = DEAD
    freeze(bench, id, phase)
    other = bench.start("b", "n")
    eventually(lambda: "source a" in bench.daq.get_status(id).message)
    stays = Phase.STOPPING if phase is Phase.STOPPING else Phase.ABORTING
    eventually(lambda: bench.phase(id) is stays)
    assert bench.phase(other) is Phase.ACQUIRING
    bench.daq.force_abort_daq(id)
    assert bench.phase(id) is Phase.ABORTED


@pytest.mark.spec("ESO-153", "ESO-154")
@pytest.mark.parametrize(
    ("merging", "limit_h", "setting"),
    [
        (False, 14, ""),
        (True, 48, ""),
        (False, 60, "stale_acquiring_hours"),
        (True, 2.5, "stale_merging_hours"),
    ],
)
def test_stale_ones_are_archived(
    bench: Bench, limit_h: float, setting: str, *, merging: bool
) -> None:
    """After 14 h with the sources, after 48 h with the DPM, or as configured; not before."""
    bench.settings = replace(bench.settings, **({setting: limit_h} if setting else {}))
    bench.dpm.faults["*"] = DEAD
    id = bench.start("", "m")
    if merging:
        bench.daq.stop_daq(id)
    bench.site.clock.advance(limit_h * HOUR_S - 1)
    bench.restart()
    assert [each.id for each in bench.daq.get_active_list()] == [id]
    bench.site.clock.advance(2)
    bench.restart()
    assert bench.daq.get_active_list() == []
    status = bench.daq.get_status(id)
    assert (status.id, status.error, status.alerts[-1].id) == (id, True, "stale")
    assert f"given up in {status.state}/{status.substate}" in status.message
    assert status.alerts[-1].remedy
    assert [body for topic, body in bench.site.events if topic == STATUS_TOPIC][-1] == status
    assert bench.daq.get_story(id).alerts[-1].alert == status.alerts[-1]
    assert bench.component.std.get_state() == "Operational;Idle"


def test_an_unexpected_end_of_resuming_is_told(bench: Bench) -> None:
    """A fault of our own in the interrupted stop: the operator sees it and stops again."""
    id = bench.start("a")
    bench.a.faults["*"] = DEAD
    with pytest.raises(DaqException):
        bench.daq.stop_daq(id)
    bench.a.faults["*"] = ZeroDivisionError("a fault")
    bench.restart()
    eventually(lambda: "ZeroDivisionError: a fault" in bench.daq.get_status(id).message)
    assert "could not be finished" in bench.daq.get_status(id).message
    bench.a.faults.clear()
    assert not bench.daq.stop_daq(id).error
    assert bench.daq.get_status(id).alerts == []


@pytest.mark.spec("ESO-157")
def test_files_move_to_the_archive(bench: Bench) -> None:
    """Two files in progress, then two in the archive, and the id leaves the list."""
    workspace = bench.data_root / "ocm"
    id = bench.start()
    names = [f"{id}-context.json", f"{id}-status.json"]
    assert sorted(path.name for path in (workspace / "in-progress").iterdir()) == names
    assert json.loads((workspace / "list.json").read_text()) == [id]
    assert json.loads((workspace / "in-progress" / names[1]).read_text())["fileId"] == id
    bench.daq.abort_daq(id)
    assert sorted(path.name for path in (workspace / "archive").iterdir()) == names
    assert list((workspace / "in-progress").iterdir()) == []
    assert json.loads((workspace / "list.json").read_text()) == []


@pytest.mark.spec("ESO-155")
@pytest.mark.parametrize("foreign", ["notes.txt", "in-progress/x.fits"])
def test_foreign_files_are_refused(tmp_path: Path, foreign: str) -> None:
    """The message names the file; nothing is touched."""
    file = tmp_path / "ocm" / foreign
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    component = OcmComponent(FakeSite(tmp_path, "ocm"), OcmSettings(instrument_id="T"))
    with pytest.raises(BadParam, match=file.name):
        component.recover()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


@pytest.mark.spec("ESO-156", "ESO-159")
@pytest.mark.parametrize("absolute", [False, True])
def test_the_workspace_is_made_where_it_is_wanted(tmp_path: Path, *, absolute: bool) -> None:
    """Relative to the data root or absolute, with its parents and the mode 0774."""
    wanted = tmp_path / ("other" if absolute else "root") / "deep" / "workspace"
    setting = str(wanted) if absolute else "deep/workspace"
    site = FakeSite(tmp_path / "root", "ocm")
    component = OcmComponent(site, OcmSettings(instrument_id="T", workspace=setting))
    component.recover()
    component.stop()
    assert stat.S_IMODE(wanted.stat().st_mode) == 0o774
    assert (wanted / "list.json").exists()


def test_a_workspace_has_one_owner(bench: Bench) -> None:
    """A second process is refused, until the first has ended."""
    other = Workspace(bench.data_root / "ocm")
    with pytest.raises(WorkspaceError, match="in use"):
        other.open()
    bench.component.stop()
    other.open()
    other.close()


def test_leavings_of_a_crash_are_brought_into_order(bench: Bench) -> None:
    """A half written file goes; what was kept and not listed yet goes on."""
    id = bench.start("", "m")
    bench.component.stop()
    workspace = bench.data_root / "ocm"
    (workspace / ".list.json.x.part").write_text("[")
    (workspace / "list.json").write_text("[]")
    bench.component = OcmComponent(bench.site, bench.settings)
    bench.boot()
    assert not list(workspace.glob(".*.part"))
    assert [each.id for each in bench.daq.get_active_list()] == [id]
    assert json.loads((workspace / "list.json").read_text()) == [id]


def test_one_that_was_not_listed_yet_ends_as_aborted(bench: Bench) -> None:
    """Killed between the first status and the list: it has no state that it never leaves."""
    id = bench.start("", "m")
    freeze(bench, id, Phase.NOT_STARTED, is_listed=False)
    bench.await_phase(id, Phase.ABORTED)


def test_a_disk_that_fails_later_is_an_alert(bench: Bench) -> None:
    """The acquisition goes on in memory, and the alert goes with the repair."""
    id = bench.start("", "m")
    folder = bench.data_root / "ocm" / "in-progress"
    folder.rename(folder.with_name("gone"))
    bench.daq.update_keywords(id, '[{"type": "literalKeyword", "value": "COMMENT a"}]')
    assert "workspace cannot be written" in bench.daq.get_status(id).message
    folder.with_name("gone").rename(folder)
    bench.daq.update_keywords(id, "[]")
    assert bench.daq.get_status(id).message == "[]"


def test_a_transition_that_does_not_exist_is_a_bug(bench: Bench) -> None:
    """It is not swallowed."""
    record: Record = bench.component.coordinator.find(bench.start()).record
    with pytest.raises(ValueError, match="queued"):
        record.move(Trigger.QUEUED)


@pytest.mark.spec("ESO-027")
def test_without_autostart_it_waits_for_its_commands(bench: Bench) -> None:
    """Refused before init and enable; then it works."""
    bench.component.stop()
    bench.settings = replace(bench.settings, autostart=False)
    bench.component = OcmComponent(bench.site, bench.settings)
    bench.boot()
    with pytest.raises(DaqException, match="NotReady") as refused:
        bench.start()
    assert "obsorb std init" in refused.value.remedy
    bench.component.std.init()
    bench.component.std.enable()
    id = bench.start()
    eventually(lambda: bench.phase(id) is Phase.ACQUIRING)
    assert bench.component.detail() == "1 acquisition in progress"
    assert [each.path for each in bench.component.objects()] == ["ocm/daq", "ocm/std"]
