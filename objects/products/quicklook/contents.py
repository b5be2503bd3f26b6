"""What a FITS file consists of, told by its headers; no data are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any

from astropy.io.fits import VerifyError

from objects.products.merge.layout import walk_layout
from objects.products.merge.problems import BadFits

MOST_HDUS = 500
"""So many are looked at; the headers of all of them would be kept in memory."""

KEYWORDS = (
    "OBJECT", "INSTRUME", "TELESCOP", "DATE-OBS", "MJD-OBS", "EXPTIME", "FILTER", "RA", "DEC",
    "OBSERVER", "PI-COI", "ESO DPR CATG", "ESO DPR TYPE", "ESO DPR TECH", "ESO OBS NAME",
    "ESO OBS ID", "ESO TPL NAME", "ESO TPL ID", "ESO DET NAME", "ESO INS MODE", "DATE", "ORIGFILE",
    "ARCFILE",
)  # fmt: skip
"""What is shown beside the images, in this order, of what the file has."""

_BEGIN = b"SIMPLE"
BROKEN = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    EOFError,
    VerifyError,
)
"""What astropy raises for a header that makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An HDU.

    Attributes:
        index: Its number in the file, from 0.
        name: EXTNAME with its version, or PRIMARY; may be empty.
        text: What it is, in a few words, e.g. ``1062 x 1044 int16``.
        shape: Of an image with pixels, slowest axis first; empty: it has none.
        is_compressed: Its pixels lie in compressed tiles.
    """

    index: int
    name: str
    text: str
    shape: tuple[int, ...] = ()
    is_compressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A FITS file.

    Attributes:
        parts: Its HDUs, the first ``MOST_HDUS`` of them.
        keywords: Names and values, see ``KEYWORDS``.
        note: What could not be looked at; empty: nothing.
    """

    parts: tuple[Part, ...]
    keywords: tuple[tuple[str, str], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A FITS file that is open.

    Attributes:
        path: The file.
        hdus: astropy's list of them; headers are read when they are asked for.
        descriptor: Of the file; -1: it is compressed as a whole, so that what lies where is
            not known.
    """

    path: Path
    hdus: Any
    descriptor: int


@contextmanager
def opened(path: Path) -> Iterator[OpenFile]:
    """Open a file; data are never read as a whole.

    Raises:
        OSError: It cannot be read, or is no FITS file.
    """
    from astropy.io import fits

    with path.open("rb") as stream:
        is_plain = stream.read(len(_BEGIN)) == _BEGIN
        stream.seek(0)
        with fits.open(stream, lazy_load_hdus=True) as hdus:
            descriptor = stream.fileno() if is_plain else -1
            yield OpenFile(path=path, hdus=hdus, descriptor=descriptor)


def examine(file: OpenFile) -> Contents:
    """Read the headers of a file, as far as they can be read."""
    parts: list[Part] = []
    headers: list[Any] = []
    for index in range(MOST_HDUS):
        try:
            hdu = file.hdus[index]
        except IndexError:
            note = _passed_over(file, index)
            break
        except BROKEN as error:
            note = _unread(index, _one_line(error))
            break
        parts.append(_part(index, hdu))
        headers.append(hdu.header)
    else:
        note = f"only the first {MOST_HDUS} HDUs were looked at"
    return Contents(parts=tuple(parts), keywords=tuple(_keywords(headers)), note=note)


def _passed_over(file: OpenFile, known: int) -> str:
    """Say what is behind the HDUs that astropy knows: it ends at a header that it cannot read."""
    if file.descriptor < 0:
        return ""
    found = 0
    try:
        for hdu in islice(walk_layout(file.path), known + 1):
            found = hdu.index + 1
    except BadFits as error:
        # Of one that astropy has shown its own part tells.
        said = _one_line(error).removeprefix(f"{file.path}: ")
        return _unread(known, said) if found == known else ""
    return _unread(known, "its header makes no sense") if found > known else ""


def _unread(index: int, why: str) -> str:
    return f"HDU {index} and what follows cannot be read: {why}"


def _part(index: int, hdu: Any) -> Part:
    name = _name(hdu)
    try:
        return _described(index, name, hdu)
    except BROKEN as error:
        return Part(index=index, name=name, text=f"cannot be read: {_one_line(error)}")


def _name(hdu: Any) -> str:
    """Return EXTNAME and EXTVER, as far as they make sense."""
    name = ""
    with suppress(*BROKEN):
        name = str(hdu.name)
        if hdu.ver > 1:
            return f"{name},{hdu.ver}"
    return name


def _described(index: int, name: str, hdu: Any) -> Part:
    from astropy.io import fits

    match hdu:
        case fits.GroupsHDU():
            shape = tuple(hdu.header[f"NAXIS{n}"] for n in range(2, hdu.header["NAXIS"] + 1))
            groups = _number(hdu.header.get("GCOUNT", 1), "random group")
            return Part(index=index, name=name, text=f"{groups} of {_axes(shape[::-1])}")
        case fits.BinTableHDU() | fits.TableHDU():
            kind = "table" if isinstance(hdu, fits.BinTableHDU) else "ASCII table"
            rows, columns = hdu.header["NAXIS2"], hdu.header["TFIELDS"]
            text = f"{kind}, {_number(rows, 'row')} of {_number(columns, 'column')}"
            return Part(index=index, name=name, text=text)
        case fits.PrimaryHDU() | fits.ImageHDU() | fits.CompImageHDU():
            return _image(index, name, hdu, is_compressed=isinstance(hdu, fits.CompImageHDU))
        case _:
            return Part(index=index, name=name, text=f"{hdu.size} bytes of an unknown kind")


def _image(index: int, name: str, hdu: Any, *, is_compressed: bool) -> Part:
    shape = tuple(int(each) for each in hdu.shape)
    if not shape or not prod(shape):
        return Part(index=index, name=name, text="header only")
    text = f"{_axes(shape)} {_type(hdu.header)}{', compressed' if is_compressed else ''}"
    return Part(index=index, name=name, text=text, shape=shape, is_compressed=is_compressed)


def _axes(shape: Sequence[int]) -> str:
    """Say the axes in the order of FITS: the fastest first."""
    return " x ".join(str(each) for each in reversed(shape)) + ("" if len(shape) > 1 else " pixels")


def _type(header: Any) -> str:
    bitpix = header["BITPIX"]
    if bitpix < 0:
        return f"float{-bitpix}"
    if header.get("BSCALE", 1) == 1 and header.get("BZERO", 0) == 2 ** (bitpix - 1):
        return f"uint{bitpix}"
    return f"{'u' if bitpix == 8 else ''}int{bitpix}"  # noqa: PLR2004 (the only unsigned one)


def _number(count_: int, what: str) -> str:
    return f"{count_} {what}{'' if count_ == 1 else 's'}"


def _keywords(headers: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Take each from the first header that has it: the primary one, if it does."""
    for name in KEYWORDS:
        found = next((header for header in headers if name in header), None)
        if found is not None:
            yield name, _value(found, name)


def _value(header: Any, name: str) -> str:
    from astropy.io import fits

    try:
        value = header[name]
    except BROKEN:
        return "(cannot be read)"
    if value is None or isinstance(value, fits.card.Undefined):
        return "(undefined)"
    return ("T" if value else "F") if isinstance(value, bool) else " ".join(str(value).split())


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
