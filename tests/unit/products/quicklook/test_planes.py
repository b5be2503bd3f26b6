"""Pixels read in pieces and binned: the same values as those of the whole image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from typing_extensions import override

from objects.products.quicklook import planes
from objects.products.quicklook.contents import opened
from objects.products.quicklook.planes import (
    Pixels,
    Plane,
    StoredPlane,
    TiledPlane,
    binned,
    middle,
)

ALL = 10**9


class ArrayPlane(Plane):
    """A plane in memory, which notes how much was read at once."""

    grain = 1

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values
        self.rows, self.columns = values.shape
        self.read_rows: set[int] = set()

    @override
    def read(self, row: int, rows: int, column: int, columns: int) -> Pixels:
        self.read_rows |= set(range(row, row + rows))
        piece: Pixels = self.values[row : row + rows, column : column + columns].astype(float)
        return piece


def expected(values: NDArray[Any], most: tuple[int, int]) -> NDArray[np.float64]:
    """Return the means of the bins, made the slow way."""
    fy, fx = -(-values.shape[0] // most[0]), -(-values.shape[1] // most[1])
    rows = range(0, values.shape[0], fy)
    columns = range(0, values.shape[1], fx)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = [
            [
                np.where(np.isfinite(piece), piece, 0).sum() / np.isfinite(piece).sum()
                for x in columns
                for piece in [values[y : y + fy, x : x + fx]]
            ]
            for y in rows
        ]
    return np.array(found)


@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    most=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    piece=st.integers(1, 300),
    seed=st.integers(0, 100),
)
def test_bins_are_the_means_of_what_is_finite(
    shape: tuple[int, int], most: tuple[int, int], piece: int, seed: int
) -> None:
    """However large the pieces are in which they are read."""
    random = np.random.default_rng(seed)
    values = random.normal(size=shape)
    values[random.random(shape) < 0.2] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planes, "PIECE", piece)
        found = binned(ArrayPlane(values), most)
    np.testing.assert_allclose(found.values, expected(values, most), rtol=1e-12)


def test_of_a_huge_image_some_rows_of_each_bin_are_read() -> None:
    """So the time is bounded; every bin has its values."""
    plane = ArrayPlane(np.repeat(np.arange(100.0)[:, None], 10, axis=1))
    found = binned(plane, (10, 10), budget=500)
    assert (found.factors, found.row_step) == ((10, 1), 2)
    assert plane.read_rows == set(range(0, 100, 2))
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize(
    "pixels",
    [
        np.arange(12, dtype="u1"),
        np.arange(-6, 6, dtype="i2"),
        np.arange(12, dtype="u2") + 65000,
        np.arange(-6, 6, dtype="i4"),
        np.arange(-6, 6, dtype="i8"),
        np.array([np.nan, np.inf, *range(10)], dtype="f4"),
        np.arange(12, dtype="f8"),
    ],
    ids=lambda pixels: str(pixels.dtype),
)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_pixels_are_those_that_the_file_means(
    tmp_path: Path, pixels: NDArray[Any], is_compressed: bool
) -> None:
    """Of every type, also unsigned; plain or tile-compressed."""
    values = pixels.reshape(3, 4)
    if is_compressed and pixels.dtype == "i8":
        pytest.skip("no compression takes 64 bits")
    kind = fits.CompImageHDU if is_compressed else fits.ImageHDU
    more = {"quantize_level": 0.0, "compression_type": "GZIP_1"} if is_compressed else {}
    fits.HDUList([fits.PrimaryHDU(), kind(values, **more)]).writeto(tmp_path / "a.fits")
    np.testing.assert_array_equal(read(tmp_path / "a.fits"), values)


def read(path: Path, index: int = 1) -> Pixels:
    with opened(path) as file:
        hdu = file.hdus[index]
        where = middle(hdu.shape)
        plain = file.descriptor >= 0 and not isinstance(hdu, fits.CompImageHDU)
        plane: Plane = StoredPlane(hdu, file.descriptor, where) if plain else TiledPlane(hdu, where)
        return plane.read(0, plane.rows, 0, plane.columns)


def test_scaled_and_undefined_values_are_told(tmp_path: Path) -> None:
    """BSCALE, BZERO and BLANK."""
    hdu = fits.ImageHDU(np.array([[1, 2], [-99, 4]], "i2"))
    hdu.header.update({"BSCALE": 0.5, "BZERO": 10, "BLANK": -99})
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "a.fits")
    content = (tmp_path / "a.fits").read_bytes()
    assert b"BLANK" in content
    found = read(tmp_path / "a.fits")
    np.testing.assert_array_equal(found[0], [10.5, 11.0])
    assert found[1, 1] == 12.0
    assert np.isnan(found[1, 0])


def test_of_a_cube_the_middle_plane_is_read(tmp_path: Path) -> None:
    """On every axis but the last two."""
    cube = np.arange(5 * 4 * 3 * 2, dtype="i4").reshape(5, 4, 3, 2)
    fits.PrimaryHDU(cube).writeto(tmp_path / "a.fits")
    assert middle(cube.shape) == (2, 2)
    np.testing.assert_array_equal(read(tmp_path / "a.fits", 0), cube[2, 2])


def test_a_file_that_is_compressed_as_a_whole_is_read(tmp_path: Path) -> None:
    """By astropy, since nothing lies where the headers say."""
    values = np.arange(12, dtype="i2").reshape(3, 4)
    fits.PrimaryHDU(values).writeto(tmp_path / "a.fits.gz")
    np.testing.assert_array_equal(read(tmp_path / "a.fits.gz", 0), values)


@pytest.mark.filterwarnings("ignore:File may have been truncated")
def test_pixels_that_a_cut_file_lacks_are_no_values(tmp_path: Path) -> None:
    """The others are there."""
    path = tmp_path / "a.fits"
    fits.PrimaryHDU(np.ones((100, 100), "f4")).writeto(path)
    path.write_bytes(path.read_bytes()[: 2880 + 4 * 5000])
    assert np.isfinite(read(path, 0)).sum() == 5000
