"""The tables of a file of the log store, and how older ones become as they are now."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from idl_like_interfaces.errors import BadParam

APPLICATION_ID = 0x6F624C47
"""Stands in the file's header and tells it from other people's databases."""

VERSION = 2

SEVERE = 30
"""Records of this level and above have an index of their own: few among many."""

_TABLES = f"""
CREATE TABLE record (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, level INTEGER NOT NULL,
    component TEXT NOT NULL, logger TEXT NOT NULL, text TEXT NOT NULL, traceback TEXT NOT NULL,
    owner TEXT NOT NULL DEFAULT '', count INTEGER NOT NULL DEFAULT 1, until INTEGER);
CREATE INDEX record_time ON record (time);
CREATE INDEX record_severe ON record (time) WHERE level >= {SEVERE};
CREATE INDEX record_owner ON record (owner, time) WHERE owner <> '';
CREATE TABLE sender (
    component TEXT NOT NULL, incarnation TEXT NOT NULL, next INTEGER NOT NULL,
    lost INTEGER NOT NULL, stored INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (component, incarnation)) WITHOUT ROWID;
CREATE TABLE tally (
    component TEXT NOT NULL, level INTEGER NOT NULL, records INTEGER NOT NULL,
    folded INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (component, level)) WITHOUT ROWID;
CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

_FROM_1 = f"""
ALTER TABLE record ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
ALTER TABLE record ADD COLUMN until INTEGER;
CREATE INDEX record_severe ON record (time) WHERE level >= {SEVERE};
CREATE INDEX record_owner ON record (owner, time) WHERE owner <> '';
ALTER TABLE sender ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sender ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tally ADD COLUMN folded INTEGER NOT NULL DEFAULT 0;
CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO fact SELECT 'lost', total(lost) FROM sender;
"""  # noqa: S608 (fixed texts only)

_MARKS = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"

SenderRow: TypeAlias = tuple[str, str, int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """What a new file takes over from the one before.

    Attributes:
        first: Number of its first record.
        before: Records that were stored before it.
        lost: Records that were lost on the way before it.
        made: When it is made, microseconds since 1970.
        senders: What is known of senders, as in the table.
    """

    first: int = 1
    before: int = 0
    lost: int = 0
    made: int = 0
    senders: Sequence[SenderRow] = ()


def prepare(db: sqlite3.Connection, file: Path, seed: Seed) -> None:
    """Make the tables of an empty file; bring those of an older one up to date.

    Raises:
        BadParam: It is the database of another program, or of a newer version.
        sqlite3.Error: It is damaged, or cannot be written.
    """
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables:
        _update(db, file)
    else:
        db.execute("PRAGMA journal_mode = WAL")
        _create(db, seed)


def _create(db: sqlite3.Connection, seed: Seed) -> None:
    # One transaction: a file has all of it or nothing.
    facts = {"before": seed.before, "lost": seed.lost, "made": seed.made}
    db.executescript(f"BEGIN IMMEDIATE; {_TABLES}")
    try:
        db.execute("INSERT INTO sqlite_sequence VALUES ('record', ?)", (seed.first - 1,))
        db.executemany("INSERT INTO fact VALUES (?, ?)", facts.items())
        db.executemany("INSERT INTO sender VALUES (?, ?, ?, ?, ?, ?)", seed.senders)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _update(db: sqlite3.Connection, file: Path) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID or not 1 <= version <= VERSION:
        raise BadParam(
            f"{file} is a database of another program or version",
            field="file",
            cause=f"application id {application:#x}, version {version}; "
            f"wanted {APPLICATION_ID:#x}, version at most {VERSION}",
            remedy="give the log service a file of its own",
        )
    if version == VERSION:
        return
    try:
        db.executescript(f"BEGIN IMMEDIATE; {_FROM_1} {_MARKS} COMMIT;")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
