"""Where the HDUs of a FITS file lie: their header records and the extent of their data.

The merger moves HDUs as they are, so it needs their extents and not their meaning;
nothing here decodes, scales or uncompresses data. The sizes follow section 4.4.1 of
the FITS standard 4.0.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from math import prod
from pathlib import Path
from typing import BinaryIO

from idl_like_interfaces.cards import CARD_LENGTH, CardKind
from objects.products.merge.cards import parse_card, split_value
from objects.products.merge.checksum import add_to_sum
from objects.products.merge.foreign import header_as_text, not_fits
from objects.products.merge.problems import BadFits

BLOCK = 2880
LARGEST_HEADER = 10_000
"""Blocks (360 000 cards): beyond it the END card was lost, and data are read as header."""

_INTEGER = re.compile(r"[+-]?[0-9]+")
_AT_ONCE = 256 * BLOCK
_DATA_WIDTHS = frozenset({8, 16, 32, 64, -32, -64})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdu:
    """One HDU of a file.

    Attributes:
        path: The file.
        index: 0 for the primary HDU.
        images: Header records of 80 columns in front of END; latin-1, so any byte survives.
        offset: Where its header begins, in bytes.
        data_offset: Where its data begin.
        data_size: Bytes of data that the file has, with what fills them up to whole blocks.
        fill: Bytes that the file lacks to a whole block; only of a last HDU, and fewer
            than a block.
        header_sum: Sum of the header as it lies there, for its checksum.
        unfilled_size: Bytes of its data without any filling.
        values: Value texts of its value keywords by name, of repeated ones the first.
    """

    path: Path
    index: int
    images: tuple[str, ...]
    offset: int
    data_offset: int
    data_size: int
    fill: int = 0
    header_sum: int = 0
    unfilled_size: int = 0
    values: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_ascii_table(self) -> bool:
        """Tell whether its data are text, which is filled up with blanks."""
        return split_value(parse_card(self.images[0]))[0].strip("' ") == "TABLE"

    @property
    def label(self) -> str:
        """Say which one it is, e.g. ``extension 4 (SCI,2)``."""
        if self.index == 0:
            return "primary HDU"
        return f"extension {self.index}" + (f" ({self.title})" if self.title else "")

    @property
    def title(self) -> str:
        """Return EXTNAME and, if there is one, EXTVER, e.g. ``SCI,2``; may be empty."""
        values = self.values
        name, version = values.get("EXTNAME", "").strip("' "), values.get("EXTVER", "")
        return ",".join(text for text in (name, version) if text)


def read_layout(path: Path) -> tuple[Hdu, ...]:
    """Read the headers of a file and check that all their data are there.

    Raises:
        BadFits: It is not FITS, a header is malformed, or the file is too short.
        OSError: It cannot be read.
    """
    return tuple(walk_layout(path))


def walk_layout(path: Path) -> Iterator[Hdu]:
    """Yield the HDUs of a file one by one; raises as ``read_layout`` does, where it is bad."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise BadFits(
                path,
                "the file is empty, wanted a FITS file",
                cause="its writer has made it and written nothing yet",
            )
        index = offset = 0
        while offset < size and not (index and _is_filling(file, offset)):
            hdu = _read_hdu(file, path, index, offset, size)
            yield hdu
            index, offset = index + 1, hdu.data_offset + hdu.data_size
        _check_end(path, file, offset)


def _is_filling(file: BinaryIO, offset: int) -> bool:
    """Tell whether a block behind the last HDU is mere filling, as tapes left it."""
    file.seek(offset)
    return not file.read(BLOCK).strip(b"\0 ")


def _check_end(path: Path, file: BinaryIO, offset: int) -> None:
    """Refuse filling with more behind it: an extension there would be lost without a word."""
    file.seek(offset)
    end = offset
    while octets := file.read(_AT_ONCE):
        if rest := octets.lstrip(b"\0 "):
            blocks = (end + len(octets) - len(rest) - offset) // BLOCK
            raise BadFits(
                path,
                f"{blocks * BLOCK} bytes of filling at byte {offset}, then more "
                f"at byte {offset + blocks * BLOCK}",
                cause="a writer left a gap in front of an extension, or never wrote one there",
            )
        end += len(octets)


def _read_hdu(file: BinaryIO, path: Path, index: int, offset: int, found: int) -> Hdu:
    images = tuple(_read_header(file, path, index, offset))
    # END stands behind them, then the block is filled.
    blocks = -(-(len(images) + 1) * CARD_LENGTH // BLOCK)
    data_offset = offset + blocks * BLOCK
    values = _values(images)
    if index == 0 and values.get("SIMPLE") != "T":
        raise BadFits(
            path,
            f"SIMPLE is {values.get('SIMPLE', 'without value')}, wanted T",
            cause="the file says itself that it does not keep the FITS standard",
        )
    size = _data_size(path, index, values)
    padded = -(-size // BLOCK) * BLOCK
    # Some writers leave the last block short; all of the data themselves must be there.
    fill = max(0, min(padded - size, data_offset + padded - found)) if size else 0
    file.seek(offset)
    hdu = Hdu(
        path=path,
        index=index,
        images=images,
        offset=offset,
        data_offset=data_offset,
        data_size=padded - fill,
        fill=fill,
        header_sum=add_to_sum(0, file.read(data_offset - offset)),
        unfilled_size=size,
        values=values,
    )
    _check_size(path, hdu, size, found)
    return hdu


def _read_header(file: BinaryIO, path: Path, index: int, offset: int) -> Iterator[str]:
    file.seek(offset)
    wanted = b"SIMPLE  " if index == 0 else b"XTENSION"
    for number in count():
        block = file.read(BLOCK)
        if number == 0 and block[:8] != wanted:
            raise not_fits(path, offset, wanted.decode().rstrip(), block)
        text = block.decode("latin-1")
        for start in range(0, len(block) - CARD_LENGTH + 1, CARD_LENGTH):
            image = text[start : start + CARD_LENGTH]
            if image.rstrip("\0 ") == "END":
                return
            yield image
        if len(block) < BLOCK or number == LARGEST_HEADER:
            end = offset + number * BLOCK + len(block)
            raise _endless(path, file, index, offset, end)


def _endless(path: Path, file: BinaryIO, index: int, offset: int, end: int) -> BadFits:
    file.seek(offset)
    as_text = header_as_text(file.read(CARD_LENGTH + 1))
    return BadFits(
        path,
        f"the header of HDU {index} does not end: no END card from byte {offset} to {end}",
        cause="it is a text file, with a line break behind each card"
        if as_text
        else "the file was truncated, or its header overwritten",
    )


def _values(images: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for image in images:
        card = parse_card(image)
        if card.kind is CardKind.VALUE:
            values.setdefault(card.name, split_value(card)[0])
    return values


def _data_size(path: Path, index: int, values: dict[str, str]) -> int:
    """Return the size of the data without what fills their last block."""
    width = _number(path, index, values, "BITPIX")
    if width not in _DATA_WIDTHS:
        raise BadFits(path, f"BITPIX of HDU {index} is {width}, which is no FITS data type")
    axes = [
        _number(path, index, values, f"NAXIS{axis + 1}")
        for axis in range(_number(path, index, values, "NAXIS"))
    ]
    groups = values.get("GROUPS") == "T" and bool(axes) and axes[0] == 0
    parameters, copies = 0, 1
    if groups or index > 0:
        parameters = _number(path, index, values, "PCOUNT", default=0)
        copies = _number(path, index, values, "GCOUNT", default=1)
    elements = prod(axes[1:] if groups else axes) if axes else 0
    return abs(width) // 8 * copies * (parameters + elements)


def _number(
    path: Path, index: int, values: dict[str, str], name: str, default: int | None = None
) -> int:
    text = values.get(name)
    if text is None and default is not None:
        return default
    if text is None or not _INTEGER.fullmatch(text):
        found = "is missing" if text is None else f"is {text!r}"
        raise BadFits(path, f"{name} of HDU {index} {found}, wanted an integer")
    number = int(text)
    if number < 0 and name != "BITPIX":
        raise BadFits(path, f"{name} of HDU {index} is {number}, wanted 0 or more")
    return number


def _check_size(path: Path, hdu: Hdu, size: int, found: int) -> None:
    wanted = hdu.data_offset + size
    if size and found < wanted:
        raise BadFits(
            path,
            f"truncated in the data of the {hdu.label}: expected at least {wanted} bytes, "
            f"found {found}",
            cause="its writer had not finished, or the copy of the file was broken off",
        )
