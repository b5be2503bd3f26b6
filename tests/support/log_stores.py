"""Records, batches and stores for tests of the log service."""

from __future__ import annotations

from datetime import UTC, datetime

from idl_like_interfaces.logs import LogBatch, LogLevel, LogRecord
from objects.messaging.log_store import SqliteLogStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(text: str) -> LogRecord:
    """Return a record of the component ``ocm``."""
    return LogRecord(time=NOON, level=LogLevel.INFO, component="ocm", logger="daq", text=text)


def batch(first: int, *texts: str, lost: int = 0) -> LogBatch:
    """Return a batch of the component ``ocm``."""
    records = [record(text) for text in texts]
    return LogBatch(component="ocm", incarnation="i1", first=first, records=records, lost=lost)


def fill(store: SqliteLogStore) -> None:
    """Let the file that is written take no more, as on a full disk."""
    db = store._files[-1]._writer
    assert db is not None
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")


def make_room(store: SqliteLogStore) -> None:
    """Undo ``fill``."""
    db = store._files[-1]._writer
    assert db is not None
    db.execute("PRAGMA max_page_count = 1000000")
