"""The store of all versions: one SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.project import Configuration, ProjectInformation

APPLICATION_ID = 0x6F627072
"""Stands in the file's header and tells it from other people's databases."""

_VERSION = 1
_SCHEMA = f"""
CREATE TABLE information (
    version INTEGER PRIMARY KEY, body TEXT NOT NULL, since TEXT NOT NULL);
CREATE TABLE configuration (
    name TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (name, version)) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {_VERSION};
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInformation:
    """A version of the project information.

    Attributes:
        information: It.
        since: Since when each of its values is what it is, by field.
    """

    information: ProjectInformation
    since: Mapping[str, datetime]


class ProjectStore:
    """All versions of the project information and of the configurations; any thread may call it.

    What was stored survives a crash, also of the host.

    Attributes:
        file: The database.
    """

    def __init__(self, file: Path) -> None:
        """Open the database, or make it.

        Raises:
            BadParam: The folder cannot be written, or the file is something else.
        """
        self.file = file
        self._lock = threading.Lock()
        with _refusals(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(file, timeout=10.0, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        with self._db as db:
            (application,) = db.execute("PRAGMA application_id").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
            (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if tables and (application, version) != (APPLICATION_ID, _VERSION):
                raise BadParam(
                    f"{self.file} is a database of another program or version",
                    field="file",
                    cause=f"application id {application:#x}, version {version}; "
                    f"wanted {APPLICATION_ID:#x}, version {_VERSION}",
                    remedy="give the project service a file of its own",
                )
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            if not tables:
                db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def put_information(self, stored: StoredInformation) -> None:
        """Store a new version.

        Raises:
            PersistStore: It cannot be written; nothing was stored.
        """
        row = (stored.information.version, _json(stored.information), _json(dict(stored.since)))
        with self._lock, _failures(self.file, "written"), self._db as db:
            db.execute("INSERT INTO information VALUES (?, ?, ?)", row)

    def information(self, version: int = 0) -> StoredInformation | None:
        """Return a version, 0: the newest; None when there is none.

        Raises:
            PersistStore: The store cannot be read.
        """
        found = self._rows(
            "SELECT body, since FROM information WHERE :version = 0 OR version = :version"
            " ORDER BY version DESC LIMIT 1",
            {"version": version},
        )
        return _stored(*found[0]) if found else None

    def informations(self, limit: int, before: int) -> list[ProjectInformation]:
        """Return versions, the newest first; older than ``before`` unless that is 0.

        Raises:
            PersistStore: The store cannot be read.
        """
        found = self._rows(
            "SELECT body, since FROM information WHERE :before = 0 OR version < :before"
            " ORDER BY version DESC LIMIT :limit",
            {"before": before, "limit": limit},
        )
        return [_stored(*row).information for row in found]

    def put_configuration(self, configuration: Configuration) -> None:
        """Store a new version.

        Raises:
            PersistStore: It cannot be written; nothing was stored.
        """
        row = (configuration.name, configuration.version, _json(configuration))
        with self._lock, _failures(self.file, "written"), self._db as db:
            db.execute("INSERT INTO configuration VALUES (?, ?, ?)", row)

    def configuration(self, name: str, version: int = 0) -> Configuration | None:
        """Return a version, 0: the newest; None when there is none.

        Raises:
            PersistStore: The store cannot be read.
        """
        found = self._rows(
            "SELECT body FROM configuration WHERE name = :name"
            " AND (:version = 0 OR version = :version) ORDER BY version DESC LIMIT 1",
            {"name": name, "version": version},
        )
        return _configuration(*found[0]) if found else None

    def configurations(self, name: str, limit: int, before: int) -> Iterator[Configuration]:
        """Yield versions, the newest first; older than ``before`` unless that is 0.

        Raises:
            PersistStore: The store cannot be read.
        """
        for _ in range(limit):
            found = self._rows(
                "SELECT body FROM configuration WHERE name = :name"
                " AND (:before = 0 OR version < :before) ORDER BY version DESC LIMIT 1",
                {"name": name, "before": before},
            )
            if not found:
                return
            configuration = _configuration(*found[0])
            before = configuration.version
            yield configuration
            if before == 1:
                return

    def names(self) -> list[str]:
        """Return the names of all configurations, sorted.

        Raises:
            PersistStore: The store cannot be read.
        """
        found = self._rows("SELECT DISTINCT name FROM configuration ORDER BY name", {})
        return [name for (name,) in found]

    def _rows(self, sql: str, values: dict[str, object]) -> list[tuple[str, ...]]:
        with self._lock, _failures(self.file, "read"):
            return self._db.execute(sql, values).fetchall()


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _stored(body: str, since: str) -> StoredInformation:
    return StoredInformation(
        information=msgspec.json.decode(body, type=ProjectInformation),
        since=msgspec.json.decode(since, type=dict[str, datetime]),
    )


def _configuration(body: str) -> Configuration:
    return msgspec.json.decode(body, type=Configuration)


@contextmanager
def _refusals(file: Path) -> Iterator[None]:
    """Say of a file that cannot be used what is wrong with it."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise BadParam(
            f"the project service cannot use {file}: {error}",
            field="file",
            cause="the folder is missing or read-only, the disk is full, "
            "or the file is damaged or not a database",
            remedy="correct the folder's rights or the setting 'file'; "
            "a damaged file may be moved away, a new one is made then",
        ) from error


@contextmanager
def _failures(file: Path, what: str) -> Iterator[None]:
    """Say of a store that fails while it is used what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise PersistStore(
            f"the project store {file} cannot be {what}: {error}",
            cause="the disk is full, read-only or has a fault, or the service ends",
            remedy="free some space or look after the disk, then do it again",
        ) from error
