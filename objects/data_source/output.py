"""The folder that a source writes into: one writer at a time, nothing half-written visible.

A file grows under a name that ends in ``.part``. When it is complete it is flushed to
the disk, made read-only and renamed. What a killed process left behind is found at the
next start and put aside under a name that ends in ``.broken``.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import socket
from pathlib import Path
from typing import BinaryIO

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.errors import SystemRefusal
from objects.component.atomic import fsync_folder
from objects.data_source.readiness import SourceNotReady

log = logging.getLogger(__name__)

PART = ".part"
BROKEN = ".broken"
_LOCK = ".lock"
_READ_ONLY = 0o444


class FolderInUse(SourceNotReady):
    """Another process records into the folder."""


class OutputFolder:
    """A folder that belongs to one running source.

    Args:
        path: It is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: BinaryIO | None = None

    def ensure_open(self) -> None:
        """Make the folder, take it, and put aside what an earlier process left.

        Raises:
            SourceNotReady: It cannot be written.
            FolderInUse: Another process has it.
        """
        if self._lock is not None:
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / _LOCK).open("ab")
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise FolderInUse(
                f"{self.path} is in use by another process",
                cause="A second instance of this source runs on the same data root.",
                remedy="Stop the other one, or give this one another `output` folder.",
            ) from error
        self._lock = lock
        for part in sorted(self.path.glob(f"*{PART}")):
            log.warning("a killed process left %s: kept as %s", part, set_aside(part).name)

    def recover(self) -> None:
        """Do the same at the start of the process.

        A folder that cannot be written is no reason not to come up: each command that
        needs it will say so.

        Raises:
            SystemRefusal: Another process has it.
        """
        try:
            self.ensure_open()
        except FolderInUse as error:
            raise SystemRefusal(error.message, cause=error.cause, remedy=error.remedy) from error
        except SourceNotReady as error:
            log.error("%s: %s", error.message, error.cause)

    def close(self) -> None:
        """Give the folder free."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def file_of(self, id: str) -> Path:
        """Return the path of the finished file of a session or acquisition."""
        return (self.path / f"{id}.fits").absolute()


def part_of(path: Path) -> Path:
    """Return the name under which a file grows."""
    return path.with_name(path.name + PART)


def set_aside(part: Path) -> Path:
    """Rename an incomplete file so that it is neither taken for data nor lost."""
    stem = part.name.removesuffix(PART)
    target = part.with_name(stem + BROKEN)
    number = 1
    while target.exists():
        number += 1
        target = part.with_name(f"{stem}.{number}{BROKEN}")
    part.rename(target)
    return target


def make_final(stream: BinaryIO, part: Path, path: Path) -> None:
    """Make a complete file durable, read-only and visible under its own name.

    Raises:
        OSError: It could not; the file is still under the name ``part``.
    """
    stream.flush()
    os.fchmod(stream.fileno(), _READ_ONLY)
    os.fsync(stream.fileno())
    part.rename(path)
    fsync_folder(path.parent)


def announcement(path: Path, owner: str) -> FileFinished:
    """Read a finished file and say what it is."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    return FileFinished(
        path=str(path),
        host=socket.gethostname(),
        kind="source",
        owner=owner,
        size_bytes=path.stat().st_size,
        digest=f"sha256:{digest.hexdigest()}",
    )


def unwritable(folder: Path, error: OSError) -> SourceNotReady:
    """Return the refusal for a folder that cannot be written."""
    return SourceNotReady(
        f"Data cannot be written into {folder}",
        cause=str(error),
        remedy="Make the folder writable (mount, owner, free space), or set `output` "
        "to another one; then start again.",
    )
