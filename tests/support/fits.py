"""Small FITS files for tests, written by astropy, and what lies in them, read as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray


def hubble_frames() -> Path:
    """Return the real Hubble/STIS file of astropy's test data: six extensions."""
    return astropy_file("o4sp040b0_raw.fits")


def astropy_file(name: str) -> Path:
    """Return a file of astropy's test data."""
    return Path(str(files("astropy.io.fits.tests") / "data" / name))


def write_fits(
    path: Path,
    cards: Mapping[str, Any] | Sequence[str] = (),
    *,
    data: NDArray[Any] | None = None,
    extensions: Sequence[fits.hdu.base.ExtensionHDU] = (),
) -> Path:
    """Write a FITS file and return its path.

    Args:
        path: Where; its folder exists.
        cards: Of the primary header: values by name (``ESO DET X`` for ESO keywords), or
            whole cards as text.
        data: Of the primary HDU, ``None``: none.
        extensions: What follows.
    """
    primary = fits.PrimaryHDU(data)
    if isinstance(cards, Mapping):
        for name, value in cards.items():
            primary.header[f"HIERARCH {name}" if name.startswith("ESO ") else name] = value
    else:
        for text in cards:
            primary.header.append(fits.Card.fromstring(text.ljust(80)), end=True)
    fits.HDUList([primary, *extensions]).writeto(path, output_verify="ignore")
    return path


def image(name: str, value: int = 1, *, dtype: str = "int16", **cards: Any) -> fits.ImageHDU:
    """Make an image extension of 4 by 3 pixels that all have one value."""
    return fits.ImageHDU(np.full((4, 3), value, dtype=dtype), fits.Header(cards), name=name)


def table(name: str, column: str = "VALUE", values: Sequence[float] = (1.0,)) -> fits.BinTableHDU:
    """Make a binary table of one column of reals."""
    columns = [fits.Column(column, "D", array=np.array(values))]
    return fits.BinTableHDU.from_columns(columns, name=name)


def ascii_table(name: str, values: Sequence[float] = (1.5, 2.5)) -> fits.TableHDU:
    """Make an ASCII table of one column of reals."""
    return fits.TableHDU.from_columns([fits.Column("VALUE", "F8.3", array=values)], name=name)


def ragged_table(name: str) -> fits.BinTableHDU:
    """Make a table whose rows have arrays of different lengths (they lie in a heap)."""
    rows = np.empty(2, dtype=object)
    rows[:] = [np.arange(3, dtype=np.int32), np.arange(5, dtype=np.int32)]
    return fits.BinTableHDU.from_columns([fits.Column("RAGGED", "PJ()", array=rows)], name=name)


def compressed_image(name: str) -> fits.CompImageHDU:
    """Make a tile-compressed image extension."""
    return fits.CompImageHDU(np.arange(400, dtype="int32").reshape(20, 20), name=name)


def header_cards(path: Path, index: int = 0) -> list[str]:
    """Return the header records of an HDU as they lie in the file, 80 columns each."""
    with fits.open(path, disable_image_compression=True) as hdus:
        where = hdus[index].fileinfo()
    text = path.read_bytes()[where["hdrLoc"] : where["datLoc"]].decode("latin-1")
    images = [text[start : start + 80] for start in range(0, len(text), 80)]
    return images[: images.index("END".ljust(80))]


def data_bytes(path: Path, index: int) -> bytes:
    """Return the data of an HDU as they lie in the file, with their filling."""
    with fits.open(path, disable_image_compression=True) as hdus:
        where = hdus[index].fileinfo()
    return path.read_bytes()[where["datLoc"] : where["datLoc"] + where["datSpan"]]
