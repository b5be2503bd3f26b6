"""Frames of arrays: FITS readers get exactly the pixels back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as some

from objects.data_source.cards import text_of
from objects.data_source.checksum import sealed
from objects.data_source.frame import Frame
from tests.unit.data_source.frames import PIXELS

TYPES = ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", ">i2", "<u2", ">f4")


@pytest.mark.parametrize("code", TYPES)
@given(data=some.data())
def test_pixels_come_back_bit_for_bit(code: str, data: some.DataObject) -> None:
    """Every pixel type that FITS has, the unsigned ones shifted."""
    wanted = np.frombuffer(data.draw(some.binary(min_size=48, max_size=48)), code).reshape(2, -1)
    frame = Frame.from_pixels(wanted)
    hdu = fits.ImageHDU.fromstring(sealed(frame.cards, frame.data))
    got: Any = hdu.data
    assert got.shape == wanted.shape
    same_type = got.astype(wanted.dtype, casting="unsafe")
    if wanted.dtype.kind == "f":
        assert np.array_equal(same_type, wanted, equal_nan=True)
    else:
        assert np.array_equal(same_type, wanted)


@pytest.mark.parametrize("pixels", [np.zeros((2, 2), bool), np.zeros(3, complex), np.float32(1)])
def test_what_fits_cannot_hold_is_refused(pixels: Any) -> None:
    """The message names type and shape."""
    with pytest.raises(ValueError, match="FITS has no images of type"):
        Frame.from_pixels(pixels)


def test_a_frame_can_be_named() -> None:
    """The name becomes EXTNAME."""
    assert text_of(Frame.from_pixels(PIXELS, name="CCD1").cards, "EXTNAME") == "CCD1"
