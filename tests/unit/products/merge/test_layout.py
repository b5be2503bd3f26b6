"""The layout of FITS files: extents agree with astropy's, damage is told precisely."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from objects.products.merge.layout import BLOCK, read_layout
from objects.products.merge.problems import BadFits
from tests.support.fits import ascii_table, astropy_file, hubble_frames, image, write_fits

FILES = (
    "o4sp040b0_raw.fits",
    "test0.fits",
    "comp.fits",
    "random_groups.fits",
    "variable_length_table.fits",
    "theap-gap.fits",
    "ascii.fits",
    "scale.fits",
    "history_header.fits",
)


def with_header(path: Path, *images: str, size: int = 0) -> Path:
    """Write a file of one header and some bytes."""
    text = "".join(image.ljust(80) for image in (*images, "END"))
    path.write_bytes(text.ljust(BLOCK).encode("latin-1") + b"\0" * size)
    return path


@pytest.mark.parametrize("name", FILES)
def test_extents_are_those_that_astropy_finds(name: str) -> None:
    """Images, groups, tables with heaps and compressed images, all from real files."""
    path = astropy_file(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path, disable_image_compression=True) as hdus:
            wanted = [(w["datLoc"], w["datSpan"]) for w in (hdu.fileinfo() for hdu in hdus)]
    assert [(hdu.data_offset, hdu.data_size) for hdu in read_layout(path)] == wanted


def test_an_hdu_is_called_by_its_index_and_name() -> None:
    """So that a message can point at it."""
    labels = [hdu.label for hdu in read_layout(hubble_frames())]
    assert labels[:2] == ["primary HDU", "extension 1 (SCI,1)"]
    assert labels[-1] == "extension 6 (DQ,2)"


def test_filling_behind_the_last_hdu_is_no_hdu(tmp_path: Path) -> None:
    """Tapes and some archives fill files up with zeros or blanks."""
    path = write_fits(tmp_path / "a.fits", extensions=[image("A")])
    with path.open("ab") as file:
        file.write(b"\0" * BLOCK)
    assert len(read_layout(path)) == 2


@pytest.mark.parametrize("blocks", [1, 700])
def test_an_extension_behind_filling_is_not_lost(tmp_path: Path, blocks: int) -> None:
    """Whether the gap is a mistake, only its writer knows: better told than dropped."""
    path = write_fits(tmp_path / "a.fits", extensions=[image("A")])
    size = path.stat().st_size
    other = write_fits(tmp_path / "b.fits", extensions=[image("LOST")])
    lost = other.read_bytes()[read_layout(other)[1].offset :]
    with path.open("ab") as file:
        file.write(b"\0" * BLOCK * blocks + lost)
    with pytest.raises(BadFits) as refusal:
        read_layout(path)
    begin = size + blocks * BLOCK
    told = f"{blocks * BLOCK} bytes of filling at byte {size}, then more at byte {begin}"
    assert told in refusal.value.message


def test_a_truncated_file_is_told_with_both_sizes(tmp_path: Path) -> None:
    """The refusal names file, HDU, the size found and the size expected."""
    extension = read_layout(hubble_frames())[1]
    found, wanted = extension.data_offset + 100, extension.data_offset + 62 * 44 * 2
    path = tmp_path / "cut.fits"
    path.write_bytes(hubble_frames().read_bytes()[:found])
    with pytest.raises(
        BadFits, match=r"cut\.fits: truncated in the data of the extension"
    ) as refusal:
        read_layout(path)
    assert f"expected at least {wanted} bytes, found {found}" in refusal.value.message
    assert "not finished" in refusal.value.cause


def test_a_file_that_ends_within_a_header_is_truncated(tmp_path: Path) -> None:
    """There is no END card by then."""
    path = tmp_path / "cut.fits"
    path.write_bytes(hubble_frames().read_bytes()[: BLOCK + 100])
    with pytest.raises(
        BadFits, match=r"header of HDU 0 does not end: no END card from byte 0 to 2980"
    ):
        read_layout(path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\x1f\x8b\x08 is how gzip begins", "compressed with gzip"),
        (b"BZh91AY&SY is how bzip2 begins", "compressed with bzip2"),
        (b"no fits", "must begin with SIMPLE"),
    ],
)
def test_what_is_no_fits_file_is_refused(tmp_path: Path, content: bytes, word: str) -> None:
    """The refusal says what was found instead."""
    path = tmp_path / "x.fits"
    path.write_bytes(content)
    with pytest.raises(BadFits, match=word):
        read_layout(path)


@pytest.mark.parametrize(("extension", "filling"), [(image("A"), b"\0"), (ascii_table("A"), b" ")])
def test_a_last_block_that_is_short_is_filled(
    tmp_path: Path, extension: fits.hdu.base.ExtensionHDU, filling: bytes
) -> None:
    """When only the filling is missing: each byte of the data themselves must be there."""
    path = write_fits(tmp_path / "a.fits", extensions=[extension])
    whole = read_layout(path)[1]
    size = len(path.read_bytes().rstrip(filling)) - whole.data_offset
    os.truncate(path, whole.data_offset + size)
    hdu = read_layout(path)[1]
    assert (hdu.data_size, hdu.fill) == (size, BLOCK - size)
    os.truncate(path, whole.data_offset + size - 1)
    with pytest.raises(BadFits, match="truncated"):
        read_layout(path)


def test_a_last_header_that_is_short_is_read_to_its_end_card(tmp_path: Path) -> None:
    """It has no data, so nothing of the file is missing."""
    path = with_header(tmp_path / "x.fits", "SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0")
    os.truncate(path, 320)
    (hdu,) = read_layout(path)
    assert (len(hdu.images), hdu.data_size) == (3, 0)


def test_a_file_that_says_it_is_no_standard_fits_is_refused(tmp_path: Path) -> None:
    """What its data look like then, only its writer knows."""
    path = with_header(tmp_path / "x.fits", "SIMPLE  = F", "BITPIX  = 8", "NAXIS   = 0")
    with pytest.raises(BadFits, match="SIMPLE is F, wanted T"):
        read_layout(path)


def test_a_header_as_text_is_told_from_a_truncated_one(tmp_path: Path) -> None:
    """An editor has made it, with a line break behind each card."""
    path = tmp_path / "x.fits"
    path.write_text("\n".join(["SIMPLE  =  T".ljust(80), "BITPIX  = 8".ljust(80), "END"]))
    with pytest.raises(BadFits, match="does not end") as refusal:
        read_layout(path)
    assert "line break" in refusal.value.cause


def test_rubbish_behind_the_last_hdu_is_refused(tmp_path: Path) -> None:
    """It may be data that somebody appended by mistake: better told than dropped."""
    path = write_fits(tmp_path / "a.fits")
    with path.open("ab") as file:
        file.write(b"x" * BLOCK)
    with pytest.raises(BadFits, match=r"at byte 2880 an extension must begin with XTENSION"):
        read_layout(path)


@pytest.mark.parametrize(
    ("images", "word"),
    [
        (["SIMPLE  = T", "NAXIS   = 0"], "BITPIX of HDU 0 is missing"),
        (["SIMPLE  = T", "BITPIX  = 17", "NAXIS   = 0"], "BITPIX of HDU 0 is 17"),
        (["SIMPLE  = T", "BITPIX  = 'a'", "NAXIS   = 0"], "is \"'a'\", wanted an integer"),
        (
            ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 3"],
            "NAXIS2 of HDU 0 is missing",
        ),
        (["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = -3"], "is -3, wanted 0 or more"),
        (["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = 3"], "truncated"),
    ],
)
def test_a_malformed_header_is_told_by_its_keyword(
    tmp_path: Path, images: list[str], word: str
) -> None:
    """The refusal names the keyword, what was found and what was wanted."""
    with pytest.raises(BadFits, match=word):
        read_layout(with_header(tmp_path / "x.fits", *images))


def test_a_header_that_never_ends_is_given_up(tmp_path: Path) -> None:
    """A lost END card does not make a large file be read into memory."""
    path = tmp_path / "x.fits"
    with path.open("wb") as file:
        file.write(b"SIMPLE  = T")
        file.truncate(BLOCK * 20_000)
    with pytest.raises(BadFits, match="does not end: no END card from byte 0 to 28802880"):
        read_layout(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    position=st.integers(0, 2 * BLOCK),
    dirt=st.binary(min_size=1, max_size=12),
    cut=st.integers(0, 9000),
)
def test_damage_is_refused_and_never_a_crash(
    tmp_path: Path, position: int, dirt: bytes, cut: int
) -> None:
    """Whatever a disk made of the file: a layout within its size, or a refusal."""
    path = tmp_path / "x.fits"
    path.unlink(missing_ok=True)
    whole = write_fits(path, extensions=[image("A")]).read_bytes()
    path.write_bytes((whole[:position] + dirt + whole[position + len(dirt) :])[:cut])
    with suppress(BadFits):
        last = read_layout(path)[-1]
        assert not last.data_size or last.data_offset + last.data_size <= path.stat().st_size
