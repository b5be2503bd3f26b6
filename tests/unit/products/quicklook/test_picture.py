"""The picture as a whole: of any file, within its bounds, and never in place of another file."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from idl_like_interfaces.errors import BadParam, PersistStore
from objects.products.quicklook.contents import Part, opened
from objects.products.quicklook.page import SIDE, WIDTH
from objects.products.quicklook.panels import Panel, columns_of, fitting, panel
from objects.products.quicklook.stretch import CONSTANT, NO_VALUE, coloured, limits
from objects.products.quicklook.tool import picture_of, quicklook
from tests.support.fits import compressed_image, hubble_frames, image, table, write_fits

LIMIT_MIB = 150


def colours(picture: Image.Image) -> set[Any]:
    return {colour for _, colour in picture.getcolors(1 << 24) or []}


def drawn(path: Path, index: int = 0) -> Panel:
    with opened(path) as file:
        hdu = file.hdus[index]
        kind = isinstance(hdu, fits.CompImageHDU)
        part = Part(index=index, name="X", text="", shape=hdu.shape, is_compressed=kind)
        return panel(file, part, (200, 200))


def picture(found: Panel) -> Image.Image:
    assert found.picture is not None, found.note
    return found.picture


def test_real_frames_become_a_picture_beside_them(tmp_path: Path) -> None:
    """Of the usual width, with greys where the images are."""
    product = tmp_path / "INS.2026.fits"
    product.write_bytes(hubble_frames().read_bytes())
    place = quicklook(product)
    assert place == tmp_path / "INS.2026.png"
    with Image.open(place) as found:
        assert found.size[0] == WIDTH
        greys = {c for c in colours(found.crop((0, 60, WIDTH - SIDE, 300))) if c[0] == c[1] == c[2]}
        assert len(greys) > 20
        assert found.info["Title"] == "INS.2026.fits"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["INS.2026.fits", "INS.2026.png"]


def test_the_same_file_gives_the_same_picture(tmp_path: Path) -> None:
    """Nothing else has an influence, not even the time."""
    one = quicklook(hubble_frames(), tmp_path / "a.png")
    other = quicklook(hubble_frames(), tmp_path / "b.png")
    assert one.read_bytes() == other.read_bytes()


def test_the_first_pixel_is_at_the_lower_left(tmp_path: Path) -> None:
    """As everybody shows FITS images: x to the right, y upwards."""
    values = np.zeros((10, 10), "f4")
    values[0, 0] = 100
    found = picture(drawn(write_fits(tmp_path / "a.fits", data=values)))
    assert found.getpixel((2, found.height - 3)) == (255, 255, 255)
    assert found.getpixel((2, 2)) == (0, 0, 0)
    assert found.getpixel((found.width - 3, found.height - 3)) == (0, 0, 0)


def test_what_is_no_value_has_a_colour(tmp_path: Path) -> None:
    """NaN and infinities; a constant is grey all over."""
    values = np.full((10, 10), 7, "f4")
    values[5, 5] = np.nan
    values[2, 2] = np.inf
    found = drawn(write_fits(tmp_path / "a.fits", data=values))
    assert colours(picture(found)) == {(CONSTANT,) * 3, NO_VALUE}
    assert found.note == "7 everywhere"


def test_an_image_without_any_value_is_drawn(tmp_path: Path) -> None:
    """And said to be one."""
    found = drawn(write_fits(tmp_path / "a.fits", data=np.full((4, 4), np.nan)))
    assert (colours(picture(found)), found.note) == ({NO_VALUE}, "no finite value")


def test_a_mask_that_is_nearly_everywhere_zero_shows_what_is_not() -> None:
    """Where ZScale finds no contrast the lowest and highest values are the limits."""
    values = np.zeros((100, 100))
    values[3, 3] = 8
    assert limits(values) == (0.0, 8.0)


@pytest.mark.parametrize("largest", [1e300, np.finfo(float).max])
def test_huge_values_are_drawn(largest: float) -> None:
    """Without a warning: no difference overflows."""
    values = np.array([[-largest, 0.0], [1.0, largest]])
    ends = limits(values)
    assert ends is not None
    assert coloured(values, ends).shape == (2, 2, 3)


def test_a_row_of_pixels_is_drawn_as_a_curve(tmp_path: Path) -> None:
    """With gaps where there is no value; 1-D or 1 x N."""
    values = np.sin(np.arange(3000) / 100).astype("f4")
    values[1000:1500] = np.nan
    for shape in ((3000,), (1, 3000)):
        path = write_fits(tmp_path / f"{len(shape)}.fits", data=values.reshape(shape))
        found = picture(drawn(path))
        gap = found.crop((found.width * 2 // 5, 0, found.width * 9 // 20, found.height))
        assert colours(gap) == {(255, 255, 255)}
        assert len(colours(found)) > 1


@pytest.mark.parametrize("shape", [(3, 20000), (20000, 3), (1, 1), (2, 2), (5, 1)])
def test_images_of_odd_shapes_fill_their_place(tmp_path: Path, shape: tuple[int, int]) -> None:
    """No side is a thread, none is larger than the room."""
    found = picture(
        drawn(
            write_fits(
                tmp_path / "a.fits", data=np.arange(np.prod(shape), dtype="f4").reshape(shape)
            )
        )
    )
    assert min(found.size) >= 24
    assert max(found.size) <= 200


def test_small_images_are_enlarged_by_whole_numbers() -> None:
    """Pixels stay squares."""
    assert fitting((60, 50), (270, 270)) == (240, 200)
    assert fitting((4000, 2000), (200, 200)) == (200, 100)


def test_a_page_without_image_says_what_is_inside(tmp_path: Path) -> None:
    """A table-only product has a picture, too."""
    product = write_fits(tmp_path / "a.fits", {"OBJECT": "none"}, extensions=[table("T")])
    with Image.open(quicklook(product)) as found:
        assert found.size[0] == WIDTH
        assert len(colours(found)) > 2


def test_of_a_hundred_images_the_first_are_drawn(tmp_path: Path) -> None:
    """In a grid; the page has a bounded size."""
    product = write_fits(tmp_path / "a.fits", extensions=[image(f"CHIP{n}", n) for n in range(100)])
    with Image.open(quicklook(product)) as found:
        assert found.size[0] == WIDTH
        assert found.size[1] < 2000
    assert [columns_of(n) for n in (0, 1, 2, 4, 5, 9, 10, 25)] == [1, 1, 2, 2, 3, 3, 4, 5]


def test_a_tile_that_does_not_fit_is_not_decompressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The panel says why; the others are drawn."""
    monkeypatch.setattr("objects.products.quicklook.planes._LARGEST_TILE", 10)
    path = write_fits(tmp_path / "a.fits", extensions=[compressed_image("C")])
    found = drawn(path, 1)
    assert found.picture is None
    assert "too large" in found.note
    assert quicklook(path).is_file()


def test_an_own_picture_is_replaced_and_another_file_is_not(tmp_path: Path) -> None:
    """The refusal says what is in the way."""
    product = write_fits(tmp_path / "a.fits", extensions=[image("A")])
    first = quicklook(product)
    before = first.stat().st_ino
    assert quicklook(product).stat().st_ino != before
    for content in (b"my notes", b""):
        first.write_bytes(content)
        with pytest.raises(BadParam, match="not replaced") as refused:
            quicklook(product)
        assert refused.value.remedy
        assert first.read_bytes() == content
    Image.new("RGB", (4, 4)).save(first)
    with pytest.raises(BadParam, match="not replaced"):
        quicklook(product)


def test_a_file_that_cannot_be_shown_is_refused(tmp_path: Path) -> None:
    """Missing, no FITS, a folder; and a place where nothing can be written."""
    (tmp_path / "text.fits").write_text("hello")
    (tmp_path / "empty.fits").touch()
    (tmp_path / "old.fits.Z").write_bytes(b"\x1f\x9d\x90" + bytes(100))
    bad = sorted(tmp_path.iterdir())
    for path in (tmp_path / "missing.fits", tmp_path, *bad):
        with pytest.raises(BadParam, match=str(path)):
            quicklook(path, tmp_path / "x.png")
    product = write_fits(tmp_path / "a.fits")
    with pytest.raises(PersistStore, match="cannot be written"):
        quicklook(product, tmp_path / "no" / "x.png")
    assert sorted(tmp_path.iterdir()) == sorted([product, *bad])


@pytest.mark.parametrize(
    ("name", "place"),
    [("a.fits", "a.png"), ("a.fits.gz", "a.png"), ("a.b", "a.b.png"), ("fits", "fits.png")],
)
def test_the_picture_stands_beside_its_file(name: str, place: str) -> None:
    """With the same name."""
    assert picture_of(Path("/x") / name) == Path("/x") / place


@pytest.mark.parametrize("left", [0.6, 0.99])
def test_a_compressed_file_that_is_cut_is_shown_as_far_as_it_can_be_read(
    tmp_path: Path, left: float
) -> None:
    """The page says what is missing."""
    content = gzip.compress(hubble_frames().read_bytes())
    path = tmp_path / "cut.fits.gz"
    path.write_bytes(content[: int(left * len(content))])
    assert quicklook(path).is_file()


def _sparse(path: Path, rows: int, columns: int) -> Path:
    """Write the header of a large image of float32, and let the file system give the zeros."""
    header = fits.Header({"SIMPLE": True, "BITPIX": -32, "NAXIS": 2})
    header.update({"NAXIS1": columns, "NAXIS2": rows})
    path.write_bytes(header.tostring().encode())
    size = rows * columns * 4
    with path.open("r+b") as file:
        file.truncate(2880 + size + -size % 2880)
    return path


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (12000, 12000),
        pytest.param(32768, 32768, marks=pytest.mark.soak),
        pytest.param(1, 200_000_000, marks=pytest.mark.soak),
    ],
)
def test_memory_is_bounded_whatever_the_size(tmp_path: Path, rows: int, columns: int) -> None:
    """Half a GiB, 4 GiB, one very long row: less than 150 MiB, in a process of its own."""
    product = _sparse(tmp_path / "big.fits", rows, columns)
    text = (
        "import re, sys; from pathlib import Path\n"
        "from objects.products.quicklook.tool import quicklook\n"
        "quicklook(Path(sys.argv[1]))\n"
        # Not ru_maxrss: that begins with the memory of the process that started this one.
        "said = Path('/proc/self/status').read_text()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', said)[1]) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", text, str(product)],
        capture_output=True,
        text=True,
        check=True,
        env={"OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
    )
    assert int(done.stdout) < LIMIT_MIB
    assert product.with_suffix(".png").is_file()
