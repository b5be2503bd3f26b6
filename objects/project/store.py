"""The store of all versions: one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from idl_like_interfaces.project import Configuration, ProjectInformation
from objects.component.database import Database, Schema

_SCHEMA = Schema(
    owner="the project service",
    application_id=0x6F627072,
    version=1,
    tables="""
CREATE TABLE information (
    version INTEGER PRIMARY KEY, body TEXT NOT NULL, since TEXT NOT NULL);
CREATE TABLE configuration (
    name TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (name, version)) WITHOUT ROWID;
""",
)


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
        self._database = Database(file, _SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def put_information(self, stored: StoredInformation) -> None:
        """Store a new version.

        Raises:
            PersistStore: It cannot be written; nothing was stored.
        """
        row = (stored.information.version, _json(stored.information), _json(dict(stored.since)))
        with self._database.writing() as db:
            db.execute("INSERT INTO information VALUES (?, ?, ?)", row)

    def information(self, version: int = 0) -> StoredInformation | None:
        """Return a version, 0: the newest; None when there is none.

        Raises:
            PersistStore: The store cannot be read.
        """
        found = self._database.rows(
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
        found = self._database.rows(
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
        with self._database.writing() as db:
            db.execute("INSERT INTO configuration VALUES (?, ?, ?)", row)

    def configuration(self, name: str, version: int = 0) -> Configuration | None:
        """Return a version, 0: the newest; None when there is none.

        Raises:
            PersistStore: The store cannot be read.
        """
        found = self._database.rows(
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
            found = self._database.rows(
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
        found = self._database.rows("SELECT DISTINCT name FROM configuration ORDER BY name", {})
        return [name for (name,) in found]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _stored(body: str, since: str) -> StoredInformation:
    return StoredInformation(
        information=msgspec.json.decode(body, type=ProjectInformation),
        since=msgspec.json.decode(since, type=dict[str, datetime]),
    )


def _configuration(body: str) -> Configuration:
    return msgspec.json.decode(body, type=Configuration)
