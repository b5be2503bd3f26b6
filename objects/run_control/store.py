"""The store of run control: one SQLite file; what was stored survives a crash, also of the host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from objects.component.database import Database, Schema
from objects.run_control.records import RunRecord
from objects.run_control.samples import Sample

_SCHEMA = Schema(
    owner="run control",
    application_id=0x6F62726E,
    version=1,
    tables="""
CREATE TABLE run (
    number INTEGER PRIMARY KEY, request TEXT NOT NULL UNIQUE, is_open INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE INDEX open_runs ON run (number) WHERE is_open;
CREATE TABLE value (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE sample (
    run INTEGER NOT NULL, number INTEGER NOT NULL, stride INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (run, number)) WITHOUT ROWID;
""",
    when_damaged="never move a whole store away: the run numbers are in it",
)
_UPDATE = "UPDATE run SET is_open = ?, body = ? WHERE number = ?"
_NEXT_SAMPLE = "SELECT coalesce(max(number), 0) + 1 FROM sample WHERE run = ?"

T = TypeVar("T")


class RunStore:
    """All runs, values by name, and samples; any thread may call it.

    Attributes:
        file: The database.
    """

    def __init__(self, file: Path) -> None:
        """Open the database, or make it.

        Raises:
            BadParam: The folder cannot be written, or the file is something else.
        """
        self.file = file
        self._database = Database(file, _SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def begin(
        self, request: str, first: int, make: Callable[[int], RunRecord]
    ) -> tuple[RunRecord, bool]:
        """Give the next number to a new run: number and record are there together, or neither.

        Args:
            request: Id of the command; a run that was begun with it is returned instead.
            first: The least number to give.
            make: Makes the record for a number.

        Returns:
            The record, and whether it is new.

        Raises:
            PersistStore: It cannot be written; no number was used.
        """
        with self._database.writing() as db:
            db.execute("BEGIN IMMEDIATE")
            found = db.execute("SELECT body FROM run WHERE request = ?", (request,)).fetchone()
            if found is not None:
                return _record(found[0]), False
            (last,) = db.execute("SELECT coalesce(max(number), 0) FROM run").fetchone()
            record = make(max(last + 1, first))
            row = (record.number, request, 1, _json(record))
            db.execute("INSERT INTO run VALUES (?, ?, ?, ?)", row)
            return record, True

    def save(self, record: RunRecord) -> None:
        """Store a changed record.

        Raises:
            PersistStore: It cannot be written; the old one counts.
        """
        row = (int(not record.is_settled), _json(record), record.number)
        with self._database.writing() as db:
            db.execute(_UPDATE, row)

    def last_number(self) -> int:
        """Return the greatest number given; 0: none yet.

        Raises:
            PersistStore: The store cannot be read.
        """
        return int(self._rows("SELECT coalesce(max(number), 0) FROM run")[0][0])

    def get(self, number: int) -> RunRecord | None:
        """Return a run; None when there is none.

        Raises:
            PersistStore: The store cannot be read.
        """
        found = self._rows("SELECT body FROM run WHERE number = ?", number)
        return _record(found[0][0]) if found else None

    def by_request(self, request: str) -> RunRecord | None:
        """Return the run that was begun with a request; None when there is none.

        Raises:
            PersistStore: The store cannot be read.
        """
        found = self._rows("SELECT body FROM run WHERE request = ?", request)
        return _record(found[0][0]) if found else None

    def open_runs(self) -> list[RunRecord]:
        """Return the runs that have something left to be done.

        Raises:
            PersistStore: The store cannot be read.
        """
        rows = self._rows("SELECT body FROM run WHERE is_open ORDER BY number")
        return [_record(body) for (body,) in rows]

    def newest(self, limit: int, before: int = 0) -> list[RunRecord]:
        """Return runs, the newest first; those before ``before`` unless that is 0.

        Raises:
            PersistStore: The store cannot be read.
        """
        rows = self._rows(
            "SELECT body FROM run WHERE ?1 = 0 OR number < ?1 ORDER BY number DESC LIMIT ?2",
            before,
            limit,
        )
        return [_record(body) for (body,) in rows]

    def put_value(self, name: str, value: object) -> None:
        """Store a value under a name.

        Raises:
            PersistStore: It cannot be written; the old one counts.
        """
        with self._database.writing() as db:
            db.execute("INSERT OR REPLACE INTO value VALUES (?, ?)", (name, _json(value)))

    def value(self, name: str, type_: type[T]) -> T | None:
        """Return the value of a name; None when there is none.

        Raises:
            PersistStore: The store cannot be read.
        """
        found = self._rows("SELECT body FROM value WHERE name = ?", name)
        return msgspec.json.decode(found[0][0], type=type_) if found else None

    def add_sample(self, run: int, stride: int, sample: Sample) -> None:
        """Add a sample of a run.

        Raises:
            PersistStore: It cannot be written.
        """
        with self._database.writing() as db:
            (number,) = db.execute(_NEXT_SAMPLE, (run,)).fetchone()
            row = (run, number, stride, _json(sample))
            db.execute("INSERT INTO sample VALUES (?, ?, ?, ?)", row)

    def thin_samples(self, run: int) -> int:
        """Remove every second sample of a run; return how many are left.

        Raises:
            PersistStore: It cannot be written.
        """
        with self._database.writing() as db:
            db.execute(
                "DELETE FROM sample WHERE run = ?1 AND number IN (SELECT number FROM"
                " (SELECT number, row_number() OVER (ORDER BY number) AS place FROM sample"
                " WHERE run = ?1) WHERE place % 2 = 0)",
                (run,),
            )
            (left,) = db.execute("SELECT count(*) FROM sample WHERE run = ?", (run,)).fetchone()
            return int(left)

    def samples(self, run: int) -> list[Sample]:
        """Return the samples of a run in their order.

        Raises:
            PersistStore: The store cannot be read.
        """
        rows = self._rows("SELECT body FROM sample WHERE run = ? ORDER BY number", run)
        return [msgspec.json.decode(body, type=Sample) for (body,) in rows]

    def sampling(self, run: int) -> tuple[int, int]:
        """Return how many samples of a run there are, and for how many seconds each stands.

        Raises:
            PersistStore: The store cannot be read.
        """
        rows = self._rows("SELECT count(*), max(stride) FROM sample WHERE run = ?", run)
        return int(rows[0][0]), int(rows[0][1] or 1)

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.rows(sql, values)


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


def _record(body: bytes) -> RunRecord:
    return msgspec.json.decode(body, type=RunRecord)
