"""The columns of a table: their forms, and whether their widths give that of a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from objects.products.merge.layout import Hdu
from objects.products.merge.verify_findings import Found, error, warning
from objects.products.merge.verify_structure import extension_type, number

_MOST_COLUMNS = 999
_SIZES = {"L": 1, "X": 1, "B": 1, "I": 2, "J": 4, "K": 8, "A": 1, "E": 4, "D": 8, "C": 8, "M": 16}
_BINARY = re.compile(r"(?P<count>\d*)(?P<type>[LXBIJKAEDCM])(?P<rest>.*)")
_ARRAY = re.compile(r"[01]?(?P<type>[PQ])(?P<element>[LXBIJKAEDCM])(\((?P<most>\d*)\))?")
_TEXT = re.compile(r"(?:A(?P<a>\d+)|I(?P<i>\d+)|[FED](?P<f>\d+)\.\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayColumn:
    """A column of descriptors of arrays in the heap.

    Attributes:
        number: Of the column, from 1.
        offset: Of the descriptor in a row, in bytes.
        width: 8 for descriptors of 32-bit integers, 16 for 64-bit.
        bits: Of an element.
    """

    number: int
    offset: int
    width: int
    bits: int


def verify_table(hdu: Hdu) -> Iterator[Found]:
    """Yield what is wrong with the description of a table; nothing for other HDUs."""
    kind = extension_type(hdu)
    if kind not in ("TABLE", "BINTABLE"):
        return
    fields = number(hdu, "TFIELDS", 0)
    if not 0 <= fields <= _MOST_COLUMNS:
        yield error(f"TFIELDS is {fields}, wanted 0 to {_MOST_COLUMNS}")
        return
    missing = [f"TFORM{each + 1}" for each in range(fields) if f"TFORM{each + 1}" not in hdu.values]
    if missing:
        yield error(f"{len(missing)} of {fields} columns have no form, the first is {missing[0]}")
    elif kind == "TABLE":
        yield from _text_table(hdu, fields)
    else:
        yield from _binary_table(hdu, fields)
    yield from _names(hdu, fields)


def array_columns(hdu: Hdu) -> list[ArrayColumn]:
    """Return the columns of a binary table whose arrays lie in its heap."""
    columns, offset = [], 0
    for column in range(1, number(hdu, "TFIELDS", 0) + 1):
        form = _form(hdu, column)
        if (found := _ARRAY.fullmatch(form)) and not form.startswith("0"):
            bits = 1 if found["element"] == "X" else 8 * _SIZES[found["element"]]
            columns.append(
                ArrayColumn(number=column, offset=offset, width=_width(form) or 0, bits=bits)
            )
        offset += _width(form) or 0
    return columns


def _binary_table(hdu: Hdu, fields: int) -> Iterator[Found]:
    total = 0
    for column in range(1, fields + 1):
        width = _width(_form(hdu, column))
        if width is None:
            yield error(f"TFORM{column} is {_form(hdu, column)!r}, no form of a binary table")
            return
        total += width
    if total != (row := number(hdu, "NAXIS1", 0)):
        yield error(f"a row has {row} bytes by NAXIS1, its columns have {total}")
    start, heap = row * number(hdu, "NAXIS2", 0), number(hdu, "PCOUNT", 0)
    theap = number(hdu, "THEAP", start)
    if not start <= theap <= start + heap:
        yield error(f"THEAP is {theap}, wanted {start} to {start + heap}, where the heap lies")


def _text_table(hdu: Hdu, fields: int) -> Iterator[Found]:
    row = number(hdu, "NAXIS1", 0)
    for column in range(1, fields + 1):
        found = _TEXT.fullmatch(_form(hdu, column))
        start = number(hdu, f"TBCOL{column}", 0)
        if not found:
            yield error(f"TFORM{column} is {_form(hdu, column)!r}, no form of an ASCII table")
        elif start < 1:
            yield error(f"TBCOL{column} is missing, or no column of the table")
        elif (end := start - 1 + int(found["a"] or found["i"] or found["f"])) > row:
            yield error(f"column {column} ends in {end}, a row has {row} bytes by NAXIS1")


def _names(hdu: Hdu, fields: int) -> Iterator[Found]:
    names = [hdu.values.get(f"TTYPE{column + 1}", "").strip("' ") for column in range(fields)]
    for name, count in Counter(name.upper() for name in names if name).items():
        if count > 1:
            yield warning(f"{count} columns are called {name}, upper and lower case not told apart")
    beyond = [
        name
        for name in hdu.values
        if (found := re.fullmatch(r"(?:TFORM|TTYPE|TBCOL)(\d+)", name)) and int(found[1]) > fields
    ]
    if beyond:
        yield warning(f"{', '.join(beyond[:5])} is more than TFIELDS = {fields} allows")


def _form(hdu: Hdu, column: int) -> str:
    return hdu.values.get(f"TFORM{column}", "").strip("' ")


def _width(form: str) -> int | None:
    """Return the bytes of a column in a row; ``None``: it is no form."""
    if found := _ARRAY.fullmatch(form):
        return 0 if form.startswith("0") else 8 if found["type"] == "P" else 16
    if not (found := _BINARY.fullmatch(form)):
        return None
    count = int(found["count"] or 1)
    return -(-count // 8) if found["type"] == "X" else count * _SIZES[found["type"]]
