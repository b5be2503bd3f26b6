"""The workspace on disk."""

from __future__ import annotations

import errno
import json
import os
import shutil
from functools import partial
from pathlib import Path

import pytest

from idl_like_interfaces.daqif import DaqSubstate
from idl_like_interfaces.errors import BadParam, PersistStore
from objects.component import atomic
from objects.products.component import DpmSettings
from objects.products.workspace import Workspace
from tests.support.products import MergerControl, make_source, running, specification


def test_a_missing_workspace_is_created(tmp_path: Path) -> None:
    """With its folders, and parents if need be."""
    workspace = Workspace(tmp_path / "a" / "b")
    workspace.open()
    assert sorted(p.name for p in workspace.root.iterdir()) == [
        ".lock",
        "archive",
        "in-progress",
        "result",
    ]
    workspace.close()


def test_foreign_content_is_refused(tmp_path: Path) -> None:
    """Nothing is written into a folder of somebody else."""
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(BadParam, match=r"not of a DPM: letters\.txt") as refused:
        Workspace(tmp_path).open()
    assert refused.value.field == "settings.workspace"
    assert refused.value.remedy
    assert [p.name for p in tmp_path.iterdir()] == ["letters.txt"]


@pytest.mark.spec("ESO-100")
def test_space_is_told_in_bytes(tmp_path: Path) -> None:
    """As the operating system counts it, not in blocks of the disk."""
    workspace = Workspace(tmp_path / "w")
    workspace.open()
    assert workspace.storage().capacity == shutil.disk_usage(tmp_path).total
    workspace.close()


def test_two_dpms_cannot_share_a_workspace(tmp_path: Path) -> None:
    """The second is refused while the first works, and may when it has gone."""
    first, second = Workspace(tmp_path), Workspace(tmp_path)
    first.open()
    with pytest.raises(BadParam, match="another DPM works"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    """The system's reason is passed on."""
    (tmp_path / "dpm").write_text("")
    with pytest.raises(BadParam, match="File exists"):
        Workspace(tmp_path / "dpm").open()


def test_a_foreign_folder_among_the_acquisitions_is_refused(
    data_root: Path, settings: DpmSettings
) -> None:
    """It is not guessed at, and the workspace is given free again."""
    stray = data_root / "dpm" / "in-progress" / "stray"
    stray.mkdir(parents=True)
    with pytest.raises(BadParam, match="is not an acquisition"), running(data_root, settings):
        pass
    stray.rmdir()
    with running(data_root, settings) as dpm:
        assert dpm.daq.get_active_daqs() == []


def test_what_a_crash_left_half_made_is_removed(data_root: Path, settings: DpmSettings) -> None:
    """A part of the queue and a folder that was never finished."""
    root = data_root / "dpm"
    (root / "in-progress" / "~A.1" / "sources").mkdir(parents=True)
    (root / ".queue.json.abc.part").write_text("[")
    with running(data_root, settings) as dpm:
        assert dpm.daq.get_active_daqs() == []
    assert list((root / "in-progress").iterdir()) == []
    assert not (root / ".queue.json.abc.part").exists()


@pytest.mark.parametrize("damage", ["missing", "cut", "names strangers"])
def test_a_damaged_queue_is_made_again_from_the_folders(
    data_root: Path, settings: DpmSettings, merger: MergerControl, damage: str
) -> None:
    """No acquisition is lost; their order is that of their times."""
    merger.hold()
    source = make_source(data_root / "a.fits")
    with running(data_root, settings) as dpm:
        for id in ("C", "A", "B"):
            dpm.daq.queue_daq(specification(id, source))
            dpm.site.clock.advance(1)
    queue = data_root / "dpm" / "queue.json"
    if damage == "missing":
        queue.unlink()
    else:
        queue.write_text('["C", "' if damage == "cut" else '["gone", "C"]')
    with running(data_root, settings) as dpm:
        assert [status.id for status in dpm.daq.get_active_daqs()] == ["C", "A", "B"]
        assert json.loads(queue.read_text()) == ["C", "A", "B"]


def test_an_id_used_again_keeps_the_older_one_beside_it(
    data_root: Path, settings: DpmSettings
) -> None:
    """The newest is found under the id, the older one gets a number."""
    source = make_source(data_root / "a.fits")
    with running(data_root, settings) as dpm:
        for file_id in ("F.1", "F.2", "F.3"):
            dpm.daq.queue_daq(specification("A", source, target={"fileId": file_id}))
            dpm.wait_until(partial(is_archived, dpm.root, file_id))
        assert dpm.daq.get_daq_status("A").file_id == "F.3"
    archive = data_root / "dpm" / "archive"
    assert sorted(p.name for p in archive.iterdir()) == ["A", "A~1", "A~2"]


def is_archived(root: Path, file_id: str) -> bool:
    status = root / "archive" / "A" / "status.json"
    return status.exists() and json.loads(status.read_text())["fileId"] == file_id


def test_a_full_disk_refuses_the_queueing(
    data_root: Path, settings: DpmSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is half queued, whichever file failed: the next attempt succeeds."""
    source = make_source(data_root / "a.fits")
    write = atomic._replace

    def no_space_for(failing: str, path: Path, content: bytes) -> None:
        if path.name == failing:
            no_space(0)
        write(path, content)

    with running(data_root, settings) as dpm:
        for failing in ("specification.json", "queue.json"):
            with monkeypatch.context() as broken:
                broken.setattr(atomic, "_replace", partial(no_space_for, failing))
                with pytest.raises(PersistStore, match="No space left"):
                    dpm.daq.queue_daq(specification("A.1", source))
            assert dpm.daq.get_active_daqs() == []
        dpm.daq.queue_daq(specification("A.1", source))
        dpm.wait("A.1", DaqSubstate.COMPLETED)


def test_a_status_that_cannot_be_written_stops_the_acquisition(
    data_root: Path,
    settings: DpmSettings,
    merger: MergerControl,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says so with an alert, which goes when the disk is well again."""
    merger.hold()
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        merger.await_started()
        with monkeypatch.context() as broken:
            broken.setattr(atomic, "_replace", lambda *_: no_space(0))
            merger.release()
            status = dpm.wait("A.1", DaqSubstate.MERGING, error=True)
        assert [alert.id for alert in status.alerts] == ["store/status"]
        merger.release()
        dpm.daq.retry_merge_daq("A.1")
        assert dpm.wait("A.1", DaqSubstate.COMPLETED).alerts == []


def no_space(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
