"""One file of the log store: an SQLite database, read while it is written."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from idl_like_interfaces.logs import LogBatch, LogQuery, LogRecord
from objects.messaging.log_limits import FileFacts
from objects.messaging.log_loss import find_loss, tell_loss
from objects.messaging.log_schema import Seed, SenderRow, prepare
from objects.messaging.log_select import (
    COLUMNS,
    Page,
    microseconds,
    moment,
    row_of,
    select,
    teach,
)

MOST_SENDERS = 10_000
"""Starts of components that a new file remembers, the latest; an older one that sends again is
taken for new."""

_PAGES_IN_WAL = 500

_INSERT = f"INSERT INTO record ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (fixed texts only)
_TALLY = """INSERT INTO tally VALUES (?, ?, ?, ?) ON CONFLICT (component, level)
    DO UPDATE SET records = records + excluded.records, folded = folded + excluded.folded"""
_SENDER = """INSERT INTO sender VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (component, incarnation)
    DO UPDATE SET next = excluded.next, lost = lost + excluded.lost,
    stored = stored + excluded.stored, seen = excluded.seen"""
_SENDERS = "SELECT * FROM sender ORDER BY seen DESC LIMIT ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a file holds.

    Attributes:
        records: How many.
        first: Number of the first; of an empty file, of the one that is to come.
        last: Number of the last; before the first, when there is none.
        oldest: Time of the oldest record; ``None``: there is none.
        newest: The same of the newest.
        before: Records that were stored before this file.
        lost: Records that were lost on the way, from the first file on.
        made_s: When it was made, seconds since 1970.
        tally: For each component and level, records and for how many more they stand.
    """

    records: int
    first: int
    last: int
    oldest: datetime | None
    newest: datetime | None
    before: int
    lost: int
    made_s: float
    tally: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)


class LogFile:
    """A file of the store; any thread may read, one at a time may write.

    The newest file of a store is written; the others are closed for writing (``seal``).

    Args:
        path: Where it is, or will be.
        seed: What a new one begins with.
        is_written: It is the one that is written.

    Attributes:
        path: Where it is.

    Raises:
        BadParam: It is the database of another program.
        sqlite3.Error: It is damaged, or cannot be opened.
    """

    def __init__(self, path: Path, seed: Seed, *, is_written: bool) -> None:
        self.path = path
        self._reading = threading.Lock()
        self._sealed: Contents | None = None
        self._closed_s = 0.0
        self._writer: sqlite3.Connection | None = _connect(path)
        try:
            prepare(self._writer, path, seed)
            if is_written:
                self._writer.execute("PRAGMA journal_mode = WAL")
            self._reader: sqlite3.Connection | None = _connect(path)
            teach(self._reader)
            self.contents()
        except BaseException:
            self.close()
            raise
        if not is_written:
            self.seal()

    def append(self, batch: LogBatch, service: str, now: datetime) -> int:
        """Store what is new in a batch, and tell in a record of its own what is missing before it.

        Returns:
            How many were new.

        Raises:
            sqlite3.Error: Nothing was stored.
        """
        assert self._writer is not None
        with self._writer as db:
            key = (batch.component, batch.incarnation)
            found = db.execute(
                "SELECT next FROM sender WHERE component = ? AND incarnation = ?", key
            ).fetchone()
            expected = found[0] if found else 1
            fresh = batch.records[max(0, expected - batch.first) :] if found else batch.records
            is_new = not found or batch.first >= expected
            loss = find_loss(batch, expected if found else None) if is_new else None
            if fresh or is_new:
                behind = max(batch.first + len(batch.records), expected)
                lost = loss.count if loss else 0
                db.execute(_SENDER, (*key, behind, lost, len(fresh), microseconds(now)))
            if loss is not None:
                db.execute("UPDATE fact SET value = value + ? WHERE name = 'lost'", (loss.count,))
                self._insert(db, [tell_loss(loss, service, fresh[0].time if fresh else now)])
            self._insert(db, fresh)
            return len(fresh)

    def note(self, record: LogRecord) -> None:
        """Store a record that no sender has numbered: one of the service itself."""
        assert self._writer is not None
        with self._writer as db:
            self._insert(db, [record])

    def check(self) -> None:
        """Look through all of it.

        Raises:
            sqlite3.DatabaseError: It is damaged.
        """
        assert self._writer is not None
        (said,) = self._writer.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            error = sqlite3.DatabaseError(said)
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error

    def probe(self) -> None:
        """Write, and change nothing.

        Raises:
            sqlite3.Error: It cannot be written.
        """
        assert self._writer is not None
        with self._writer as db:
            # A page that is really written: so much room must be there.
            db.execute("INSERT INTO fact VALUES ('probe', 1)")
            db.execute("DELETE FROM fact WHERE name = 'probe'")

    def _insert(self, db: sqlite3.Connection, records: list[LogRecord]) -> None:
        rows = [row_of(record) for record in records]
        db.executemany(_INSERT, rows)
        counts: Counter[tuple[str, int]] = Counter()
        folded: Counter[tuple[str, int]] = Counter()
        for _, level, component, *_, count, _ in rows:
            counts[component, level] += 1
            folded[component, level] += count - 1
        db.executemany(_TALLY, [(*key, counts[key], folded[key]) for key in counts])

    def select(self, query: LogQuery, *, by_number: bool) -> Page:
        """Return matching records, none when the file was removed meanwhile."""
        with self._reading:
            if self._reader is None:
                return Page(records=[], is_cut=False)
            return select(self._reader, query, by_number=by_number)

    def contents(self) -> Contents:
        """Return what it holds."""
        if self._sealed is not None:
            return self._sealed
        with self._reading:
            return _contents(self._open_reader())

    def last(self) -> int:
        """Return the number of the last record; before the first, when there is none."""
        if self._sealed is not None:
            return self._sealed.last
        with self._reading:
            return _last(self._open_reader())

    def senders(self) -> list[SenderRow]:
        """Return what is known of senders, the latest first."""
        with self._reading:
            return self._open_reader().execute(_SENDERS, (MOST_SENDERS,)).fetchall()

    def _open_reader(self) -> sqlite3.Connection:
        if self._reader is None:
            raise sqlite3.ProgrammingError("the file is closed")
        return self._reader

    def facts(self, now_s: float) -> FileFacts:
        """Return what decides about it."""
        contents = self.contents()
        return FileFacts(
            bytes=self.size(),
            records=contents.records,
            made_s=contents.made_s,
            closed_s=now_s if self._sealed is None else self._closed_s,
        )

    def size(self) -> int:
        """Return how many bytes it takes on disk."""
        return sum(size_of(each) for each in parts_of(self.path))

    def seal(self) -> None:
        """Close it for writing; it is one plain file then, if there is room to make it one."""
        assert self._writer is not None
        contents = self.contents()
        with self._reading:
            if self._reader is not None:
                self._reader.close()
            try:
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._writer.execute("PRAGMA journal_mode = DELETE").fetchone()
            except sqlite3.OperationalError:
                pass  # readable as it is, and tried again at the next start
            self._writer.close()
            self._writer = None
            self._reader = _connect(self.path)
            teach(self._reader)
            self._closed_s = self.path.stat().st_mtime
            self._sealed = contents

    def close(self) -> None:
        """Close it; harmless when repeated."""
        with self._reading:
            for each in (getattr(self, "_reader", None), self._writer):
                if each is not None:
                    each.close()
            self._reader = self._writer = None

    def remove(self) -> None:
        """Close it and remove it from the disk."""
        self.close()
        for each in parts_of(self.path):
            each.unlink(missing_ok=True)


def parts_of(path: Path) -> list[Path]:
    """Return the files that a database may consist of."""
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]


def size_of(path: Path) -> int:
    """Return the size of a file; 0 when it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10.0, check_same_thread=False)
    try:
        # With WAL this survives a crash of the process; only a power cut may take the last seconds.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_IN_WAL}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _last(db: sqlite3.Connection) -> int:
    (last,) = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'record'").fetchone() or (0,)
    return int(last)


def _contents(db: sqlite3.Connection) -> Contents:
    facts: dict[str, int] = dict(db.execute("SELECT name, value FROM fact").fetchall())
    tally = db.execute("SELECT component, level, records, folded FROM tally").fetchall()
    (first,) = db.execute("SELECT min(number) FROM record").fetchone()
    (oldest,) = db.execute("SELECT min(time) FROM record").fetchone()
    (newest,) = db.execute("SELECT max(time) FROM record").fetchone()
    last = _last(db)
    return Contents(
        records=sum(records for _, _, records, _ in tally),
        first=last + 1 if first is None else first,
        last=last,
        oldest=None if oldest is None else moment(oldest),
        newest=None if newest is None else moment(newest),
        before=facts.get("before", 0),
        lost=facts.get("lost", 0),
        made_s=facts.get("made", 0) / 1e6,
        tally={
            (component, level): (records, folded) for component, level, records, folded in tally
        },
    )
