"""Data from file to file in one pass: read, summed and written while the cache has them."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from typing import BinaryIO

from objects.products.merge.checksum import add_to_sum
from objects.products.merge.layout import BLOCK, Hdu
from objects.products.merge.problems import BadFits

CHUNK = 364 * BLOCK
"""Bytes that are moved at a time: about 1 MiB, whole blocks."""

_BEHIND = 8 << 20
_PAGES = 64 << 10
_WRITE = 2  # SYNC_FILE_RANGE_WRITE


class Pump:
    """Moves the data of HDUs into a file, with one chunk of memory, however long they are.

    The disk begins with what was written some MiB ago while more is copied: what the last
    synchronisation has to wait for is short, and the memory that waits for the disk bounded.
    """

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(CHUNK))

    def copy(self, origin: Hdu, file: BinaryIO) -> int:
        """Write the data of an HDU where the file stands; return their sum.

        Raises:
            BadFits: They have become shorter, or cannot be read.
            OSError: They cannot be written.
        """
        total, begun = 0, file.tell()
        for chunk in self._chunks(origin):
            total = add_to_sum(total, chunk)
            file.write(chunk)
            # What the disk has begun with shall not change again: so whole pages only.
            end = file.tell() // _PAGES * _PAGES
            if end - begun >= _BEHIND:
                write_out(file.fileno(), begun, end)
                begun = end
        return total

    def sum(self, origin: Hdu) -> int:
        """Return the sum of the data of an HDU; raises as ``copy`` does."""
        total = 0
        for chunk in self._chunks(origin):
            total = add_to_sum(total, chunk)
        return total

    def _chunks(self, origin: Hdu) -> Iterator[memoryview]:
        with origin.path.open("rb", buffering=0) as source:
            end = origin.data_offset + origin.data_size
            for start in range(origin.data_offset, end, CHUNK):
                chunk = self._buffer[: min(CHUNK, end - start)]
                _fill(source.fileno(), chunk, start, origin)
                yield chunk


def _fill(descriptor: int, chunk: memoryview, start: int, origin: Hdu) -> None:
    filled = 0
    while filled < len(chunk):
        try:
            count = os.preadv(descriptor, [chunk[filled:]], start + filled)
        except OSError as error:
            raise BadFits(
                origin.path,
                f"the data of the {origin.label} cannot be read: {error.strerror}",
                cause="the disk has a fault, or its file server does not answer",
                remedy="look after the disk or mount it again, then merge again",
            ) from error
        if not count:
            raise BadFits(
                origin.path,
                f"became shorter while the data of the {origin.label} were copied",
                cause="somebody writes to it",
                remedy="merge again when its writer has finished",
            )
        filled += count


def write_out(descriptor: int, begin: int, end: int) -> None:
    """Let the disk begin with a part of a file, without waiting for it.

    A mere hint: what fails shows itself at the synchronisation, which waits for all of it.
    """
    if _sync_file_range is not None:
        _sync_file_range(descriptor, begin, end - begin, _WRITE)


def _find_sync_file_range() -> ctypes._NamedFuncPointer | None:
    function = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return function


_sync_file_range = _find_sync_file_range()
