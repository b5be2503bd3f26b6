"""The store of the online database: one SQLite file, read while it is written."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from idl_like_interfaces.errors import BadParam, PersistStore
from objects.component.clock import Clock
from objects.oldb.points import Kept, microseconds
from objects.oldb.schema import (
    COLUMNS,
    FIND,
    SAVE,
    connect,
    is_damage,
    prepare,
    row_of,
    was_row,
)

log = logging.getLogger(__name__)

MOST_REMOVED = 10_000
"""Removed keys that are remembered; late writes of others could bring them back."""

_SIDE_FILES = ("", "-wal", "-shm")


class SqliteOldbStore:
    """The newest value of each key; any thread may call it.

    What was saved survives a crash of the process. Readers do not hold up the writer.

    Attributes:
        file: The database.
        damaged: Where damaged files were put, in order; those of before that still lie there too.
        base: Number before the first change.
        revision: Number of the newest change.
        keys: Keys that have a value.
    """

    def __init__(self, file: Path, clock: Clock) -> None:
        """Open the database, or make it; a damaged one is put aside.

        Raises:
            BadParam: The folder cannot be written, or the file is of another program.
        """
        self.file = file
        self.damaged = _damaged_before(file)
        self.base = self.revision = self.keys = 0
        self._clock = clock
        self._writing, self._reading = threading.Lock(), threading.Lock()
        with _refusals(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                self._put_aside(error)
                self._open()

    def _open(self) -> None:
        self._writer = connect(self.file)
        try:
            # The next one is greater than all before, whatever happened to the file.
            base = max(microseconds(self._clock.utc()), self.revision + 1)
            self.base, self.revision, self.keys = prepare(self._writer, self.file, base)
            self._reader = connect(self.file)
        except BaseException:
            self._writer.close()
            raise

    def _put_aside(self, error: Exception) -> None:
        stamp = f"{self._clock.utc():%Y%m%dT%H%M%S%f}"
        aside = self.file.with_name(f"{self.file.name}.damaged-{stamp}")
        for end in _SIDE_FILES:
            with suppress(FileNotFoundError):
                self.file.with_name(self.file.name + end).rename(aside.with_name(aside.name + end))
        self.damaged.append(aside)
        log.error("%s is damaged (%s): it is kept as %s", self.file, error, aside)

    def begin_anew(self, error: Exception) -> None:
        """Put a file aside that turned out to be damaged, and begin a new one.

        Raises:
            PersistStore: That cannot be done either.
        """
        with self._writing, self._reading, self._failures("begun anew"):
            self._writer.close()
            self._reader.close()
            self._put_aside(error)
            self._open()

    def close(self) -> None:
        """Close the database; harmless when repeated."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    def save(self, changes: Sequence[Kept], *, keys: int = 0) -> list[Kept]:
        """Store changes; return them with their revisions.

        Args:
            changes: In the order in which they are numbered.
            keys: How many more keys have a value then.

        Raises:
            PersistStore: They cannot be written; nothing was.
            Damaged: The file turns out to be damaged.
        """
        with self._writing, self._failures("written"):
            numbered = [
                replace(each, revision=number)
                for number, each in enumerate(changes, self.revision + 1)
            ]
            with self._writer as db:
                db.executemany(SAVE, [row_of(each) for each in numbered])
                db.execute("UPDATE meta SET revision = ?", (self.revision + len(numbered),))
            self.revision += len(numbered)
            self.keys += keys
        return numbered

    def save_starts(self, source: str, starts: Sequence[str]) -> None:
        """Remember the starts of a source, the newest last.

        Raises:
            PersistStore: They cannot be written.
            Damaged: The file turns out to be damaged.
        """
        with self._writing, self._failures("written"), self._writer as db:
            db.execute("DELETE FROM start WHERE source = ?", (source,))
            rows = [(source, place, each) for place, each in enumerate(starts)]
            db.executemany("INSERT INTO start VALUES (?, ?, ?)", rows)

    def tidy(self) -> None:
        """Forget the oldest of the removed keys; a disk that was full is tried in doing so.

        Raises:
            PersistStore: It cannot be written.
            Damaged: The file turns out to be damaged.
        """
        with self._writing, self._failures("written"), self._writer as db:
            db.execute("UPDATE meta SET revision = ?", (self.revision,))
            db.execute(
                "DELETE FROM point WHERE is_removed AND revision <= (SELECT revision FROM point"
                " WHERE is_removed ORDER BY revision DESC LIMIT 1 OFFSET ?)",
                (MOST_REMOVED,),
            )

    def starts(self) -> list[tuple[str, str]]:
        """Return the remembered starts of sources, the newest of each last."""
        with self._reading, self._failures("read"):
            return self._reader.execute(
                "SELECT source, incarnation FROM start ORDER BY source, place"
            ).fetchall()

    def find(self, keys: Iterable[str]) -> dict[str, Kept]:
        """Return what is kept under keys, removed ones too."""
        with self._reading, self._failures("read"):
            found = (self._reader.execute(FIND, (key,)).fetchone() for key in keys)
            return {row[0]: was_row(row) for row in found if row is not None}

    def of_source(self, source: str) -> list[Kept]:
        """Return what stands of a source, in the order in which it changed."""
        return self._select("source = ? AND NOT is_removed ORDER BY revision", (source,))

    def page(self, after: str, prefix: str, limit: int) -> list[Kept]:
        """Return values behind a key in the order of their keys, those that begin so."""
        return self._select(
            "key > ? AND key >= ? AND key < ? AND NOT is_removed ORDER BY key LIMIT ?",
            (after, prefix, prefix + "\U0010ffff", limit),
        )

    def since(self, revision: int, limit: int) -> list[Kept]:
        """Return changes behind a revision in their order, removals too."""
        return self._select("revision > ? ORDER BY revision LIMIT ?", (revision, limit))

    def count_since(self, revision: int) -> int:
        """Return how many keys changed behind a revision."""
        with self._reading, self._failures("read"):
            sql = "SELECT count(*) FROM point WHERE revision > ?"
            return int(self._reader.execute(sql, (revision,)).fetchone()[0])

    def below(self, prefix: str) -> list[str]:
        """Return all keys below one, sorted; empty: all that there are."""
        begin, end = (f"{prefix}/", f"{prefix}0") if prefix else ("", "\U0010ffff")
        with self._reading, self._failures("read"):
            sql = "SELECT key FROM point WHERE key >= ? AND key < ? AND NOT is_removed ORDER BY key"
            return [key for (key,) in self._reader.execute(sql, (begin, end))]

    def by_source(self) -> dict[str, int]:
        """Return how many keys each source has."""
        with self._reading, self._failures("read"):
            sql = "SELECT source, count(*) FROM point WHERE NOT is_removed GROUP BY source"
            return dict(self._reader.execute(sql).fetchall())

    def size(self) -> int:
        """Return the size of its files in bytes."""
        files = (self.file.with_name(self.file.name + end) for end in _SIDE_FILES)
        return sum(each.stat().st_size for each in files if each.exists())

    def _select(self, where: str, values: tuple[object, ...]) -> list[Kept]:
        with self._reading, self._failures("read"):
            sql = f"SELECT {COLUMNS} FROM point WHERE {where}"  # noqa: S608 (fixed texts only)
            return [was_row(row) for row in self._reader.execute(sql, values)]

    @contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        """Say of a store that fails while it is used what to do."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, sqlite3.Error) and is_damage(error):
                raise Damaged(str(error)) from error
            raise PersistStore(
                f"the online database {self.file} cannot be {what}: {error}",
                cause="the disk is full, read-only or has a fault, or the database ends",
                remedy="free some space or look after the disk; writers send again what waits",
            ) from error


def _damaged_before(file: Path) -> list[Path]:
    found = file.parent.glob(f"{file.name}.damaged-*")
    return sorted(each for each in found if not each.name.endswith(_SIDE_FILES[1:]))


class Damaged(Exception):
    """The file is no whole database any more."""


@contextmanager
def _refusals(file: Path) -> Iterator[None]:
    """Say of a file that cannot be used what is wrong with it."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise BadParam(
            f"the online database cannot use {file}: {error}",
            field="file",
            cause="the folder is missing or read-only, or the disk is full",
            remedy="correct the folder's rights or the setting 'file', or free some space",
        ) from error
