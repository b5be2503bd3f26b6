"""A SQLite file of one service: opened, made, told from others, and used by any thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam, PersistStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a database holds, and whose it is.

    Attributes:
        owner: Who uses it, e.g. ``the project service``.
        application_id: Stands in the file's header and tells it from other people's databases.
        version: Of the tables.
        tables: Makes them.
        when_damaged: What to do with a file that cannot be used.
    """

    owner: str
    application_id: int
    version: int
    tables: str
    when_damaged: str = "a damaged file may be moved away, a new one is made then"


class Database(Closing):
    """A database whose transactions survive a crash, also of the host; a context manager.

    Args:
        file: Where it is; made when it is missing.
        schema: What it holds.

    Raises:
        BadParam: The folder cannot be written, or the file is something else.
    """

    def __init__(self, file: Path, schema: Schema) -> None:
        self.file = file
        self._schema = schema
        self._lock = threading.Lock()
        with self._refusals():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(file, timeout=10.0, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    @override
    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Return the connection within a transaction: all of it is stored, or nothing.

        Raises:
            PersistStore: It cannot be written.
        """
        with self._lock, self._failures("written"), self._db as db:
            yield db

    def rows(
        self, sql: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> list[tuple[Any, ...]]:
        """Return what a query finds.

        Raises:
            PersistStore: It cannot be read.
        """
        with self._lock, self._failures("read"):
            return self._db.execute(sql, values).fetchall()

    def _prepare(self) -> None:
        wanted = self._schema
        with self._db as db:
            (application,) = db.execute("PRAGMA application_id").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
            (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if tables and (application, version) != (wanted.application_id, wanted.version):
                raise BadParam(
                    f"{self.file} is a database of another program or version",
                    field="file",
                    cause=f"application id {application:#x}, version {version}; "
                    f"wanted {wanted.application_id:#x}, version {wanted.version}",
                    remedy=f"give {wanted.owner} a file of its own",
                )
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            if not tables:
                marks = (
                    f"PRAGMA application_id = {wanted.application_id:d}; "
                    f"PRAGMA user_version = {wanted.version:d};"
                )
                db.executescript(f"BEGIN IMMEDIATE; {wanted.tables} {marks} COMMIT;")

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Say of a file that cannot be used what is wrong with it."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise BadParam(
                f"{self._schema.owner} cannot use {self.file}: {error}",
                field="file",
                cause="the folder is missing or read-only, the disk is full, "
                "or the file is damaged or not a database",
                remedy="correct the folder's rights or the setting that names the file; "
                f"{self._schema.when_damaged}",
            ) from error

    @contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        """Say of a store that fails while it is used what to do."""
        try:
            yield
        except sqlite3.Error as error:
            raise PersistStore(
                f"the store of {self._schema.owner} {self.file} cannot be {what}: {error}",
                cause=f"the disk is full, read-only or has a fault, or {self._schema.owner} ends",
                remedy="free some space or look after the disk, then do it again",
            ) from error
