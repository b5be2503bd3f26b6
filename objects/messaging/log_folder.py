"""The files of a log store in their folder: names, opening, and setting aside what is damaged."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from idl_like_interfaces.errors import BadParam, PersistStore
from objects.messaging.log_file import LogFile, parts_of, size_of
from objects.messaging.log_schema import Seed

log = logging.getLogger(__name__)

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_PRIMARY_CODE = 0xFF
_LEAST_RECORD = 8
"""Bytes that a record takes at least: so many more numbers than bytes / 8 no file can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A file that had to be set aside.

    Attributes:
        path: Where it was.
        kept: Where it is now.
        why: What is wrong with it.
        first: Number of its first record.
        behind: Behind all numbers that it may have given.
    """

    path: Path
    kept: Path
    why: str
    first: int
    behind: int


class LogFolder:
    """Finds, names and opens the files of a store.

    The first file has the name of the store (``log.sqlite``), each further one also the number
    of its first record (``log-000000004711.sqlite``): the order of names is that of numbers.

    Args:
        path: The store; its folder is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = re.compile(rf"{re.escape(path.stem)}-(\d{{12,}}){re.escape(path.suffix)}")

    def paths(self) -> list[Path]:
        """Return the files that are there, oldest first."""
        numbered = [each for each in self.path.parent.iterdir() if self._name.fullmatch(each.name)]
        numbered.sort(key=self.first_of)
        return [self.path, *numbered] if self.path.exists() or not numbered else numbered

    def first_of(self, path: Path) -> int:
        """Return the number of the first record of a file."""
        found = self._name.fullmatch(path.name)
        return int(found[1]) if found else 1

    def path_for(self, first: int) -> Path:
        """Return where a file that begins with a number is to be."""
        return self.path.with_name(f"{self.path.stem}-{first:012}{self.path.suffix}")

    def open(self, path: Path, seed: Seed, *, is_written: bool) -> LogFile:
        """Open a file; of the one that is written, look through all of it.

        Raises:
            BadParam: It is the database of another program.
            sqlite3.Error: It is damaged, or cannot be opened.
        """
        file = LogFile(path, seed, is_written=is_written)
        try:
            if is_written:
                file.check()
        except BaseException:
            file.close()
            raise
        return file

    def begin(self, seed: Seed) -> LogFile:
        """Begin a new file.

        Raises:
            sqlite3.Error: There is no room for it; nothing is left of it.
        """
        path = self.path_for(seed.first)
        try:
            return self.open(path, seed, is_written=True)
        except BaseException:
            for each in parts_of(path):
                each.unlink(missing_ok=True)
            raise

    def set_aside(self, path: Path, error: sqlite3.Error) -> Damage:
        """Keep a damaged file under another name.

        Raises:
            OSError: It cannot be renamed.
        """
        first = self.first_of(path)
        behind = first + sum(map(size_of, parts_of(path))) // _LEAST_RECORD + 1
        kept = _free(path)
        for each, aside in zip(parts_of(path), parts_of(kept), strict=True):
            if each.exists():
                each.rename(aside)
        log.error("the log store %s is damaged (%s): kept as %s", path, error, kept.name)
        return Damage(path=path, kept=kept, why=str(error), first=first, behind=behind)


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an error says that a file is damaged, and not only in use or full."""
    return _code(error) in _DAMAGED


def is_no_room(error: sqlite3.Error) -> bool:
    """Tell whether an error says that the disk takes no more."""
    return _code(error) in _NO_ROOM


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE


def _free(path: Path) -> Path:
    kept = path.with_name(f"{path.name}.damaged")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{number}")
    return kept


@contextmanager
def refusals(file: Path) -> Iterator[None]:
    """Say of a store that cannot be opened what is wrong with it."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise BadParam(
            f"the log service cannot use {file}: {error}",
            field="file",
            cause="the folder is missing or read-only, or the disk is full",
            remedy="correct the folder's rights or the setting 'file', or make room",
        ) from error


@contextmanager
def failures(file: Path, what: str) -> Iterator[None]:
    """Say of a store that fails while it is used what to do; its senders keep their records."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise PersistStore(
            f"the log store {file} cannot be {what}: {error}",
            cause="the disk is full, read-only or has a fault, or the service ends",
            remedy="free some space or look after the disk; components send again what waits",
        ) from error
