"""The store of log records: one SQLite file, read while it is written."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.logs import (
    LEVEL_NUMBERS,
    LogBatch,
    LogLevel,
    LogQuery,
    LogRecord,
    LogStats,
    StoredRecord,
)
from objects.messaging.glob import match_text

APPLICATION_ID = 0x6F624C47
"""Stands in the file's header and tells it from other people's databases."""

_VERSION = 1
_SCHEMA = f"""
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
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {_VERSION};
"""
_COLUMNS = "number, time, level, component, logger, text, traceback"
_TALLY = """INSERT INTO tally VALUES (?, ?, 1)
    ON CONFLICT (component, level) DO UPDATE SET records = records + 1"""
_SENDER = """INSERT INTO sender VALUES (?, ?, ?, ?) ON CONFLICT (component, incarnation)
    DO UPDATE SET next = excluded.next, lost = lost + excluded.lost"""

_LEVELS = {number: level for level, number in LEVEL_NUMBERS.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class SqliteLogStore:
    """Records of all components; any thread may call it.

    A stored batch survives a crash of the process. Readers do not hold up the writer.

    Attributes:
        file: The database.
    """

    def __init__(self, file: Path) -> None:
        """Open the database, or make it.

        Raises:
            BadParam: The folder cannot be written, or the file is something else.
        """
        self.file = file
        self._writing, self._reading = threading.Lock(), threading.Lock()
        with _refusals(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _connect(file)
            try:
                self._prepare()
                self._reader = _connect(file)
            except BaseException:
                self._writer.close()
                raise
        self._reader.create_function("folded", 1, str.casefold, deterministic=True)

    def _prepare(self) -> None:
        with self._writer as db:
            (application,) = db.execute("PRAGMA application_id").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
            (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if tables and (application, version) != (APPLICATION_ID, _VERSION):
                raise BadParam(
                    f"{self.file} is a database of another program or version",
                    field="file",
                    cause=f"application id {application:#x}, version {version}; "
                    f"wanted {APPLICATION_ID:#x}, version {_VERSION}",
                    remedy="give the log service a file of its own",
                )
            db.execute("PRAGMA journal_mode = WAL")
            if not tables:
                db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")

    def close(self) -> None:
        """Close the database."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    def append(self, batch: LogBatch) -> int:
        """Store what is new in a batch; return how many records that is.

        Raises:
            PersistStore: It cannot be written; nothing was stored.
        """
        with self._writing, _failures(self.file, "written"), self._writer as db:
            key = (batch.component, batch.incarnation)
            found = db.execute(
                "SELECT next FROM sender WHERE component = ? AND incarnation = ?", key
            ).fetchone()
            expected = found[0] if found else 1
            fresh = batch.records[max(0, expected - batch.first) :] if found else batch.records
            is_new = not found or batch.first >= expected
            if fresh or is_new:
                behind = max(batch.first + len(batch.records), expected)
                db.execute(_SENDER, (*key, behind, batch.lost if is_new else 0))
            self._insert(db, fresh)
            return len(fresh)

    def _insert(self, db: sqlite3.Connection, records: list[LogRecord]) -> None:
        rows = [_row(record) for record in records]
        db.executemany(
            "INSERT INTO record (time, level, component, logger, text, traceback)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
        db.executemany(_TALLY, [(component, level) for _, level, component, *_ in rows])

    def last(self) -> int:
        """Return the number of the newest record; 0 when there is none."""
        with self._reading, _failures(self.file, "read"):
            (last,) = self._reader.execute("SELECT max(number) FROM record").fetchone()
            return last or 0

    def select(self, query: LogQuery, *, by_number: bool = False) -> list[StoredRecord]:
        """Return matching records.

        Args:
            query: Which.
            by_number: In order of arrival instead of time; "newest" follows it.

        Raises:
            PersistStore: The store cannot be read.
        """
        with self._reading, _failures(self.file, "read"):
            where, values = self._condition(query)
            order = "number" if by_number else "time, number"
            if query.newest:
                order = ", ".join(f"{name} DESC" for name in order.split(", "))
            sql = f"SELECT {_COLUMNS} FROM record WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608 (fixed texts only)
            rows = self._reader.execute(sql, (*values, query.limit)).fetchall()
        return [_stored(row) for row in (reversed(rows) if query.newest else rows)]

    def _condition(self, query: LogQuery) -> tuple[str, list[object]]:
        parts: list[str] = ["number > ?", "level >= ?"]
        values: list[object] = [query.after, LEVEL_NUMBERS[query.level]]
        if query.since is not None:
            parts.append("time >= ?")
            values.append(_microseconds(query.since))
        if query.until is not None:
            parts.append("time < ?")
            values.append(_microseconds(query.until))
        if query.components:
            names = self._components(query.components)
            parts.append(f"component IN ({', '.join('?' * len(names))})")
            values.extend(names)
        if query.text:
            # SQLite's LIKE folds ASCII only; this knows every alphabet and no wildcards.
            parts.append("instr(folded(text), ?) > 0")
            values.append(query.text.casefold())
        return " AND ".join(parts), values

    def _components(self, globs: list[str]) -> list[str]:
        rows = self._reader.execute("SELECT DISTINCT component FROM tally").fetchall()
        return [name for (name,) in rows if any(match_text(glob, name) for glob in globs)]

    def stats(self) -> LogStats:
        """Add up what is stored."""
        with self._reading, _failures(self.file, "read"):
            tally = self._reader.execute("SELECT component, level, records FROM tally").fetchall()
            (lost,) = self._reader.execute("SELECT total(lost) FROM sender").fetchone()
            (last,) = self._reader.execute("SELECT max(number) FROM record").fetchone()
        by_level = dict.fromkeys((level.value for level in LogLevel), 0)
        by_component: dict[str, int] = {}
        for component, level, records in tally:
            by_level[_LEVELS[level].value] += records
            by_component[component] = by_component.get(component, 0) + records
        return LogStats(
            records=sum(by_component.values()),
            last=last or 0,
            lost=int(lost),
            by_level={level: count for level, count in by_level.items() if count},
            by_component=by_component,
        )


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=10.0, check_same_thread=False)
    try:
        # With WAL this survives a crash of the process; only a power cut may take the last seconds.
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def _refusals(file: Path) -> Iterator[None]:
    """Say of a file that cannot be used what is wrong with it."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise BadParam(
            f"the log service cannot use {file}: {error}",
            field="file",
            cause="the folder is missing or read-only, the disk is full, "
            "or the file is damaged or not a database",
            remedy="correct the folder's rights or the setting 'file'; "
            "a damaged file may be moved away, a new one is made then",
        ) from error


@contextmanager
def _failures(file: Path, what: str) -> Iterator[None]:
    """Say of a store that fails while it is used what to do; its senders keep their records."""
    try:
        yield
    except sqlite3.Error as error:
        raise PersistStore(
            f"the log store {file} cannot be {what}: {error}",
            cause="the disk is full, read-only or has a fault, or the service ends",
            remedy="free some space or look after the disk; components send again what waits",
        ) from error


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _row(record: LogRecord) -> tuple[int, int, str, str, str, str]:
    return (
        _microseconds(record.time),
        LEVEL_NUMBERS[record.level],
        record.component,
        record.logger,
        record.text,
        record.traceback,
    )


def _stored(row: tuple[int, int, int, str, str, str, str]) -> StoredRecord:
    number, microseconds, level, component, logger, text, traceback = row
    record = LogRecord(
        time=_EPOCH + microseconds * _MICROSECOND,
        level=_LEVELS[level],
        component=component,
        logger=logger,
        text=text,
        traceback=traceback,
    )
    return StoredRecord(number=number, record=record)
