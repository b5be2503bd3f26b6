"""The FITS file of a metadata acquisition: an empty primary HDU and one binary table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idl_like_interfaces.keywords import FitsKeyword, ValueKeyword
from objects.data_source.cards import cards_of, value_cards
from objects.data_source.metadata import Column
from objects.data_source.output import make_final, part_of
from objects.data_source.statistics import Row

if TYPE_CHECKING:
    import numpy as np
    from astropy.io import fits

_MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)
_ISO_WIDTH = 23


def reserve(path: Path) -> None:
    """Make the place where the file will grow, to see now that it can.

    Raises:
        OSError: It cannot, or there is a file of that name.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists already")
    part_of(path).touch(exist_ok=False)


def discard(path: Path) -> None:
    """Remove what ``reserve`` made."""
    part_of(path).unlink(missing_ok=True)


def write_table(
    path: Path,
    extension: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    keywords: Sequence[FitsKeyword],
) -> None:
    """Write the file; it is durable, read-only and visible on return.

    The first columns are ``TIME`` (UTC, ISO 8601) and ``MJD``; the keywords stand in the
    header of the table.

    Raises:
        OSError: It could not be written; it is not visible.
        ValueError: A name, unit or keyword cannot stand in a FITS file.
    """
    from astropy.io import fits

    table = fits.BinTableHDU(_array(columns, rows), name=extension)
    table.header.update(_described(columns))
    for keyword in [*_span(rows), *keywords]:
        for card in cards_of(keyword):
            table.header.append(fits.Card.fromstring(card), end=True)
    part = part_of(path)
    with part.open("wb") as stream:
        fits.HDUList([fits.PrimaryHDU(), table]).writeto(stream, checksum=True)
        make_final(stream, part, path)


def _array(columns: Sequence[Column], rows: Sequence[Row]) -> np.ndarray[Any, Any]:
    import numpy as np

    types = [("TIME", f"S{_ISO_WIDTH}"), ("MJD", ">f8"), *((c.name, ">f8") for c in columns)]
    return np.array([(_iso(row.time), mjd(row.time), *row.values) for row in rows], dtype=types)


def _described(columns: Sequence[Column]) -> fits.Header:
    """Return units and comments for the columns' cards, which astropy has made."""
    from astropy.io import fits

    header = fits.Header()
    described = [Column(name="MJD", unit="d", comment="UTC as modified Julian date"), *columns]
    header["TTYPE1"] = ("TIME", "UTC")
    for number, column in enumerate(described, start=2):
        card = value_cards(f"TTYPE{number}", column.name, column.comment)
        header.update(fits.Header([fits.Card.fromstring(card[0])]))
        if column.unit:
            header[f"TUNIT{number}"] = column.unit
    return header


def _span(rows: Sequence[Row]) -> list[FitsKeyword]:
    return [
        ValueKeyword(name="TIMESYS", value="UTC", comment="time scale"),
        ValueKeyword(name="DATE-BEG", value=_iso(rows[0].time), comment="first sample"),
        ValueKeyword(name="DATE-END", value=_iso(rows[-1].time), comment="last sample"),
    ]


def mjd(time: datetime) -> float:
    """Return a time as modified Julian date."""
    return (time - _MJD_ZERO).total_seconds() / 86400.0


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
