"""A journal file that is being written: it grows by whole records, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from objects.messaging.segments import Label, Parts, frame


class SegmentFile:
    """A new file.

    Args:
        path: Of the file; must not exist.
        sync: Each record is on the medium before ``append`` returns.

    Attributes:
        path: Of the file.
        size: Bytes of the whole records in it.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, path: Path, *, sync: bool) -> None:
        self.path = path
        self.size = 0
        self._sync = sync
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND
        self._descriptor = os.open(path, flags, 0o644)

    def append(self, label: Label, body: Parts) -> None:
        """Write a record.

        Raises:
            OSError: It could not be written; what was written of it is cut off if that is
                possible. The file must not be used any more.
        """
        self._append(frame(label, body, self.size))

    def append_all(self, records: Iterable[tuple[Label, Parts]]) -> None:
        """Write records, which are synced together.

        Raises:
            OSError: As for ``append``; none of them is in the file.
        """
        # Joined: one system call takes 1024 parts at most.
        joined = bytearray()
        for label, body in records:
            for part in frame(label, body, self.size + len(joined)):
                joined += part
        self._append([memoryview(joined)])

    def _append(self, parts: Parts) -> None:
        try:
            self.write(parts)
            if self._sync:
                os.fdatasync(self._descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
            raise
        self.size += sum(map(len, parts))

    def write(self, parts: Parts) -> None:
        """Hand bytes to the operating system, all of them.

        Raises:
            OSError: It did not take all.
        """
        done = os.writev(self._descriptor, parts)
        if done < sum(map(len, parts)):
            rest = memoryview(b"".join(parts))[done:]
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def sync(self) -> None:
        """Have all of it on the medium.

        Raises:
            OSError: It is not sure to be there.
        """
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Write no more."""
        os.close(self._descriptor)
