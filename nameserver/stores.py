"""Where the name server remembers: in memory, or in an SQLite file."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from typing_extensions import override

from idl_like_interfaces.errors import PersistStore
from idl_like_interfaces.naming import Binding, BindingType
from nameserver.records import Changes, LeaseRecord, Snapshot

_APPLICATION_ID = 0x4F42534E
"""Marks the file as ours (``OBSN``)."""

_SCHEMA_VERSION = 1
_BUSY_S = 2.0
"""How long a starting server waits for an ending one to let go of the file."""

_SCHEMA = f"""
CREATE TABLE lease (
    lease_id TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    term_s REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE binding (
    name TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    uri TEXT NOT NULL,
    interface TEXT NOT NULL,
    metadata TEXT NOT NULL,
    lease_id TEXT REFERENCES lease,
    bound_at TEXT NOT NULL
) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_SCHEMA_VERSION};
"""


class Durability(StrEnum):
    """What an acknowledged change survives."""

    KILL = "kill"
    """The end of the process at any moment; after a loss of power the last ones may be gone."""

    POWER = "power"
    """A loss of power too: each change waits for the disk."""


_SYNCHRONOUS = {Durability.KILL: "NORMAL", Durability.POWER: "FULL"}


class NameStore(Protocol):
    """Remembers bindings and leases."""

    def load(self) -> Snapshot:
        """Return everything.

        Raises:
            PersistStore: It cannot be read.
        """

    def apply(self, changes: Changes) -> None:
        """Make changes, all or none; they are as durable as the store can on return.

        Raises:
            PersistStore: They could not be written; nothing was changed.
        """

    def close(self) -> None:
        """Release what the store holds; a second time does nothing."""


class MemoryStore(NameStore):
    """Remembers as long as the process lives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bindings: dict[str, Binding] = {}
        self._leases: dict[str, LeaseRecord] = {}

    @override
    def load(self) -> Snapshot:
        with self._lock:
            return Snapshot(
                bindings=tuple(self._bindings[name] for name in sorted(self._bindings)),
                leases=tuple(self._leases[lease_id] for lease_id in sorted(self._leases)),
            )

    @override
    def apply(self, changes: Changes) -> None:
        with self._lock:
            for name in changes.drop_names:
                self._bindings.pop(name, None)
            for lease_id in changes.drop_leases:
                self._leases.pop(lease_id, None)
            self._leases |= {lease.lease_id: lease for lease in changes.put_leases}
            self._bindings |= {binding.name: binding for binding in changes.put_bindings}

    @override
    def close(self) -> None:
        pass


class SqliteStore(NameStore):
    """Remembers in a file: what ``apply`` has written survives kill -9, and loss of power.

    One process at a time has the file (SQLite's exclusive locking mode): two name
    servers on one file would each acknowledge what the other does not know.

    Args:
        path: The file; it and its folder are made when they are missing.
        durability: Whether it survives loss of power; the file holds together in any case.

    Raises:
        PersistStore: The file is damaged, of another program or a newer release, in
            use, or cannot be written.
    """

    def __init__(self, path: Path, durability: Durability = Durability.POWER) -> None:
        self._path = path
        self._durability = durability
        self._lock = threading.Lock()
        with self._explained("open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explained("open"):
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    @override
    def load(self) -> Snapshot:
        with self._lock, self._explained("read"):
            bindings = self._db.execute("SELECT * FROM binding ORDER BY name").fetchall()
            leases = self._db.execute("SELECT * FROM lease ORDER BY lease_id").fetchall()
            return Snapshot(
                bindings=tuple(_binding(row) for row in bindings),
                leases=tuple(LeaseRecord(lease_id=a, holder=b, term_s=c) for a, b, c in leases),
            )

    @override
    def apply(self, changes: Changes) -> None:
        with self._lock, self._explained("write"), self._transaction():
            self._each("DELETE FROM binding WHERE name = ?", [(n,) for n in changes.drop_names])
            self._each("DELETE FROM lease WHERE lease_id = ?", [(n,) for n in changes.drop_leases])
            self._each(
                "INSERT INTO lease VALUES (?, ?, ?) ON CONFLICT (lease_id) "
                "DO UPDATE SET holder = excluded.holder, term_s = excluded.term_s",
                [(each.lease_id, each.holder, each.term_s) for each in changes.put_leases],
            )
            self._each(
                "INSERT OR REPLACE INTO binding VALUES (?, ?, ?, ?, ?, ?, ?)",
                [_row(each) for each in changes.put_bindings],
            )

    @override
    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _prepare(self) -> None:
        execute = self._db.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        self._refuse_foreign()
        execute("PRAGMA journal_mode = WAL")
        execute(f"PRAGMA synchronous = {_SYNCHRONOUS[self._durability]}")
        execute("PRAGMA foreign_keys = ON")
        (verdict,) = execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        with self._transaction():
            if self._pragma("application_id") == 0:
                for statement in _SCHEMA.split(";")[:-1]:
                    execute(statement)

    def _refuse_foreign(self) -> None:
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and self._pragma("application_id") != _APPLICATION_ID:
            raise PersistStore(
                f"{self._path} is a database of another program",
                cause="the path of the name server's store is wrong",
                remedy="give the path of a name store, or of a file that does not exist yet",
            )
        version = self._pragma("user_version")
        if version > _SCHEMA_VERSION:
            raise PersistStore(
                f"{self._path} has version {version} of the name store, "
                f"this name server knows version {_SCHEMA_VERSION}",
                cause="a newer release has written it",
                remedy="start the newer release, or give another path",
            )

    def _pragma(self, name: str) -> int:
        (value,) = self._db.execute(f"PRAGMA {name}").fetchone()
        return int(value)

    def _each(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._db.executemany(statement, rows)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        """Turn a failure of disk or database into one that says what to do."""
        try:
            yield
        except (OSError, sqlite3.Error, ValueError) as error:
            if isinstance(error, PersistStore):
                raise
            cause, remedy = _explanation(error, self._path)
            raise PersistStore(
                f"cannot {verb} the name store {self._path}: {error}", cause=cause, remedy=remedy
            ) from error


def _explanation(error: Exception, path: Path) -> tuple[str, str]:
    """Return cause and remedy of a failure."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        return "another name server has it open", "stop that one, or give another path"
    if code == sqlite3.SQLITE_FULL:
        return "the disk is full", f"make space on the disk of {path.parent}"
    if isinstance(error, OSError) or code in _ACCESS_CODES:
        return (
            f"{path.parent} is not a folder that this user may write to, or its disk fails",
            "correct the path, the folder's permissions, or the disk",
        )
    return (
        "the file is damaged or no name store",
        f"move {path} away and start again; components bind their names anew within seconds",
    )


_ACCESS_CODES = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_IOERR,
    }
)


def _row(binding: Binding) -> tuple[Any, ...]:
    return (
        binding.name,
        binding.type.value,
        binding.uri,
        binding.interface,
        json.dumps(binding.metadata),
        binding.lease_id or None,
        binding.bound_at.isoformat(),
    )


def _binding(row: tuple[Any, ...]) -> Binding:
    name, type_, uri, interface, metadata, lease_id, bound_at = row
    return Binding(
        name=name,
        type=BindingType(type_),
        uri=uri,
        interface=interface,
        metadata=json.loads(metadata),
        lease_id=lease_id or "",
        bound_at=datetime.fromisoformat(bound_at),
    )
