"""The data of an HDU: their filling, their checksums, arrays within the heap, text as text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from objects.products.merge.layout import BLOCK, Hdu
from objects.products.merge.problems import BadFits
from objects.products.merge.pump import Pump
from objects.products.merge.suspicion import wrong_checksums
from objects.products.merge.verify_findings import Found, error, warning
from objects.products.merge.verify_structure import extension_type, number
from objects.products.merge.verify_tables import ArrayColumn, array_columns

_ROWS = 1 << 22
"""Bytes of rows that are looked at at a time."""


def verify_data(hdu: Hdu) -> Iterator[Found]:
    """Yield what is wrong with the data of an HDU, read from its file."""
    try:
        datasum = Pump().sum(hdu)
    except BadFits as problem:
        yield error(problem.message, cause=problem.cause, remedy=problem.remedy)
        return
    if not hdu.fill and (wrong := wrong_checksums(hdu, datasum)):
        yield error(
            wrong.removeprefix(f"{hdu.label}: "),
            cause="the file was damaged or changed after its checksums were written",
            remedy="compare it with the original",
        )
    with hdu.path.open("rb") as file:
        yield from _filling(file, hdu)
        if extension_type(hdu) == "TABLE":
            yield from _text(file, hdu)
        if extension_type(hdu) == "BINTABLE":
            yield from _arrays(file, hdu)


def _filling(file: BinaryIO, hdu: Hdu) -> Iterator[Found]:
    surplus = min(hdu.unfilled_size % BLOCK and BLOCK - hdu.unfilled_size % BLOCK, hdu.data_size)
    file.seek(hdu.data_offset + hdu.unfilled_size)
    letter = b" " if hdu.is_ascii_table else b"\0"
    if file.read(surplus - hdu.fill).strip(letter):
        name = "blanks" if hdu.is_ascii_table else "zeros"
        yield warning(f"the last block of the data is not filled with {name}")


def _text(file: BinaryIO, hdu: Hdu) -> Iterator[Found]:
    file.seek(hdu.data_offset)
    left = hdu.unfilled_size
    while left > 0:
        chunk = np.frombuffer(file.read(min(left, _ROWS)), np.uint8)
        if ((chunk < ord(" ")) | (chunk > ord("~"))).any():
            yield error("an ASCII table has bytes that are no printable ASCII")
            return
        left -= _ROWS


def _arrays(file: BinaryIO, hdu: Hdu) -> Iterator[Found]:
    columns = array_columns(hdu)
    row, rows = number(hdu, "NAXIS1", 0), number(hdu, "NAXIS2", 0)
    if not columns or row < columns[-1].offset + columns[-1].width:
        return
    start = number(hdu, "THEAP", row * rows)
    room = row * rows + number(hdu, "PCOUNT", 0) - start
    bad: dict[int, int] = {}
    step = max(1, _ROWS // row)
    for first in range(0, rows, step):
        data = os.pread(file.fileno(), row * min(step, rows - first), hdu.data_offset + row * first)
        block = np.frombuffer(data[: len(data) // row * row], np.uint8).reshape(-1, row)
        for column in columns:
            outside = int(_outside(block, column, room).sum())
            bad[column.number] = bad.get(column.number, 0) + outside
    for column_number, count in bad.items():
        if count:
            yield error(
                f"column {column_number}: the arrays of {count} rows lie outside the heap "
                f"of {room} bytes"
            )


def _outside(block: np.ndarray, column: ArrayColumn, room: int) -> np.ndarray:
    cells = block[:, column.offset : column.offset + column.width]
    pairs = np.ascontiguousarray(cells).view(f">i{column.width // 2}").astype(np.float64)
    counts, offsets = pairs[:, 0], pairs[:, 1]
    ends = offsets + np.ceil(counts * column.bits / 8)
    return (counts < 0) | ((counts > 0) & ((offsets < 0) | (ends > room)))
