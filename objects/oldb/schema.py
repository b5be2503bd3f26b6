"""The tables of the online database, and what stands in a row of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.oldb import Quality
from objects.oldb.points import Kept

APPLICATION_ID = 0x6F624F4C
"""Stands in the file's header and tells it from other people's databases."""

_VERSION = 1
_SCHEMA = f"""
CREATE TABLE meta (base INTEGER NOT NULL, revision INTEGER NOT NULL);
CREATE TABLE point (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, said TEXT NOT NULL, quality TEXT NOT NULL,
    time INTEGER NOT NULL, source TEXT NOT NULL, incarnation TEXT NOT NULL,
    number INTEGER NOT NULL, revision INTEGER NOT NULL, is_removed INTEGER NOT NULL);
CREATE UNIQUE INDEX point_revision ON point (revision);
CREATE INDEX point_source ON point (source);
CREATE INDEX point_removed ON point (revision) WHERE is_removed;
CREATE TABLE start (
    source TEXT NOT NULL, place INTEGER NOT NULL, incarnation TEXT NOT NULL,
    PRIMARY KEY (source, place)) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {_VERSION};
"""

COLUMNS = "key, value, said, quality, time, source, incarnation, number, revision, is_removed"
FIND = f"SELECT {COLUMNS} FROM point WHERE key = ?"  # noqa: S608 (fixed texts only)
SAVE = f"INSERT OR REPLACE INTO point ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (fixed texts only)

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY = 0xFF


def connect(file: Path) -> sqlite3.Connection:
    """Open a connection that any thread may use."""
    connection = sqlite3.connect(file, timeout=10.0, check_same_thread=False)
    try:
        # With WAL this survives a crash of the process; only a power cut may take the last seconds.
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def prepare(db: sqlite3.Connection, file: Path, base: int) -> tuple[int, int, int]:
    """Check a database, or make its tables; return base, newest revision and number of keys.

    Args:
        db: The open file.
        file: Its path, for messages.
        base: Of a new one.

    Raises:
        BadParam: It belongs to another program or version.
        sqlite3.DatabaseError: It is damaged, or cannot be written.
    """
    with db:
        _check_owner(db, file)
        db.execute("PRAGMA journal_mode = WAL")
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            first = f"INSERT INTO meta VALUES ({base:d}, {base:d});"  # noqa: S608 (a number)
            db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {first} COMMIT;")
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        found = db.execute("SELECT base, revision FROM meta").fetchone()
        if verdict != "ok" or found is None:
            raise _damage(verdict)
        (keys,) = db.execute("SELECT count(*) FROM point WHERE NOT is_removed").fetchone()
        return found[0], found[1], keys


def _check_owner(db: sqlite3.Connection, file: Path) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and (application, version) != (APPLICATION_ID, _VERSION):
        raise BadParam(
            f"{file} is a database of another program or version",
            field="file",
            cause=f"application id {application:#x}, version {version}; "
            f"wanted {APPLICATION_ID:#x}, version {_VERSION}",
            remedy="give the online database a file of its own",
        )


def _damage(verdict: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(verdict)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an error says that the file is no whole database."""
    return (getattr(error, "sqlite_errorcode", 0) & _PRIMARY) in _DAMAGE


def row_of(kept: Kept) -> tuple[Any, ...]:
    """Return a row of the table ``point``."""
    return (
        kept.key,
        kept.value,
        kept.said.value,
        kept.quality.value,
        kept.time_us,
        kept.source,
        kept.incarnation,
        kept.number,
        kept.revision,
        int(kept.is_removed),
    )


def was_row(row: tuple[Any, ...]) -> Kept:
    """Return what a row of the table ``point`` says."""
    key, value, said, quality, time_us, source, incarnation, number, revision, is_removed = row
    return Kept(
        key=key,
        value=value,
        said=Quality(said),
        quality=Quality(quality),
        time_us=time_us,
        source=source,
        incarnation=incarnation,
        number=number,
        revision=revision,
        is_removed=bool(is_removed),
    )
