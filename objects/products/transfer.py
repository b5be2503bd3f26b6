"""Brings one file to a place: hard link, reflink, symbolic link or copy.

Whatever the way, the file appears under its name complete and on disk, or not at all.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from objects.component.atomic import PART_SUFFIX, fsync_folder
from objects.products.cancel import Cancel

_FICLONE = 0x40049409
_CHUNK = 4 << 20

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors that are over when somebody makes room."""

AWAY = frozenset(
    {
        *(errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN),
        *(errno.EHOSTDOWN, errno.EHOSTUNREACH),
    }
)
"""Errors of a mounted disk whose server does not answer now."""

Way = Callable[[Path, Path, Cancel], None]
"""Brings an existing file to a name that is free; ``OSError`` when it cannot."""


RETRY = "then retry the acquisition"
"""End of a remedy."""

ROOM = "free some space; it is tried again by itself, or retry the acquisition"
"""Remedy of a full disk."""


class TransferFailed(Exception):
    """A file could not be brought; says what was found, why, and what to do.

    Attributes:
        description: What was found.
        cause: Why, probably.
        remedy: What to do.
        passing: It may be over by itself (a full disk, a lost connection): worth
            another try without anybody asking for it.
    """

    def __init__(
        self, description: str, *, cause: str = "", remedy: str = "", passing: bool = False
    ) -> None:
        super().__init__(description)
        self.description = description
        self.cause = cause
        self.remedy = remedy
        self.passing = passing

    @classmethod
    def of(cls, error: OSError, what: str = "") -> TransferFailed:
        """Say an error of the operating system; ``what``: the file or folder concerned."""
        cause, remedy = reason(error)
        told = error.strerror or str(error)
        return cls(
            f"{what}: {told}" if what else told,
            cause=cause,
            remedy=remedy,
            passing=error.errno in NO_ROOM | AWAY,
        )


def hard_link(source: Path, place: Path, cancel: Cancel) -> None:
    """Give the file a second name on the same file system."""
    cancel.check()
    os.link(source, place)
    fsync_folder(place.parent)


def symbolic_link(source: Path, place: Path, cancel: Cancel) -> None:
    """Point to the file."""
    cancel.check()
    place.symlink_to(source)
    fsync_folder(place.parent)


def reflink(source: Path, place: Path, cancel: Cancel) -> None:
    """Make a copy that shares its blocks until one of both is changed (btrfs, XFS)."""
    _write_beside(source, place, cancel, _clone)


def copy(source: Path, place: Path, cancel: Cancel) -> None:
    """Make a copy."""
    _write_beside(source, place, cancel, _copy_chunks)


def bring(source: Path, place: Path, ways: tuple[Way, ...], cancel: Cancel) -> None:
    """Try the ways in their order until one succeeds.

    Raises:
        OSError: The last one failed too, or the place is taken.
        Cancelled: Asked to end; nothing stands at the place.
    """
    for way in ways[:-1]:
        with suppress(OSError):
            return way(source, place, cancel)
    return ways[-1](source, place, cancel)


def sha256(path: Path, cancel: Cancel) -> str:
    """Return the digest of a file as ``sha256:…``."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in _chunks(file.fileno(), cancel):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def reason(error: OSError) -> tuple[str, str]:
    """Return probable cause and remedy of a failed transfer."""
    return _REASONS.get(error.errno or 0, (error.strerror or str(error), f"repair it, {RETRY}"))


_REASONS = {
    errno.ENOENT: (
        "it was moved or deleted, or its file system is not mounted",
        f"put it back, {RETRY}",
    ),
    errno.EACCES: (
        "the DPM's user has no permission",
        f"give it the permission, {RETRY}",
    ),
    errno.ENOSPC: ("the disk is full", ROOM),
    errno.EDQUOT: ("the quota is used up", ROOM),
    errno.EROFS: (
        "the file system is mounted read-only",
        f"mount it for writing, {RETRY}",
    ),
    **dict.fromkeys(
        AWAY,
        (
            "the disk has a fault, or its file server does not answer",
            f"look after the disk or mount it again, {RETRY}",
        ),
    ),
}


def _write_beside(
    source: Path, place: Path, cancel: Cancel, fill: Callable[[int, int, Cancel], None]
) -> None:
    if os.path.lexists(place):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place))
    part = place.with_name(f".{place.name}{PART_SUFFIX}")
    try:
        with source.open("rb") as reading, part.open("wb") as writing:
            before = os.fstat(reading.fileno())
            _require_room(writing.fileno(), before.st_size)
            fill(reading.fileno(), writing.fileno(), cancel)
            _require_same(before, os.fstat(reading.fileno()))
            # The time of the original tells later whether it has changed since.
            os.utime(writing.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
            os.fsync(writing.fileno())
        part.rename(place)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    fsync_folder(place.parent)


def _require_room(descriptor: int, size: int) -> None:
    """Begin no copy that can only fill the disk for everybody else."""
    disk = os.fstatvfs(descriptor)
    if size > disk.f_frsize * disk.f_bavail:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _require_same(before: os.stat_result, after: os.stat_result) -> None:
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise still_written("it changed while it was copied")


def still_written(description: str) -> TransferFailed:
    """Return the failure of a file that is not at rest."""
    return TransferFailed(
        description,
        cause="it is still written to",
        remedy="let the source close its file; it is tried again by itself",
        passing=True,
    )


def _clone(reading: int, writing: int, cancel: Cancel) -> None:
    cancel.check()
    fcntl.ioctl(writing, _FICLONE, reading)


def _copy_chunks(reading: int, writing: int, cancel: Cancel) -> None:
    # To where it ended at the begin: one that grows as fast as it is copied would never end.
    left = os.fstat(reading).st_size
    for chunk in _chunks(reading, cancel):
        view = memoryview(chunk)
        while view:
            view = view[os.write(writing, view) :]
        left -= len(chunk)
        if left <= 0:
            break
    cancel.check()


def _chunks(reading: int, cancel: Cancel) -> Iterator[bytes]:
    cancel.check()
    while chunk := os.read(reading, _CHUNK):
        yield chunk
        cancel.check()
