"""Two axes of an image, read in small pieces and binned on the way: memory stays bounded.

Scaled, unsigned and undefined values (``BSCALE``, ``BZERO``, ``BLANK``) are those that
they stand for; what is not finite counts in no bin, and a bin without any value is NaN.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

PIECE = 1 << 19
"""Pixels that are read at once."""

BUDGET = 1 << 26
"""Of an image with more pixels only some rows of each bin are read: a picture must not
keep disk and processor busy for minutes."""

_LARGEST_TILE = 1 << 24

_CODES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}

Pixels = NDArray[np.floating[Any]]


class NotDrawn(Exception):
    """An image that cannot be drawn; the text says why."""


class Plane(Protocol):
    """Two axes of an image.

    Attributes:
        rows: Length of the slow axis.
        columns: Length of the fast axis.
        grain: Rows that should be read together.
    """

    rows: int
    columns: int
    grain: int

    def read(self, row: int, rows: int, column: int, columns: int) -> Pixels:
        """Return a piece, first row first; what the file lacks is NaN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binned:
    """An image small enough to be drawn.

    Attributes:
        values: First row is the lowest one; NaN where there is no value.
        factors: How many rows and columns make one of it.
        row_step: Every so manieth row was read.
    """

    values: NDArray[np.float64]
    factors: tuple[int, int]
    row_step: int = 1


class StoredPlane(Plane):
    """Pixels as they lie in a file.

    Args:
        hdu: An image HDU.
        descriptor: Of its file, which is not compressed as a whole.
        index: The plane, for each axis but the last two.
    """

    grain = 1

    def __init__(self, hdu: Any, descriptor: int, index: tuple[int, ...]) -> None:
        header = hdu.header
        self.rows, self.columns = _last_two(hdu.shape)
        self._dtype = np.dtype(_CODES[header["BITPIX"]])
        # What a float32 holds exactly needs no more.
        self._wide: Any = np.float32 if header["BITPIX"] in (8, 16, -32) else np.float64
        self._file = descriptor
        number = int(np.ravel_multi_index(index, hdu.shape[:-2])) if index else 0
        size = self.rows * self.columns * self._dtype.itemsize
        self._offset = hdu.fileinfo()["datLoc"] + number * size
        self._scale = float(header.get("BSCALE", 1))
        self._zero = float(header.get("BZERO", 0))
        self._blank = header.get("BLANK") if header["BITPIX"] > 0 else None

    @override
    def read(self, row: int, rows: int, column: int, columns: int) -> Pixels:
        wanted = rows * columns
        # A piece is either whole rows or a part of one: one range of bytes.
        place = self._offset + (row * self.columns + column) * self._dtype.itemsize
        found = os.pread(self._file, wanted * self._dtype.itemsize, place)
        raw = np.frombuffer(found, self._dtype, len(found) // self._dtype.itemsize)
        values: Pixels = np.full(wanted, np.nan, self._wide)
        values[: raw.size] = raw
        if self._blank is not None:
            values[: raw.size][raw == self._blank] = np.nan
        if (self._scale, self._zero) != (1.0, 0.0):
            values = values * self._scale + self._zero
        return values.reshape(rows, columns)


class TiledPlane(Plane):
    """Pixels that must be decompressed.

    Args:
        hdu: A compressed image, or one of a file that is compressed as a whole.
        index: As above.

    Raises:
        NotDrawn: A tile of it does not fit into memory.
    """

    def __init__(self, hdu: Any, index: tuple[int, ...]) -> None:
        self.rows, self.columns = _last_two(hdu.shape)
        tile = tuple(getattr(hdu, "tile_shape", (1,)))
        if prod(tile) > _LARGEST_TILE:
            raise NotDrawn(f"its tiles of {prod(tile)} pixels are too large")
        self.grain = tile[-2] if len(tile) > 1 else 1
        self._section = hdu.section
        self._is_flat = len(hdu.shape) == 1
        self._index = index

    @override
    def read(self, row: int, rows: int, column: int, columns: int) -> Pixels:
        across = slice(column, column + columns)
        where = (across,) if self._is_flat else (*self._index, slice(row, row + rows), across)
        found: Pixels = np.asarray(self._section[where], dtype=np.float64)
        return found.reshape(rows, columns)


def _last_two(shape: Sequence[int]) -> tuple[int, int]:
    return (shape[-2] if len(shape) > 1 else 1), shape[-1]


def middle(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the plane in the middle of all axes but the last two."""
    return tuple(length // 2 for length in shape[:-2])


def binned(plane: Plane, most: tuple[int, int], budget: int = BUDGET) -> Binned:
    """Read a plane so that it has at most so many rows and columns."""
    factors = ceil(plane.rows / most[0]), ceil(plane.columns / most[1])
    step = min(factors[0], ceil(plane.rows * plane.columns / budget))
    shape = ceil(plane.rows / factors[0]), ceil(plane.columns / factors[1])
    sums, counts = np.zeros(shape), np.zeros(shape, np.uint32)
    for row, rows, column, columns in _pieces(plane, step):
        values = plane.read(row, rows, column, columns)
        is_known = np.isfinite(values)
        y, x = row // factors[0], column // factors[1]
        for total, piece in ((sums, np.where(is_known, values, 0)), (counts, is_known)):
            across = _folded(piece, column, factors[1], 1, total.dtype)
            folded = _folded(across, row, factors[0], 0, total.dtype)
            total[y : y + folded.shape[0], x : x + folded.shape[1]] += folded
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        sums /= counts
    return Binned(values=sums, factors=factors, row_step=step)


def _pieces(plane: Plane, step: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield row, rows, column, columns of each piece: whole rows, or a part of one."""
    if plane.columns > PIECE and plane.grain == 1:
        for row in range(0, plane.rows, step):
            for column in range(0, plane.columns, PIECE):
                yield row, 1, column, min(PIECE, plane.columns - column)
        return
    together = max(PIECE // plane.columns // plane.grain * plane.grain, plane.grain)
    height, stride = (1, step) if step > 1 else (together, together)
    for row in range(0, plane.rows, stride):
        yield row, min(height, plane.rows - row), 0, plane.columns


def _folded(
    values: NDArray[Any], first: int, factor: int, axis: int, type_: np.dtype[Any]
) -> NDArray[Any]:
    """Add up what falls into the same bin along an axis; ``first`` is where it begins."""
    if factor == 1:
        return values
    starts = np.arange(-(first % factor), values.shape[axis], factor)
    with np.errstate(over="ignore"):
        return np.add.reduceat(values, np.maximum(starts, 0), axis=axis, dtype=type_)
