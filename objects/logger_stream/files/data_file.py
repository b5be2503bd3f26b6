"""The data of an event file that grows: by whole records, also when the disk fails in the middle."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from objects.logger_stream.files.locking import lock

_MOST_PARTS = 1024
"""Parts of one system call (IOV_MAX)."""

_READ_ONLY = 0o444


class DataFile(Closing):
    """A file open for writing at its end; nobody else may write it meanwhile.

    Args:
        path: The file.
        size: Bytes in it that are kept, and are synced already; -1: it is a new one and must
            not exist.

    Attributes:
        path: The file.
        size: Bytes of the whole records in it.
        durable: Of these synced.

    Raises:
        OSError: It cannot be opened; ``FileInUse``: another process writes it.
    """

    def __init__(self, path: Path, size: int = -1) -> None:
        self.path = path
        self.size = max(size, 0)
        self.durable = self.size
        self._names_are_durable = False
        self._is_closed = False
        new = os.O_CREAT | os.O_EXCL if size < 0 else 0
        self.descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | new, 0o644)
        try:
            lock(self.descriptor, str(path))
            if size >= 0:
                self.truncate(size)
                self.durable = size
        except OSError:
            self.close()
            raise

    def write(
        self, parts: Sequence[memoryview | bytes], sizes: npt.NDArray[np.int64]
    ) -> tuple[int, OSError | None]:
        """Write records; when not all can be written, those that are whole stay.

        Args:
            parts: Their bytes.
            sizes: The size of each.

        Returns:
            How many were written, and why not all.
        """
        wanted = int(sizes.sum())
        done, error = self._write(parts)
        if done == wanted:
            self.size += wanted
            return len(sizes), None
        ends = np.cumsum(sizes)
        count = int(np.searchsorted(ends, done, side="right"))
        self.size += int(ends[count - 1]) if count else 0
        # What is left of a record will be written over, if it cannot be cut off now.
        with suppress(OSError):
            os.ftruncate(self.descriptor, self.size)
        return count, error

    def append(self, record: bytes) -> None:
        """Write one record.

        Raises:
            OSError: It could not be written; nothing of it stays.
        """
        _, error = self.write([record], np.array([len(record)], np.int64))
        if error is not None:
            raise error

    def _write(self, parts: Sequence[memoryview | bytes]) -> tuple[int, OSError | None]:
        """Write parts behind each other; return how many bytes, and why not all."""
        left, done = list(parts), 0
        try:
            while left:
                count = os.pwritev(self.descriptor, left[:_MOST_PARTS], self.size + done)
                if not count:
                    return done, OSError(errno.EIO, "nothing was written", str(self.path))
                done += count
                left = _behind(left, count)
        except OSError as error:
            error.filename = error.filename or str(self.path)
            return done, error
        return done, None

    def sync(self) -> None:
        """Have all of it on the disk, and its name.

        Raises:
            OSError: It is not sure to be there.
        """
        size = self.size
        if size > self.durable:
            try:
                os.fdatasync(self.descriptor)
            except OSError as error:
                error.filename = error.filename or str(self.path)
                raise
        if not self._names_are_durable:
            fsync_names(self.path)
            self._names_are_durable = True
        self.durable = size

    def seal(self) -> None:
        """Let nobody change it any more."""
        os.fchmod(self.descriptor, _READ_ONLY)

    def lay(self, place: int, record: bytes) -> None:
        """Lay a record over what stands there.

        Raises:
            OSError: Not all of it could be written.
        """
        done = 0
        while done < len(record):
            done += os.pwrite(self.descriptor, record[done:], place + done)
        self.durable = 0

    def truncate(self, size: int) -> None:
        """Cut off what stands behind.

        Raises:
            OSError: It is not possible.
        """
        if size != os.fstat(self.descriptor).st_size:
            os.ftruncate(self.descriptor, size)
        self.size, self.durable = size, 0

    @override
    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            os.close(self.descriptor)


def fsync_names(path: Path) -> None:
    """Make a file's name, and that of its folder, survive a crash."""
    for folder in (path.parent, path.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _behind(parts: list[memoryview | bytes], count: int) -> list[memoryview | bytes]:
    """Return what is left of parts of which so many bytes are written."""
    for number, part in enumerate(parts):
        if count < len(part):
            return [memoryview(part)[count:], *parts[number + 1 :]]
        count -= len(part)
    return []
