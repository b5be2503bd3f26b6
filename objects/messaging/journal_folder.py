"""The folder of a journal: which files are in it, whose it is, and what is put aside."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from idl_like_interfaces.errors import BadParam
from objects.component.atomic import PART_SUFFIX, fsync_folder
from objects.messaging.segments import Kind, Label, Parts, Record, frame, scan

log = logging.getLogger(__name__)

SEGMENT_SUFFIX = ".events"
DAMAGED_SUFFIX = ".damaged"
OLD_SUFFIX = ".old"

STATE = "state"
CURSORS = "cursors"

_NUMBERED = re.compile(rf"([0-9]{{8,}}){re.escape(SEGMENT_SUFFIX)}.*", re.ASCII)


class JournalFolder:
    """One process has it at a time.

    Args:
        path: Of the folder; made when it is missing.
        sync: What is replaced in it survives the end of the host.

    Attributes:
        path: Of the folder.
    """

    def __init__(self, path: Path, *, sync: bool) -> None:
        self.path = path
        self._sync = sync
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folder and have it.

        Raises:
            BadParam: Another process has it, or something else has its name.
            OSError: It cannot be made or opened.
        """
        self.close()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except (FileExistsError, NotADirectoryError) as error:
            raise BadParam(
                f"the journal of the event channel cannot be kept in {self.path}: {error.strerror}",
                field="journal",
                cause="something that is no folder has that name",
                remedy="move it away, or set another folder as 'journal'",
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise BadParam(
                f"the journal of the event channel in {self.path} is in use",
                field="journal",
                cause="another event channel runs with it",
                remedy="end that one, or set another folder as 'journal'",
            ) from error
        except OSError as error:
            log.warning("%s cannot be locked: %s", self.path, error)
        self._lock = lock

    @property
    def is_open(self) -> bool:
        """Whether this process has it, and nobody has removed it."""
        return self._lock is not None and self.path.is_dir()

    def close(self) -> None:
        """Leave it to others."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def segments(self) -> list[Path]:
        """Return the journal's files, in the order in which they were begun.

        Raises:
            OSError: The folder cannot be read.
        """
        numbered = [(_number(path), path) for path in self.path.iterdir()]
        return [
            path for number, path in sorted(numbered) if number and path.suffix == SEGMENT_SUFFIX
        ]

    def next_segment(self) -> Path:
        """Return a name that no file has or had, also none that was put aside.

        Raises:
            OSError: The folder cannot be read.
        """
        newest = max(map(_number, self.path.iterdir()), default=0)
        return self.path / f"{newest + 1:08}{SEGMENT_SUFFIX}"

    def damaged(self) -> list[str]:
        """Return the names of the files that were put aside and are still there.

        Raises:
            OSError: The folder cannot be read.
        """
        return sorted(
            path.name for path in self.path.iterdir() if path.name.endswith(DAMAGED_SUFFIX)
        )

    def put_aside(self, path: Path) -> None:
        """Keep a damaged file under a further name, whatever becomes of the journal."""
        kept = path.with_name(path.name + DAMAGED_SUFFIX)
        if kept.exists():
            return
        try:
            try:
                kept.hardlink_to(path)
            except OSError:  # not every file system knows links
                shutil.copy2(path, kept)
        except OSError as error:
            log.error("%s is damaged and cannot be put aside: %s", path, error)

    def retire(self, paths: list[Path]) -> None:
        """Rename the files of an epoch that has ended; those of the one before are removed.

        Raises:
            OSError: It was not possible with all of them.
        """
        if paths:
            for old in self.path.glob(f"*{OLD_SUFFIX}"):
                old.unlink()
        for path in paths:
            path.rename(path.with_name(path.name + OLD_SUFFIX))

    def read(self, name: str, kind: Kind) -> Record | None:
        """Return the record that a small file holds; a damaged one is put aside.

        Raises:
            OSError: It cannot be read.
        """
        path = self.path / name
        try:
            found = scan(path.read_bytes())
        except FileNotFoundError:
            return None
        if len(found.records) == 1 and not found.damages and found.torn is None:
            (record,) = found.records
            if record.label.kind == kind:
                return record
        log.error("%s is damaged; it is kept as %s%s", path, name, DAMAGED_SUFFIX)
        self.put_aside(path)
        return None

    def replace(self, name: str, label: Label, body: Parts) -> None:
        """Let a small file hold this record: all of it, or what it held before.

        Raises:
            OSError: It was not possible.
        """
        path = self.path / name
        part = path.with_name(name + PART_SUFFIX)
        try:
            with part.open("wb") as stream:
                stream.write(b"".join(frame(label, body, 0)))
                stream.flush()
                if self._sync:
                    os.fsync(stream.fileno())
            part.replace(path)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise
        self.sync_names()

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there.

        Raises:
            OSError: It was not possible.
        """
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            self.sync_names()

    def sync_files(self, paths: list[Path]) -> None:
        """Have the contents of files on the medium, when that is asked for.

        Raises:
            OSError: It was not possible.
        """
        for path in paths if self._sync else []:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())

    def sync_names(self) -> None:
        """Have the names of new, renamed and removed files on the medium, when that is asked for.

        Raises:
            OSError: It was not possible.
        """
        if self._sync:
            fsync_folder(self.path)


def _number(path: Path) -> int:
    found = _NUMBERED.fullmatch(path.name)
    return int(found[1]) if found else 0
