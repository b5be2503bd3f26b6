"""CHECKSUM and DATASUM are those of the FITS standard."""

from __future__ import annotations

from pathlib import Path

import fitsio
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as some

from objects.data_source.cards import value_cards
from objects.data_source.checksum import encoded, ones_complement_sum, sealed


def _primary(extra: list[str]) -> list[str]:
    return [
        *value_cards("SIMPLE", value=True),
        *value_cards("BITPIX", 8),
        *value_cards("NAXIS", 1),
        *value_cards("NAXIS1", 7),
        *extra,
    ]


@given(some.binary(min_size=7, max_size=7), some.text("ABC xyz'", max_size=40))
def test_astropy_accepts_the_checksums_of_any_content(data: bytes, text: str) -> None:
    """A second implementation computes the same sums."""
    octets = sealed(_primary(value_cards("OBJECT", text)), data)
    hdu = fits.PrimaryHDU.fromstring(octets)
    assert hdu.verify_checksum() == 1
    assert hdu.verify_datasum() == 1


def test_an_independent_reader_accepts_the_checksums(tmp_path: Path) -> None:
    """CFITSIO computes the same sums."""
    path = tmp_path / "one.fits"
    path.write_bytes(sealed(_primary([]), b"\xff" * 7))
    with fitsio.FITS(str(path)) as file:
        assert file[0].verify_checksum() is None  # raises when they differ


def test_a_changed_pixel_is_noticed() -> None:
    """The sums depend on the data."""
    octets = bytearray(sealed(_primary([]), b"abcdefg"))
    octets[-2880] ^= 1
    assert fits.PrimaryHDU.fromstring(bytes(octets)).verify_datasum() == 0


@given(some.integers(0, 2**32 - 1))
def test_the_encoded_sum_has_letters_and_digits_only(value: int) -> None:
    """The standard excludes punctuation, and the text adds up to the value again."""
    text = encoded(value)
    assert text.isalnum()
    zeros = ones_complement_sum((text[1:] + text[0]).encode()) - ones_complement_sum(b"0" * 16)
    assert zeros % 0xFFFFFFFF == value % 0xFFFFFFFF
