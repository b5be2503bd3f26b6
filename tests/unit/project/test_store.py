"""The store of all versions: nothing is lost, nothing is half written."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.project import Configuration, ProjectInformation
from objects.project.store import ProjectStore, StoredInformation

NIGHT = datetime(2026, 3, 1, 22, tzinfo=UTC)


def version(number: int, flight: str = "night 1") -> StoredInformation:
    """Return a version of the information."""
    information = ProjectInformation(
        project="X-1", operator="Anna", flight=flight, version=number, changed=NIGHT
    )
    return StoredInformation(information=information, since={"project": NIGHT})


def configuration(number: int, **document: object) -> Configuration:
    """Return a version of a configuration."""
    return Configuration(name="archiver/0", document=document, version=number, changed=NIGHT)


def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    """Information with the times of its values, and configurations."""
    file = tmp_path / "below" / "project.sqlite"
    store = ProjectStore(file)
    store.put_information(version(1))
    store.put_information(version(2, "night 2"))
    store.put_configuration(configuration(1, limit=5))
    store.close()
    again = ProjectStore(file)
    assert again.information() == version(2, "night 2")
    assert again.information(1) == version(1)
    assert again.configuration("archiver/0") == configuration(1, limit=5)
    again.close()


_PROGRAM = """
import sys, os
sys.path[:0] = {path!r}
from pathlib import Path
from tests.unit.project.test_store import ProjectStore, version
store = ProjectStore(Path({file!r}))
number = 0
while True:
    number += 1
    store.put_information(version(number))
    print(number, flush=True)
"""


@pytest.mark.timeout(120)
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """And the store can be opened again at once."""
    file = tmp_path / "project.sqlite"
    program = _PROGRAM.format(path=sys.path, file=str(file))
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    acknowledged = 0
    with process.stdout as lines:
        for line in lines:
            acknowledged = int(line)
            if acknowledged == 20:
                process.send_signal(signal.SIGKILL)
    process.wait()
    store = ProjectStore(file)
    newest = store.information()
    assert newest is not None
    assert newest.information.version in (acknowledged, acknowledged + 1)
    assert len(store.informations(1000, 0)) == newest.information.version
    store.close()


def test_a_full_disk_is_told_and_passes(tmp_path: Path) -> None:
    """Nothing is stored then; when there is space again it goes on."""
    store = ProjectStore(tmp_path / "project.sqlite")
    store.put_information(version(1))
    (pages,) = store._database._db.execute("PRAGMA page_count").fetchone()
    store._database._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(PersistStore, match="full") as refused:
        store.put_configuration(configuration(1, text="x" * 100_000))
    assert refused.value.remedy
    assert store.names() == []
    assert store.information() == version(1)
    store._database._db.execute(f"PRAGMA max_page_count = {pages + 1000}")
    store.put_configuration(configuration(1, text="x" * 100_000))
    assert store.names() == ["archiver/0"]
    store.close()


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    """It is left as it is."""
    file = tmp_path / "project.sqlite"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE cats (name TEXT)")
    other.close()
    with pytest.raises(BadParam, match="another program") as refused:
        ProjectStore(file)
    assert refused.value.field == "file"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """With what to do about it."""
    file = tmp_path / "project.sqlite"
    file.write_text("no database, and longer than a header of one: " + "x" * 4096)
    with pytest.raises(BadParam, match="cannot use") as refused:
        ProjectStore(file)
    assert "moved away" in refused.value.remedy
