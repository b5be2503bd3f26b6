"""What merges are compared with: the same bytes from file to file, and on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from objects.products.merge.pump import write_out

_EARLY = 8 << 20


def copied(files: Sequence[Path], place: Path, *, is_early: bool = False) -> float:
    """Return how long files take to one behind the other in a new one, in seconds.

    By the kernel alone, the last byte on disk included; the new file is removed again.

    Args:
        files: What is copied.
        place: The new file.
        is_early: The disk is told to begin while it is copied.
    """

    def copy() -> None:
        with place.open("xb") as target:
            _add(files, target.fileno(), is_early=is_early)

    return _timed(copy, place)


def appended(files: Sequence[Path], place: Path) -> float:
    """Return how long they take to the end of an existing one, which is removed then."""

    def append() -> None:
        with place.open("r+b") as target:
            _add(files, target.fileno(), is_early=False)

    return _timed(append, place)


def rewritten(files: Sequence[Path], place: Path) -> float:
    """Return how long astropy takes to write them with checksums into a new file."""
    from astropy.io import fits

    def write() -> None:
        product = fits.HDUList([fits.PrimaryHDU()])
        opened = [fits.open(file) for file in files]
        for each in opened:
            product += [hdu.copy() for hdu in each[1:]]
        with place.open("wb") as target:
            product.writeto(target, checksum=True)
            target.flush()
            os.fsync(target.fileno())
        for each in opened:
            each.close()

    return _timed(write, place)


def _timed(make: Callable[[], None], place: Path) -> float:
    began = time.perf_counter()
    try:
        make()
        return time.perf_counter() - began
    finally:
        place.unlink()


def _add(files: Sequence[Path], target: int, *, is_early: bool) -> None:
    begun = end = os.lseek(target, 0, os.SEEK_END)
    for file in files:
        with file.open("rb") as source:
            left = os.fstat(source.fileno()).st_size
            while left:
                count = os.copy_file_range(source.fileno(), target, min(left, _EARLY))
                left, end = left - count, end + count
                if is_early and end - begun >= _EARLY:
                    write_out(target, begun, end)
                    begun = end
    os.fsync(target)
