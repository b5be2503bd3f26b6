"""A workspace that was damaged by hand: the start tells, and goes on with the rest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.daqif import DaqException
from objects.acquisition.component import OcmComponent
from objects.acquisition.states import Phase
from objects.acquisition.store import Workspace, WorkspaceError
from objects.component.workspace_faults import WORKSPACE_DAMAGED
from tests.support.daq import Bench

ALARM = ("obs/ocm", WORKSPACE_DAMAGED)


def edited(change: Callable[[Any], Any]) -> Callable[[Path], None]:
    """Return what changes a JSON file."""

    def edit(file: Path) -> None:
        file.write_text(json.dumps(change(json.loads(file.read_text()))))

    return edit


def written(octets: bytes) -> Callable[[Path], None]:
    """Return what replaces the content of a file."""

    def write(file: Path) -> None:
        file.write_bytes(octets)

    return write


def cut(file: Path) -> None:
    """Leave one half of a file."""
    octets = file.read_bytes()
    file.write_bytes(octets[: len(octets) // 2])


def dangling(file: Path) -> None:
    """Put a link to nowhere in the place of a file."""
    file.unlink()
    file.symlink_to("nowhere")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "empty": written(b""),
    "cut": cut,
    "zeros": written(b"\0" * 4096),
    "no UTF-8": written(b'{"id": "\xe4"}'),
    "other JSON": written(b"3"),
    "another document": written(b'{"version": 2, "content": []}'),
    "nested": written(b"[" * 100_000),
    "removed": Path.unlink,
    "a dangling link": dangling,
}


def again(bench: Bench, *damage: tuple[str, Callable[[Path], None]]) -> None:
    """End the coordinator, damage files of its workspace, and start it."""
    bench.component.stop()
    bench.site.clock.advance(1)
    for name, change in damage:
        change(bench.data_root / "ocm" / name)
    bench.component = OcmComponent(bench.site, bench.settings)
    bench.boot()


def file_of(id: str, kind: str) -> str:
    """Return the name of a file in progress."""
    return f"in-progress/{id}-{kind}.json"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_list_is_made_again(bench: Bench, damage: str) -> None:
    """From the files, in the order of age; an alarm tells, until the next start."""
    ids = ["z", "a"]
    for id in ids:
        bench.start("", "m", id=id)
        bench.site.clock.advance(1)
    again(bench, ("list.json", DAMAGES[damage]))
    assert [each.id for each in bench.daq.get_active_list()] == ids
    assert json.loads((bench.data_root / "ocm" / "list.json").read_text()) == ids
    assert "list.json" in bench.site.alarms[ALARM].text
    again(bench)
    assert ALARM not in bench.site.alarms


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_status_is_made_from_the_context(bench: Bench, damage: str) -> None:
    """The acquisition goes on where it was."""
    bench.start("", "m", id="x")
    bench.start("", "n", id="y")
    again(bench, (file_of("x", "status"), DAMAGES[damage]))
    assert bench.phase("x") is Phase.ACQUIRING
    for id in ("x", "y"):
        bench.daq.stop_daq(id)
        bench.queued(id)


@pytest.mark.parametrize("damage", DAMAGES)
def test_without_its_context_one_is_lost_and_the_others_go_on(bench: Bench, damage: str) -> None:
    """It is told which; its files are kept in the archive, and its id may be used again."""
    bench.start("", "m", id="x")
    bench.start("", "n", id="y")
    again(bench, (file_of("x", "context"), DAMAGES[damage]))
    assert [each.id for each in bench.daq.get_active_list()] == ["y"]
    with pytest.raises(DaqException, match=r"cannot be read|there is no acquisition"):
        bench.daq.get_status("x")
    with pytest.raises(DaqException):
        bench.daq.stop_daq("x")
    assert "acquisition x is lost" in bench.site.alarms[ALARM].text
    bench.daq.stop_daq("y")
    bench.queued("y")
    bench.start("", "m", id="x")
    bench.daq.abort_daq("x")
    assert bench.daq.get_status("x").id == "x"


@pytest.mark.parametrize("name", ["list.json", "in-progress/x-status.json", "archive"])
def test_what_is_no_file_in_place_of_one_is_foreign(tmp_path: Path, name: str) -> None:
    """A folder in place of a file, or a file in place of a folder, refuses the start by name."""
    first = Workspace(tmp_path / "w")
    first.open()
    first.close()
    place = tmp_path / "w" / name
    if name == "archive":
        place.rmdir()
        place.touch()
    else:
        place.unlink(missing_ok=True)
        place.mkdir()
    with pytest.raises(WorkspaceError, match=name):
        Workspace(tmp_path / "w").open()


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain | {"id": "y"},
        lambda plain: plain | {"results": []},
        lambda plain: plain | {"results": [{"sourceName": "nobody"}]},
        lambda plain: plain | {"creationTime": "yesterday"},
        lambda plain: plain | {"plan": {}},
        lambda plain: plain | {"entered": [plain["entered"][0] | {"state": "StateMerging"}]},
        lambda plain: plain | {"entered": [], "keywords": 3},
    ],
)
def test_a_context_that_contradicts_itself(
    bench: Bench, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """It is whole as JSON and yet not the one of that acquisition."""
    bench.start("", "m", id="x")
    again(bench, (file_of("x", "context"), edited(change)))
    assert bench.daq.get_active_list() == []
    assert "acquisition x is lost" in bench.site.alarms[ALARM].text


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain | {"id": "y"},
        lambda plain: plain | {"substate": "Collecting"},
        lambda plain: plain | {"state": "StateUndefined", "substate": "Undefined"},
        lambda plain: plain | {"timestamp": "now"},
    ],
)
def test_a_status_that_contradicts_itself(
    bench: Bench, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """That of the context counts."""
    bench.start("", "m", id="x")
    again(bench, (file_of("x", "status"), edited(change)))
    assert bench.phase("x") is Phase.ACQUIRING


def test_files_of_a_later_version_are_read(bench: Bench) -> None:
    """Members that nobody knows are passed over: the acquisition is worth more than they."""
    bench.start("", "m", id="x")
    more = edited(lambda plain: plain | {"invented": [1]})
    again(bench, (file_of("x", "status"), more), (file_of("x", "context"), more))
    assert bench.phase("x") is Phase.ACQUIRING
    assert ALARM not in bench.site.alarms


def test_ids_of_the_list_that_are_none(bench: Bench) -> None:
    """Whatever stands in the list, nothing outside the folder is read or moved."""
    bench.start("", "m", id="x")
    ids = ["x", "x", "../x", "/etc/passwd", "", "gone", "a\0b", "y" * 5000]
    again(bench, ("list.json", edited(lambda _: ids)))
    assert [each.id for each in bench.daq.get_active_list()] == ["x"]
    assert "acquisition gone is lost" in bench.site.alarms[ALARM].text


def test_a_damaged_archive_hurts_nobody(bench: Bench) -> None:
    """What it has of one acquisition is told as damaged; removed, it is unknown."""
    for id in ("x", "y"):
        bench.start("", "m", id=id)
        bench.daq.abort_daq(id)
    archive = bench.data_root / "ocm" / "archive"
    (archive / "x-context.json").write_text("{")
    (archive / "y-status.json").write_text("{")
    with pytest.raises(DaqException, match=r"x-context\.json") as refused:
        bench.daq.get_status("x")
    assert refused.value.remedy
    assert bench.phase("y") is Phase.ABORTED
    again(bench, ("archive", shutil.rmtree))
    with pytest.raises(DaqException, match="there is no acquisition"):
        bench.daq.get_status("y")
    bench.start("", "m", id="y")
    bench.daq.abort_daq("y")
    assert bench.phase("y") is Phase.ABORTED
