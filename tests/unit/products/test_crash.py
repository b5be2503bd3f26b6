"""Starting again after a crash, at whatever moment it came."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.daqif import DaqSubstate
from objects.component import atomic
from objects.products import product, transfer, workspace
from objects.products.component import DpmSettings
from tests.support.products import MergerControl, make_source, running, specification


class Snapshots:
    """Copies the workspace each time before something is made durable."""

    def __init__(self, data_root: Path, target: Path) -> None:
        self._data_root = data_root
        self._target = target
        self.taken: list[Path] = []

    def take(self, folder: Path) -> None:
        copy = self._target / str(len(self.taken))
        shutil.copytree(self._data_root / "dpm", copy / "dpm", symlinks=True)
        self.taken.append(copy)
        _SYNC(folder)


_SYNC: Callable[[Path], None] = atomic.fsync_folder


@pytest.fixture
def snapshots(data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Snapshots:
    """Take a snapshot whenever a folder is brought to disk."""
    taken = Snapshots(data_root, tmp_path / "snapshots")
    for module in (atomic, workspace, transfer, product):
        monkeypatch.setattr(module, "fsync_folder", taken.take)
    return taken


@pytest.mark.spec("ESO-096")
def test_it_completes_from_whatever_a_crash_left(
    data_root: Path, settings: DpmSettings, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every state of the disk on the way leads to the one product, announced."""
    olas = data_root / "olas"
    olas.mkdir()
    text = specification(
        "A.1",
        make_source(data_root / "b.fits", b"two"),
        target={
            "source": {
                "type": "fitsFile",
                "sourceName": "t",
                "location": str(make_source(data_root / "a.fits", b"one,")),
            }
        },
        receivers=[{"type": "olasReceiver", "path": str(olas)}],
    )
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(text)
        dpm.wait("A.1", DaqSubstate.COMPLETED)
    monkeypatch.undo()
    assert len(snapshots.taken) > 12
    for left in snapshots.taken:
        finish_what_was_left(left, settings, text)
        assert (olas / "A.1.fits").read_bytes() == b"merged:one,two"


def finish_what_was_left(left: Path, settings: DpmSettings, text: str) -> None:
    had_ended = (left / "dpm" / "archive" / "A.1").exists()
    with running(left, settings) as dpm:
        dpm.daq.queue_daq(text)  # a client that got no answer asks again
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
        announced = [b for _, b in dpm.site.events if isinstance(b, FileFinished)]
        was_announced = not announced and dpm.job("A.1").announced
    assert Path(status.result) == left / "dpm" / "result" / "A.1.fits"
    assert Path(status.result).read_bytes() == b"merged:one,two"
    assert announced or was_announced or had_ended
    assert json.loads((left / "dpm" / "queue.json").read_text()) == []
    assert list((left / "dpm" / "in-progress").iterdir()) == []
    assert [p.name for p in (left / "dpm" / "archive").iterdir()] == ["A.1"]


@pytest.mark.spec("ESO-096")
def test_a_stuck_one_is_tried_again_at_the_next_start(
    data_root: Path, settings: DpmSettings
) -> None:
    """After the repair no command is needed."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", data_root / "late.fits"))
        dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
    make_source(data_root / "late.fits")
    with running(data_root, settings) as dpm:
        assert dpm.wait("A.1", DaqSubstate.COMPLETED).error is False


def test_an_abort_goes_on_after_a_crash(
    data_root: Path, settings: DpmSettings, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it was Aborting on disk it ends Aborted."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", data_root / "missing.fits"))
        dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
        before = len(snapshots.taken)
        dpm.daq.abort_daq("A.1")
        dpm.wait("A.1", DaqSubstate.ABORTED)
    monkeypatch.undo()
    for left in snapshots.taken[before:]:
        with running(left, settings) as dpm:
            dpm.wait("A.1", DaqSubstate.ABORTED)


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_status_begins_again_and_says_so(
    data_root: Path, settings: DpmSettings, damage: str
) -> None:
    """The documents are there, so nothing is lost."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", data_root / "late.fits"))
        dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
    status = data_root / "dpm" / "in-progress" / "A.1" / "status.json"
    if damage == "missing":
        status.unlink()
    else:
        status.write_text(status.read_text()[:40])
    make_source(data_root / "late.fits")
    with running(data_root, settings) as dpm:
        alerts = dpm.wait("A.1", DaqSubstate.COMPLETED).alerts
    assert [alert.id for alert in alerts] == ["recovery/status"]


_VICTIM = """
import sys, threading
from pathlib import Path
from objects.products.component import DpmSettings
from tests.support.products import Dpm
from tests.support.site import FakeSite
root, command, text = sys.argv[1:]
dpm = Dpm(FakeSite(Path(root), name="dpm"), DpmSettings(bin_merge=command))
dpm.component.recover()
dpm.component.start()
dpm.daq.queue_daq(text)
threading.Event().wait()
"""


@pytest.mark.system
def test_kill_9_ends_the_merger_too_and_the_next_start_completes(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """Nothing is left running, and the acquisition is finished by the next process."""
    merger.hold()
    text = specification("A.1", make_source(data_root / "a.fits"))
    repository = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", _VICTIM, str(data_root), settings.bin_merge, text], cwd=repository
    ) as victim:
        pid = merger.await_started()
        end_of_merger = os.pidfd_open(pid)
        victim.send_signal(signal.SIGKILL)
    await_end(end_of_merger)
    merger.release()
    with running(data_root, settings) as dpm:
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert Path(status.result).read_bytes() == b"merged:frames"


def await_end(pidfd: int) -> None:
    import select

    ready, _, _ = select.select([pidfd], [], [], 30)
    os.close(pidfd)
    assert ready, "the merger outlived its DPM"
