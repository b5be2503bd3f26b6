"""Data from file to file in one pass: a thread reads and sums ahead while a chunk is written."""

from __future__ import annotations

import os
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from typing import BinaryIO

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from objects.products.merge.checksum import add_sums, add_to_sum
from objects.products.merge.layout import BLOCK, Hdu
from objects.products.merge.problems import BadFits

CHUNK = 364 * BLOCK
"""Bytes that are moved at a time: about 1 MiB, whole blocks. What was read is summed and
written while the processor's cache still has it."""


class Pump(Closing):
    """Moves the data of HDUs; needs two chunks of memory, however long they are."""

    def __init__(self) -> None:
        self._buffers = tuple(memoryview(bytearray(CHUNK)) for _ in range(2))
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="merge-read")

    @override
    def close(self) -> None:
        self._reader.shutdown()

    def copy(self, origin: Hdu, file: BinaryIO) -> int:
        """Write the data of an HDU where the file stands; return their sum.

        Raises:
            BadFits: They have become shorter.
            OSError: They cannot be read or written.
        """
        total = 0
        with closing(self._chunks(origin)) as chunks:
            for chunk, part in chunks:
                total = add_sums(total, part)
                file.write(chunk)
        return total

    def sum(self, origin: Hdu) -> int:
        """Return the sum of the data of an HDU; raises as ``copy`` does."""
        total = 0
        with closing(self._chunks(origin)) as chunks:
            for _, part in chunks:
                total = add_sums(total, part)
        return total

    def _chunks(self, origin: Hdu) -> Generator[tuple[memoryview, int]]:
        """Yield each chunk with its sum; the next one is on its way meanwhile."""
        with origin.path.open("rb", buffering=0) as source:
            descriptor = source.fileno()
            os.posix_fadvise(
                descriptor, origin.data_offset, origin.data_size, os.POSIX_FADV_SEQUENTIAL
            )
            ahead: list[Future[tuple[memoryview, int]]] = []
            try:
                for number, start in enumerate(range(0, origin.data_size, CHUNK)):
                    chunk = self._buffers[number % 2][: min(CHUNK, origin.data_size - start)]
                    ahead.append(self._reader.submit(_filled, descriptor, chunk, start, origin))
                    if len(ahead) > 1:
                        yield ahead.pop(0).result()
                for last in ahead:
                    yield last.result()
            finally:
                wait(ahead)  # else a file that is opened next could be read in its place


def _filled(descriptor: int, chunk: memoryview, start: int, origin: Hdu) -> tuple[memoryview, int]:
    filled = 0
    while filled < len(chunk):
        count = os.preadv(descriptor, [chunk[filled:]], origin.data_offset + start + filled)
        if not count:
            raise BadFits(
                origin.path,
                f"became shorter while the data of the {origin.label} were copied",
                cause="somebody writes to it",
                remedy="merge again when its writer has finished",
            )
        filled += count
    return chunk, add_to_sum(0, chunk)
