"""The store of the log service."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.logs import LogBatch, LogLevel, LogQuery, LogRecord, StoredRecord
from objects.messaging.log_service import REPLY_BYTES, fitting
from objects.messaging.log_store import SqliteLogStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(text: str) -> LogRecord:
    """Return a record of the component ``ocm``."""
    return LogRecord(time=NOON, level=LogLevel.INFO, component="ocm", logger="daq", text=text)


def batch(first: int, *texts: str, lost: int = 0) -> LogBatch:
    """Return a batch of the component ``ocm``."""
    records = [record(text) for text in texts]
    return LogBatch(component="ocm", incarnation="i1", first=first, records=records, lost=lost)


def test_records_and_numbers_survive_a_restart(tmp_path: Path) -> None:
    """Opened again the store has all, knows duplicates, and counts on."""
    file = tmp_path / "deep" / "folder" / "log.sqlite"
    store = SqliteLogStore(file)
    store.append(batch(1, "a", "b", lost=2))
    store.close()
    store = SqliteLogStore(file)
    assert store.append(batch(1, "a", "b")) == 0
    assert store.append(batch(3, "c")) == 1
    assert [(each.number, each.record.text) for each in store.select(LogQuery())] == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
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


@pytest.mark.parametrize(
    "content", [b"this is no database, but it is long enough to be one" * 100, b"SQLite format 3\0"]
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """The refusal names the file, says what may be wrong, and leaves the file alone."""
    file = tmp_path / "log.sqlite"
    file.write_bytes(content)
    with pytest.raises(BadParam) as refusal:
        SqliteLogStore(file)
    assert str(file) in str(refusal.value)
    assert refusal.value.remedy
    assert file.read_bytes() == content


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
    """Long texts shorten it, at the end that is farther from what was asked; one always comes."""
    long = "x" * (REPLY_BYTES // 12)
    records = [StoredRecord(number=i, record=record(long)) for i in range(10)]
    assert [each.number for each in fitting(records, newest=True)] == [8, 9]
    assert [each.number for each in fitting(records, newest=False)] == [0, 1]
    huge = [StoredRecord(number=1, record=record("x" * REPLY_BYTES))]
    assert fitting(huge, newest=True) == huge


def test_a_full_disk_is_told_and_passes(tmp_path: Path) -> None:
    """A batch that does not fit is refused with a remedy and kept by its sender; later it fits."""
    store = SqliteLogStore(tmp_path / "log.sqlite")
    store.append(batch(1, "a"))
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(PersistStore, match="full") as caught:
        store.append(batch(2, *["x" * 10_000] * 20))
    assert caught.value.remedy
    assert [each.record.text for each in store.select(LogQuery())] == ["a"]
    store._writer.execute("PRAGMA max_page_count = 1000000")
    assert store.append(batch(2, *["x" * 10_000] * 20)) == 20
    store.close()


def test_a_store_that_was_closed_says_so(tmp_path: Path) -> None:
    """Who still asks while the service ends gets a refusal, not a failure of the database."""
    store = SqliteLogStore(tmp_path / "log.sqlite")
    store.close()
    with pytest.raises(PersistStore):
        store.append(batch(1, "a"))
    with pytest.raises(PersistStore):
        store.select(LogQuery())
