"""Frames of real FITS files, and the folders that cannot give any."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.recif import RecProperties
from objects.data_source.checksum import sealed
from objects.data_source.folder_frames import FolderFrames, as_extension, scan
from objects.data_source.frame import Frame
from objects.data_source.readiness import SourceNotReady
from tests.unit.data_source.frames import HUBBLE

DEFAULT = RecProperties()


def _all(source: FolderFrames, most: int = 100) -> list[Frame]:
    frames: list[Frame] = []
    while len(frames) < most and (frame := source.read_frame()) is not None:
        frames.append(frame)
    return frames


def test_each_image_extension_of_a_file_is_a_frame(tmp_path: Path) -> None:
    """In order, header and data octet by octet; the primary header is handed on."""
    shutil.copy(HUBBLE, tmp_path)
    source = FolderFrames(tmp_path)
    plan = source.ensure_ready(DEFAULT)
    frames = _all(source)
    hdus = scan(HUBBLE)
    assert plan.frames == len(frames) == 6
    assert plan.primary == hdus[0].cards
    assert [frame.cards for frame in frames] == [hdu.cards for hdu in hdus[1:]]
    octets = HUBBLE.read_bytes()
    for hdu, frame in zip(hdus[1:], frames, strict=True):
        assert frame.data == octets[hdu.offset : hdu.offset + hdu.size]


def test_one_file_can_be_named_instead_of_a_folder() -> None:
    """The path of a file gives its frames."""
    assert FolderFrames(HUBBLE).ensure_ready(DEFAULT).frames == 6


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Primary images and those of several files; other files are not looked at."""
    for number, name in ((2, "b.fit"), (1, "a.FITS"), (3, "c.fts")):
        fits.PrimaryHDU(np.full((2, 3), number, np.int16)).writeto(tmp_path / f"x{number}.fits")
        (tmp_path / f"x{number}.fits").rename(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no frame")
    source = FolderFrames(tmp_path)
    assert source.ensure_ready(DEFAULT).primary == []
    assert [frame.data[1] for frame in _all(source)] == [1, 2, 3]


def test_a_primary_image_becomes_a_valid_extension(tmp_path: Path) -> None:
    """Its structure cards are those of an extension, in the order of the standard."""
    wanted = np.arange(6, dtype=np.float32).reshape(2, 3)
    path = tmp_path / "image.fits"
    fits.PrimaryHDU(wanted, fits.Header({"OBJECT": "M 31"})).writeto(path)
    (hdu,) = scan(path)
    data = path.read_bytes()[hdu.offset : hdu.offset + hdu.size]
    image = fits.ImageHDU.fromstring(sealed(as_extension(hdu.cards), data))
    image.verify("exception")
    assert image.header["OBJECT"] == "M 31"
    assert np.array_equal(image.data, wanted)


def test_tables_are_no_frames_and_compressed_images_are(tmp_path: Path) -> None:
    """A tile-compressed image is a table that holds an image."""
    image = np.arange(64, dtype=np.int16).reshape(8, 8)
    table = fits.BinTableHDU(np.array([(1,)], dtype=[("A", ">i4")]))
    fits.HDUList([fits.PrimaryHDU(), table, fits.CompImageHDU(image)]).writeto(tmp_path / "a.fits")
    assert FolderFrames(tmp_path).ensure_ready(DEFAULT).frames == 1


def test_a_cycling_source_begins_again() -> None:
    """It has no last frame of its own."""
    source = FolderFrames(HUBBLE, cycle=True)
    assert source.ensure_ready(DEFAULT).frames == 0
    frames = _all(source, 8)
    assert frames[6].cards == frames[0].cards
    assert source.ensure_ready(RecProperties(frames=9)).frames == 9


def test_fewer_frames_can_be_wanted_but_not_more() -> None:
    """What cannot be given is refused at the start, with the number that can."""
    source = FolderFrames(HUBBLE, frames=2)
    assert source.ensure_ready(DEFAULT).frames == 2
    assert source.ensure_ready(RecProperties(frames=4)).frames == 4
    with pytest.raises(SourceNotReady, match=r"7 frames were wanted, .* has 6") as refused:
        source.ensure_ready(RecProperties(frames=7))
    assert "cycle = true" in refused.value.remedy


def _refusal(place: Path) -> SourceNotReady:
    with pytest.raises(SourceNotReady) as refused:
        FolderFrames(place).ensure_ready(DEFAULT)
    assert str(place) in refused.value.message
    assert refused.value.cause
    assert refused.value.remedy
    return refused.value


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """The refusal names it."""
    assert "cannot be read" in _refusal(tmp_path / "nowhere").message


def test_a_folder_without_fits_files_is_refused(tmp_path: Path) -> None:
    """The refusal says what was looked for."""
    (tmp_path / "notes.txt").write_text("no frame")
    assert "has no FITS files" in _refusal(tmp_path).message


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    """Headers alone are no frames."""
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    assert "no image in them" in _refusal(tmp_path).message


@pytest.mark.parametrize("content", [b"", b"GIF89a" * 1000, b"SIMPLE  =" + b" " * 71])
def test_a_file_that_is_not_fits_is_refused(tmp_path: Path, content: bytes) -> None:
    """The refusal names the file."""
    (tmp_path / "bad.fits").write_bytes(content)
    assert "bad.fits" in _refusal(tmp_path).message


def test_a_truncated_frame_is_refused_at_the_start(tmp_path: Path) -> None:
    """The refusal names file and HDU, how many octets were wanted and are there."""
    shutil.copy(HUBBLE, tmp_path / "whole.fits")
    last = scan(HUBBLE)[4]
    with (tmp_path / "whole.fits").open("r+b") as file:
        file.truncate(last.offset + last.size - 10)
    message = _refusal(tmp_path).message
    assert f"HDU 4 of {tmp_path}/whole.fits is truncated" in message
    assert f"{last.size} bytes were wanted, {last.size - 10} are there" in message


def test_a_file_cut_within_a_header_is_refused(tmp_path: Path) -> None:
    """Also the header of a later extension is checked at the start."""
    octets = HUBBLE.read_bytes()
    (tmp_path / "cut.fits").write_bytes(octets[: len(octets) - 100])
    assert "within a header" in _refusal(tmp_path).cause


def test_a_file_that_shrinks_during_the_session_is_noticed(tmp_path: Path) -> None:
    """A frame is whole or an error."""
    path = tmp_path / "a.fits"
    fits.PrimaryHDU(np.zeros((10, 10))).writeto(path)
    source = FolderFrames(path)
    source.ensure_ready(DEFAULT)
    path.write_bytes(path.read_bytes()[:2900])
    with pytest.raises(OSError, match="become shorter"):
        source.read_frame()
