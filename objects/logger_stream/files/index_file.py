"""The index of a file that grows."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from objects.logger_stream.files.index import (
    MOST_ENTRIES,
    Entries,
    describe,
    encode_chunk,
)
from objects.logger_stream.files.layout import index_path

_READ_ONLY = 0o444


class IndexFile:
    """Gets a chunk for each flush. What cannot be written is kept, and tried the next time.

    Args:
        path: Of the data file.
        file_check: Check of its first record.
        begin: Where the next event will begin in it.
        size: Bytes of the index that are kept; the rest is cut off (see ``cut_index``).
        before: Events in these.

    Attributes:
        size: Its bytes.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(
        self, path: Path, file_check: int, begin: int, *, size: int = 0, before: int = 0
    ) -> None:
        self._file_check = file_check
        self._begin = self._end = begin
        self._before = before
        self.size = size
        self._waiting: list[Entries] = []
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(index_path(path), flags, 0o644)
        self._is_closed = False
        os.ftruncate(self._descriptor, size)

    def add(self, entries: Entries) -> None:
        """Take the entries of events that stand behind those before without a hole."""
        if len(entries):
            self._waiting.append(entries)
            self._end += int(entries["size"].sum(dtype=np.int64))

    def flush(self, synced: int) -> None:
        """Write what waits as a chunk.

        Args:
            synced: Bytes of the data file that are synced.

        Raises:
            OSError: It could not be written; the index is whole as far as it goes.
        """
        if not self._waiting:
            return
        waiting = np.concatenate(self._waiting)
        self._waiting = [waiting]
        for first in range(0, len(waiting), MOST_ENTRIES):
            entries = waiting[first : first + MOST_ENTRIES]
            chunk = describe(entries, self._begin, self._before, synced)
            self._write(encode_chunk(chunk, entries, self._file_check))
            self._begin, self._before = chunk.end, self._before + chunk.count
            self._waiting = [waiting[first + len(entries) :]]
        self._waiting = []

    def skip(self, begin: int, synced: int) -> None:
        """Say where the next event begins, perhaps behind a hole.

        Raises:
            OSError: What waits could not be written.
        """
        if self._waiting and begin != self._end:
            self.flush(synced)
        if not self._waiting:
            self._begin = self._end = begin

    def _write(self, chunk: bytes) -> None:
        # A part of it that stays after an error is not cut off, since readers have mapped the
        # file; it is no whole chunk, and written over.
        done = 0
        while done < len(chunk):
            done += os.pwrite(self._descriptor, chunk[done:], self.size + done)
        self.size += done

    def finish(self) -> None:
        """Have it on the disk, and let nobody change it any more.

        Raises:
            OSError: It is not sure to be there.
        """
        os.fsync(self._descriptor)
        os.fchmod(self._descriptor, _READ_ONLY)

    def close(self) -> None:
        """Write no more."""
        if not self._is_closed:
            self._is_closed = True
            os.close(self._descriptor)


def cut_index(path: Path, size: int) -> None:
    """Keep so many bytes of the index of a file, in another file of the same name.

    Who reads the old one goes on reading it; a mapped file must not be cut off.

    Raises:
        OSError: It is not possible.
    """
    old = index_path(path)
    if not old.exists() or old.stat().st_size == size:
        return
    new = old.with_name(f".{old.name}.part")
    with old.open("rb") as source, new.open("wb") as target:
        done = 0
        while done < size:
            done += os.sendfile(target.fileno(), source.fileno(), done, size - done)
    new.replace(old)
