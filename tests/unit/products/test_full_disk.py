"""A disk that is full, in every state: nothing is lost, it is told, and goes on by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.daqif import DaqStatus, DaqSubstate
from idl_like_interfaces.errors import PersistStore
from objects.products import steps
from objects.products.component import DpmSettings
from tests.support.disk import fill, mount, small_disk
from tests.support.eventually import eventually
from tests.support.products import Dpm, MergerControl, make_source, running, specification

FRAME = bytes(1 << 20)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield the data root of a DPM, a real disk of 8 MiB."""
    with small_disk(tmp_path / "disk", "8m") as folder:
        yield folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a file of 1 MiB on another disk."""
    return make_source(tmp_path / "a.fits", FRAME)


def stuck(dpm: Dpm, substate: DaqSubstate) -> DaqStatus:
    """Wait until it stays there; each of its errors says that the disk is full, and what to do."""
    status = dpm.wait("A.1", substate, error=True)
    dpm.wait_until(lambda: dpm.job("A.1").stuck)
    for alert in status.alerts:
        assert "full" in alert.cause, alert
        assert "by itself" in alert.remedy, alert
    return status


def look_later(dpm: Dpm) -> None:
    """Let the time of a pause go by."""
    dpm.site.clock.advance(400)
    dpm.site.tick()


def check_completed(dpm: Dpm, content: bytes = b"merged:" + FRAME) -> None:
    """Wait for the whole product, announced once, in an archive that says so."""
    status = dpm.wait("A.1", DaqSubstate.COMPLETED, error=False)
    assert Path(status.result).read_bytes() == content
    archived = dpm.root / "archive" / "A.1" / "status.json"

    def is_archived() -> bool:
        look_later(dpm)
        return archived.exists() and json.loads(archived.read_text())["substate"] == "Completed"

    eventually(is_archived, "it is archived as completed")
    assert json.loads((dpm.root / "queue.json").read_text()) == []
    assert list((dpm.root / "in-progress").iterdir()) == []
    assert len([b for _, b in dpm.site.events if isinstance(b, FileFinished)]) == 1
    assert status.alerts == []


def test_while_it_is_queued(disk: Path, settings: DpmSettings, source: Path) -> None:
    """It is refused, nothing is half queued, and what was made of it takes no room."""
    with running(disk, settings) as dpm:
        ballast = fill(disk)
        for _ in range(2):
            with pytest.raises(PersistStore, match="No space left") as refused:
                dpm.daq.queue_daq(specification("A.1", source))
            assert refused.value.remedy
        assert list((dpm.root / "in-progress").iterdir()) == []
        assert dpm.daq.get_active_daqs() == []
        ballast.unlink()
        dpm.daq.queue_daq(specification("A.1", source))
        check_completed(dpm)


@pytest.mark.parametrize("by", ["itself", "command"])
def test_while_it_is_collected(disk: Path, settings: DpmSettings, source: Path, by: str) -> None:
    """No copy is begun that cannot end; with room it completes by itself or by a retry."""
    with running(disk, settings) as dpm:
        ballast = fill(disk, but=512 << 10)
        dpm.daq.queue_daq(specification("A.1", source))
        status = stuck(dpm, DaqSubstate.COLLECTING)
        assert [alert.id for alert in status.alerts] == ["collect/0_s0_a.fits"]
        assert list((dpm.root / "in-progress/A.1/sources").iterdir()) == []
        published = len(dpm.site.events)
        look_later(dpm)
        dpm.wait_until(lambda: dpm.job("A.1").stuck)
        assert [topic for topic, _ in dpm.site.events[published:]] == ["dpm/storage"]
        ballast.unlink()
        if by == "command":
            dpm.daq.retry_merge_daq("A.1")
        else:
            look_later(dpm)
        check_completed(dpm)


def test_while_it_is_merged(disk: Path, settings: DpmSettings, merger: MergerControl) -> None:
    """Before the merger starts it is looked whether its product has a place."""
    near = make_source(disk / "a.fits", FRAME)  # linked: collecting takes no room
    with running(disk, settings) as dpm:
        ballast = fill(disk, but=512 << 10)
        dpm.daq.queue_daq(specification("A.1", near))
        status = stuck(dpm, DaqSubstate.MERGING)
        assert [alert.id for alert in status.alerts] == ["merge/room"]
        assert "are needed" in status.alerts[0].description
        assert merger.pids == []
        ballast.unlink()
        look_later(dpm)
        check_completed(dpm)


def test_while_the_merger_writes(disk: Path, settings: DpmSettings, merger: MergerControl) -> None:
    """A merger that fails for want of room is tried again; nothing of its product is seen."""
    merger.set("fail", "255")
    merger.set("says", "the product cannot be written: No space left on device")
    with running(disk, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(disk / "a.fits", FRAME)))
        dpm.wait("A.1", DaqSubstate.MERGING, error=True)
        dpm.wait_until(lambda: dpm.job("A.1").stuck)
        assert list((dpm.root / "result").iterdir()) == []
        merger.clear("fail")
        look_later(dpm)
        check_completed(dpm)


@pytest.mark.system
def test_while_the_real_merger_writes(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else took the room after it had been looked at: the merger's words are understood."""
    filled: list[Path] = []

    def taken(_folder: Path, _files: object, *, in_place: bool) -> None:
        assert in_place
        filled.append(fill(disk, but=32 << 10))

    keywords = [{"type": "valueKeyword", "name": f"K{n}", "value": n} for n in range(2000)]
    document = json.loads(specification("A.1", make_source(disk / "a.fits", b"")))
    document["sources"].append({"type": "fitsKeywords", "sourceName": "k", "keywords": keywords})
    with running(disk, DpmSettings(quicklook=False)) as dpm, monkeypatch.context() as patched:
        patched.setattr(steps, "lack_of_room", taken)
        dpm.daq.queue_daq(json.dumps(document))
        status = dpm.wait("A.1", DaqSubstate.MERGING, error=True)
        dpm.wait_until(lambda: dpm.job("A.1").stuck)
        assert "No space left" in status.message
        assert list((dpm.root / "result").iterdir()) == []
        patched.undo()
        filled[0].unlink()
        eventually(lambda: tried(dpm), "it goes on")
        status = dpm.daq.get_daq_status("A.1")
        assert (status.error, Path(status.result).stat().st_size > 32 << 10) == (False, True)


def test_while_its_status_is_written(
    disk: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """It stands still with an alert, and goes on when the status is on disk."""
    merger.hold()
    near = make_source(disk / "a.fits", b"frames")
    with running(disk, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", near))
        merger.await_started()
        ballast = fill(disk)
        merger.set("nothing")  # there is no room for a product, either
        merger.release()
        dpm.wait("A.1", DaqSubstate.MERGING, error=True)
        dpm.wait_until(lambda: dpm.job("A.1").stuck)
        assert "store/status" in [alert.id for alert in dpm.daq.get_daq_status("A.1").alerts]
        merger.clear("nothing")
        merger.clear("gate")
        ballast.unlink()
        dpm.daq.retry_merge_daq("A.1")
        check_completed(dpm, b"merged:frames")


def tried(dpm: Dpm) -> bool:
    look_later(dpm)
    return dpm.daq.get_daq_status("A.1").substate is DaqSubstate.COMPLETED


def test_while_it_is_released(
    disk: Path, settings: DpmSettings, source: Path, tmp_path: Path
) -> None:
    """The receiver's disk is full: no part is left there, the others have their product."""
    with small_disk(tmp_path / "olas", "512k") as olas:
        (tmp_path / "other").mkdir()
        text = specification("A.1", source, receivers=[copied(olas), copied(tmp_path / "other")])
        with running(disk, settings) as dpm:
            dpm.daq.queue_daq(text)
            status = stuck(dpm, DaqSubstate.RELEASING)
            assert [alert.id for alert in status.alerts] == ["release/0"]
            assert list(olas.iterdir()) == []
            assert (tmp_path / "other" / "A.1.fits").exists()
            mount(olas, "remount,size=4m")
            look_later(dpm)
            check_completed(dpm)
        assert (olas / "A.1.fits").read_bytes() == b"merged:" + FRAME


def copied(folder: Path) -> dict[str, Any]:
    return {"type": "olasReceiver", "path": str(folder), "options": {"allowSymlink": False}}


def test_while_it_is_archived(disk: Path, settings: DpmSettings, source: Path) -> None:
    """It is completed for everybody; the archive says so as soon as there is room."""
    (disk / "olas").mkdir()
    receivers = [{"type": "olasReceiver", "path": str(disk / "olas")}]
    with running(disk, settings) as dpm:
        filled: list[Path] = []
        remember = dpm.component._steps._releaser._remember

        def full_after(id: str, index: int) -> None:
            remember(id, index)
            filled.append(fill(disk))

        dpm.component._steps._releaser._remember = full_after
        dpm.daq.queue_daq(specification("A.1", source, receivers=receivers))
        status = dpm.wait("A.1", DaqSubstate.COMPLETED, error=True)
        assert [alert.id for alert in status.alerts] == ["store/status"]
        assert not (dpm.root / "archive" / "A.1").exists()
        filled[0].unlink()
        dpm.site.tick()
        check_completed(dpm)


def test_after_a_restart_on_a_full_disk(disk: Path, settings: DpmSettings, source: Path) -> None:
    """It starts all the same, and completes with room."""
    with running(disk, settings) as dpm:
        ballast = fill(disk, but=512 << 10)
        dpm.daq.queue_daq(specification("A.1", source))
        stuck(dpm, DaqSubstate.COLLECTING)
        fill(disk)
    with running(disk, settings) as dpm:
        dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
        ballast.unlink()
        eventually(lambda: tried(dpm), "it goes on")
        check_completed(dpm)


def test_it_can_be_left_to_commands(disk: Path, settings: DpmSettings, source: Path) -> None:
    """With ``look_again_s`` 0."""
    with running(disk, replace(settings, look_again_s=0.0)) as dpm:
        ballast = fill(disk, but=512 << 10)
        dpm.daq.queue_daq(specification("A.1", source))
        stuck(dpm, DaqSubstate.COLLECTING)
        ballast.unlink()
        look_later(dpm)
        assert dpm.job("A.1").stuck
        dpm.daq.retry_merge_daq("A.1")
        check_completed(dpm)
