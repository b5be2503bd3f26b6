"""The store of the log service."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.logs import LogQuery, StoredRecord
from objects.messaging.log_schema import APPLICATION_ID
from objects.messaging.log_select import REPLY_BYTES, take_fitting
from objects.messaging.log_store import SqliteLogStore
from tests.support.log_stores import batch, fill, make_room, record


def test_records_and_numbers_survive_a_restart(tmp_path: Path) -> None:
    """Opened again the store has all, knows duplicates, and counts on."""
    file = tmp_path / "deep" / "folder" / "log.sqlite"
    store = SqliteLogStore(file)
    store.append(batch(3, "a", "b", lost=2))
    store.close()
    store = SqliteLogStore(file)
    assert store.append(batch(3, "a", "b")) == 0
    assert store.append(batch(5, "c")) == 1
    numbered = [(each.number, each.record.text) for each in store.select(LogQuery())]
    assert [(number, text) for number, text in numbered if "lost" not in text] == [
        (2, "a"),
        (3, "b"),
        (4, "c"),
    ]
    assert store.stats().lost == 2
    store.close()


def test_stored_records_survive_the_death_of_the_process(tmp_path: Path) -> None:
    """What ``append`` has answered is there after a kill that nothing can catch."""
    program = f"""
        import os, signal
        from pathlib import Path
        from tests.unit.messaging.test_log_store import batch
        from objects.messaging.log_store import SqliteLogStore
        SqliteLogStore(Path({str(tmp_path / "log.sqlite")!r})).append(batch(1, "a", "b"))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
        timeout=50,
    )
    assert done.returncode == -9
    store = SqliteLogStore(tmp_path / "log.sqlite")
    assert store.stats().records == 2
    store.close()


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """A database with tables that are not ours is not touched."""
    file = tmp_path / "other.sqlite"
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE record (number)")
    other.close()
    before = file.read_bytes()
    with pytest.raises(BadParam, match="another program"):
        SqliteLogStore(file)
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """A path through a file says so."""
    (tmp_path / "plain").touch()
    with pytest.raises(BadParam) as refusal:
        SqliteLogStore(tmp_path / "plain" / "log.sqlite")
    assert refusal.value.field == "file"


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not bind the superuser")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    """The log service says at its start that it could not store anything."""
    tmp_path.chmod(0o500)
    with pytest.raises(BadParam):
        SqliteLogStore(tmp_path / "log.sqlite")


def test_a_reply_fits_into_a_message() -> None:
    """Long texts shorten it; one always comes."""
    long = "x" * (REPLY_BYTES // 12)
    records = [StoredRecord(number=i, record=record(long)) for i in range(10)]
    taken, is_cut = take_fitting(records)
    assert ([each.number for each in taken], is_cut) == ([0, 1], True)
    huge = [StoredRecord(number=1, record=record("x" * REPLY_BYTES))]
    assert take_fitting(huge) == (huge, False)


def test_a_full_disk_is_told_and_passes(tmp_path: Path) -> None:
    """A batch that does not fit is refused with a remedy and kept by its sender; later it fits."""
    store = SqliteLogStore(tmp_path / "log.sqlite")
    store.append(batch(1, "a"))
    fill(store)
    with pytest.raises(PersistStore, match="full") as caught:
        store.append(batch(2, *["x" * 10_000] * 20))
    assert caught.value.remedy
    assert [each.record.text for each in store.select(LogQuery())] == ["a"]
    assert "full" in store.stats().problem
    make_room(store)
    assert store.append(batch(2, *["x" * 10_000] * 20)) == 20
    assert store.stats().problem == ""
    store.close()


def test_a_store_that_was_closed_says_so(tmp_path: Path) -> None:
    """Who still asks while the service ends gets a refusal, not a failure of the database."""
    store = SqliteLogStore(tmp_path / "log.sqlite")
    store.close()
    with pytest.raises(PersistStore):
        store.append(batch(1, "a"))
    with pytest.raises(PersistStore):
        store.select(LogQuery())


OLD_SCHEMA = f"""
CREATE TABLE record (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, level INTEGER NOT NULL,
    component TEXT NOT NULL, logger TEXT NOT NULL, text TEXT NOT NULL, traceback TEXT NOT NULL);
CREATE INDEX record_time ON record (time);
CREATE TABLE sender (
    component TEXT NOT NULL, incarnation TEXT NOT NULL, next INTEGER NOT NULL,
    lost INTEGER NOT NULL, PRIMARY KEY (component, incarnation)) WITHOUT ROWID;
CREATE TABLE tally (
    component TEXT NOT NULL, level INTEGER NOT NULL, records INTEGER NOT NULL,
    PRIMARY KEY (component, level)) WITHOUT ROWID;
INSERT INTO record VALUES (1, 1772366400000000, 20, 'ocm', 'daq', 'of old', '');
INSERT INTO sender VALUES ('ocm', 'i1', 9, 7);
INSERT INTO tally VALUES ('ocm', 20, 1);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = 1;
"""


def test_a_store_of_the_first_version_goes_on(tmp_path: Path) -> None:
    """Its records, what it knows of senders and what was lost are kept."""
    file = tmp_path / "log.sqlite"
    old = sqlite3.connect(file)
    old.executescript(OLD_SCHEMA)
    old.close()
    for _ in range(2):
        store = SqliteLogStore(file)
        assert store.append(batch(8, "known")) == 0
        store.close()
    store = SqliteLogStore(file)
    assert store.append(batch(9, "new")) == 1
    assert [(each.number, each.record.text) for each in store.select(LogQuery())] == [
        (1, "of old"),
        (2, "new"),
    ]
    stats = store.stats()
    assert (stats.records, stats.lost, stats.folded, stats.removed) == (2, 7, 0, 0)
    store.close()


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """It may have what this one would destroy."""
    store = SqliteLogStore(tmp_path / "log.sqlite")
    store.close()
    newer = sqlite3.connect(tmp_path / "log.sqlite")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(BadParam, match="version"):
        SqliteLogStore(tmp_path / "log.sqlite")
