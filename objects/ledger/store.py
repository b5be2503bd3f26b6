"""The store of the ledger: the last accounts of all hops, in one SQLite file."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec

from idl_like_interfaces.clients.accounts_memory import Key, Seen, key_of
from idl_like_interfaces.errors import BadParam

log = logging.getLogger(__name__)

APPLICATION_ID = 0x6F624C65
"""Stands in the file's header and tells it from other people's databases."""

_SCHEMA = f"""
CREATE TABLE account (key TEXT PRIMARY KEY, seen BLOB NOT NULL) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
"""
_SAVE = "INSERT INTO account VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET seen = excluded.seen"
_SIDE_FILES = ("", "-wal", "-shm")


class LedgerStore:
    """Keeps accounts over restarts; any thread may call it.

    What fails while it is used (a full disk) never stops the ledger: it is told in ``problem``,
    and what could not be written is written with the next round.

    Attributes:
        file: The database.
        problem: Why it is not up to date; empty: it is.
    """

    def __init__(self, file: Path) -> None:
        """Open the database, or make it; a damaged one is put aside.

        Raises:
            BadParam: The folder cannot be written, or the file is of another program.
        """
        self.file = file
        self.problem = ""
        self._lock = threading.Lock()
        self._unwritten: dict[Key, Seen | None] = {}
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._opened()
        except (OSError, sqlite3.Error) as error:
            raise BadParam(
                f"the ledger cannot use {file}: {error}",
                field="file",
                cause="the folder is missing or read-only, or the disk is full",
                remedy="correct the folder's rights or the setting 'file'",
            ) from error

    def _opened(self) -> sqlite3.Connection:
        try:
            return _open(self.file)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            aside = self.file.with_name(f"{self.file.name}.damaged")
            log.error("%s is damaged and put aside as %s: %s", self.file, aside.name, error)
            for side in _SIDE_FILES:
                found = self.file.with_name(self.file.name + side)
                if found.exists():
                    found.replace(aside.with_name(aside.name + side))
            return _open(self.file)

    def load(self) -> list[Seen]:
        """Return what is kept; what cannot be read any more is left out."""
        kept: list[Seen] = []
        with self._lock:
            rows = self._db.execute("SELECT seen FROM account").fetchall()
        for (row,) in rows:
            try:
                kept.append(msgspec.msgpack.decode(row, type=Seen))
            except msgspec.DecodeError as error:
                log.warning("an account in %s cannot be read: %s", self.file, error)
        return kept

    def write(self, changed: Iterable[Seen], forgotten: Iterable[Key] = ()) -> None:
        """Keep what has changed, and no longer what is forgotten."""
        with self._lock:
            self._unwritten |= {key_of(each.account): each for each in changed}
            self._unwritten |= dict.fromkeys(forgotten)
            if not self._unwritten:
                return
            try:
                self._save()
            except sqlite3.Error as error:
                if not self.problem:
                    log.error("%s cannot be written, the ledger goes on: %s", self.file, error)
                self.problem = str(error)
            else:
                self._unwritten.clear()
                self.problem = ""

    def _save(self) -> None:
        kept = {_text(key): seen for key, seen in self._unwritten.items()}
        with self._db as db:
            db.executemany(
                _SAVE, [(key, msgspec.msgpack.encode(seen)) for key, seen in kept.items() if seen]
            )
            gone = [(key,) for key, seen in kept.items() if seen is None]
            db.executemany("DELETE FROM account WHERE key = ?", gone)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()


def _open(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=10.0, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        # This survives a crash of the process; a power cut may take the last seconds.
        db.execute("PRAGMA synchronous = NORMAL")
        _prepare(db, file)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, file: Path) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION_ID:
        raise BadParam(
            f"{file} is a database of another program",
            field="file",
            cause=f"application id {application:#x}; wanted {APPLICATION_ID:#x}",
            remedy="give the ledger a file of its own",
        )
    if not tables:
        db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")


def _text(key: Key) -> str:
    return "\t".join(key)
