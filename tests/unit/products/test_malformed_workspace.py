"""A workspace that was damaged by hand: the start tells, and goes on with the rest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.daqif import DaqException, DaqSubstate
from idl_like_interfaces.errors import BadParam
from objects.component.workspace_faults import WORKSPACE_DAMAGED
from objects.products.component import DpmSettings
from tests.support.products import Dpm, MergerControl, make_source, running, specification

ALARM = ("obs/dpm", WORKSPACE_DAMAGED)


def written(octets: bytes) -> Callable[[Path], None]:
    """Return what replaces the content of a file."""

    def write(file: Path) -> None:
        file.write_bytes(octets)

    return write


def folder_instead(file: Path) -> None:
    """Put a folder in the place of a file."""
    file.unlink()
    file.mkdir()


def cut(file: Path) -> None:
    """Leave one half of a file."""
    octets = file.read_bytes()
    file.write_bytes(octets[: len(octets) // 2])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "empty": written(b""),
    "cut": cut,
    "zeros": written(b"\0" * 4096),
    "no UTF-8": written(b'{"id": "\xe4"}'),
    "other JSON": written(b"3"),
    "another document": written(b'{"version": 2, "content": []}'),
    "nested": written(b"[" * 100_000),
    "a folder": folder_instead,
    "removed": Path.unlink,
}


def sampled(*always: str, never: tuple[str, ...] = ()) -> list[Any]:
    """Return all damages, those that are much alike for the full counts only."""
    return [
        name if name in always else pytest.param(name, marks=pytest.mark.soak)
        for name in DAMAGES
        if name not in never
    ]


@pytest.fixture
def held(data_root: Path, settings: DpmSettings, merger: MergerControl) -> Path:
    """Return the workspace of a DPM that ended with ``A`` and ``B`` in progress."""
    merger.hold()
    with running(data_root, settings) as dpm:
        for id in ("A", "B"):
            dpm.daq.queue_daq(specification(id, make_source(data_root / f"{id}.fits")))
            dpm.site.clock.advance(1)
        merger.await_started()
    merger.release()
    merger.release()
    return data_root / "dpm"


def ids(dpm: Dpm) -> list[str]:
    """Return the ids in progress."""
    return [status.id for status in dpm.daq.get_active_daqs()]


@pytest.mark.parametrize("damage", sampled("cut", "other JSON", never=("removed", "a folder")))
def test_a_damaged_queue(held: Path, data_root: Path, settings: DpmSettings, damage: str) -> None:
    """It is made again, the alarm tells, and all acquisitions complete."""
    DAMAGES[damage](held / "queue.json")
    with running(data_root, settings) as dpm:
        assert ids(dpm) == ["A", "B"]
        assert "queue.json" in dpm.site.alarms[ALARM].text
        for id in ("A", "B"):
            dpm.wait(id, DaqSubstate.COMPLETED)
    with running(data_root, settings) as dpm:
        assert ALARM not in dpm.site.alarms


@pytest.mark.parametrize("damage", sampled("empty", "another document", never=("a folder",)))
def test_a_damaged_status_begins_again(
    held: Path, data_root: Path, settings: DpmSettings, damage: str
) -> None:
    """With a warning; the other one does not notice."""
    DAMAGES[damage](held / "in-progress" / "A" / "status.json")
    with running(data_root, settings) as dpm:
        status = dpm.wait("A", DaqSubstate.COMPLETED)
        assert [alert.id for alert in status.alerts] == ["recovery/status"]
        assert dpm.wait("B", DaqSubstate.COMPLETED).alerts == []


@pytest.mark.parametrize("document", ["specification.json", "sources.json"])
@pytest.mark.parametrize("damage", sampled("cut", "no UTF-8", "removed"))
def test_a_damaged_document_is_an_alert_and_can_be_aborted(
    held: Path, data_root: Path, settings: DpmSettings, document: str, damage: str
) -> None:
    """It waits with an error that names the file; the other one completes."""
    DAMAGES[damage](held / "in-progress" / "A" / document)
    with running(data_root, settings) as dpm:
        dpm.wait("B", DaqSubstate.COMPLETED)
        dpm.wait_until(lambda: dpm.daq.get_daq_status("A").error)
        (alert,) = dpm.daq.get_daq_status("A").alerts
        assert document in alert.description
        assert alert.remedy
        dpm.daq.abort_daq("A")
        dpm.wait("A", DaqSubstate.ABORTED)
    assert list((held / "in-progress").iterdir()) == []


def test_without_status_and_documents_it_is_lost(
    held: Path, data_root: Path, settings: DpmSettings
) -> None:
    """Told by the alarm, set aside where no id finds it, and its id may be queued again."""
    for name in ("status.json", "specification.json"):
        (held / "in-progress" / "A" / name).write_text("?")
    with running(data_root, settings) as dpm:
        assert ids(dpm) == ["B"]
        assert "acquisition A is lost" in dpm.site.alarms[ALARM].text
        with pytest.raises(DaqException, match="not known"):
            dpm.daq.get_daq_status("A")
        assert (held / "archive" / "A~1" / "sources").is_dir()
        dpm.daq.queue_daq(specification("A", data_root / "A.fits"))
        for id in ("A", "B"):
            dpm.wait(id, DaqSubstate.COMPLETED)


def test_a_folder_in_place_of_the_status_is_foreign(held: Path, data_root: Path) -> None:
    """The start is refused by its name."""
    folder_instead(held / "in-progress" / "A" / "status.json")
    with pytest.raises(BadParam, match=r"status\.json is a folder"), running(data_root):
        pass


def test_a_folder_that_is_gone_is_told(held: Path, data_root: Path, settings: DpmSettings) -> None:
    """The queue remembers that there was something."""
    shutil.rmtree(held / "in-progress" / "A")
    with running(data_root, settings) as dpm:
        assert "acquisition A is lost" in dpm.site.alarms[ALARM].text
        dpm.wait("B", DaqSubstate.COMPLETED)


def test_a_status_of_another_acquisition_does_not_count(
    held: Path, data_root: Path, settings: DpmSettings
) -> None:
    """A folder that was copied by hand is the acquisition of its name."""
    shutil.copy(held / "in-progress" / "B" / "status.json", held / "in-progress" / "A")
    with running(data_root, settings) as dpm:
        assert ids(dpm) == ["A", "B"]
        for id in ("A", "B"):
            assert dpm.wait(id, DaqSubstate.COMPLETED).file_id == id


def test_a_status_of_a_later_version_is_read(
    held: Path, data_root: Path, settings: DpmSettings
) -> None:
    """Members that nobody knows are passed over."""
    file = held / "in-progress" / "A" / "status.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"invented": {}}))
    with running(data_root, settings) as dpm:
        assert dpm.wait("A", DaqSubstate.COMPLETED).alerts == []


@pytest.mark.parametrize("folder", ["result", "archive", "in-progress/A/logs"])
def test_folders_that_were_removed_are_made_again(
    held: Path, data_root: Path, settings: DpmSettings, folder: str
) -> None:
    """All that is in progress completes."""
    shutil.rmtree(held / folder)
    with running(data_root, settings) as dpm:
        for id in ("A", "B"):
            dpm.wait(id, DaqSubstate.COMPLETED)


def test_an_archive_that_was_damaged_hurts_nobody(data_root: Path, settings: DpmSettings) -> None:
    """Unreadable there means unknown; the same may be queued again under its id."""
    source = make_source(data_root / "a.fits")
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A", source))
        result = Path(dpm.wait("A", DaqSubstate.COMPLETED).result)
        dpm.wait_until((dpm.root / "archive" / "A" / "status.json").exists)
        (dpm.root / "archive" / "A" / "status.json").write_text("{")
        with pytest.raises(DaqException, match="not known"):
            dpm.daq.get_daq_status("A")
        result.unlink()
        dpm.daq.queue_daq(specification("A", source))
        assert dpm.wait("A", DaqSubstate.COMPLETED).alerts == []
