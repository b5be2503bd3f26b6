"""The file of a session: real frames bit for bit, safe at every moment."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import fitsio
import msgspec
import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.keywords import ValueKeyword
from idl_like_interfaces.recif import RecProperties
from objects.data_source.cards import cards_of, name_of, trimmed, value_cards
from objects.data_source.fits_file import FitsRecording, RecordFacts, primary_header
from objects.data_source.folder_frames import FolderFrames, scan
from objects.data_source.frame import Frame
from tests.unit.data_source.frames import HUBBLE, PIXELS

BEGIN = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
FACTS = RecordFacts(source="cam", id="s1", info="it's ok", period_s=0.5, begin=BEGIN, end=BEGIN)
DONE = msgspec.structs.replace(FACTS, end=BEGIN.replace(second=9), frames=6)


def _recorded_hubble(folder: Path) -> Path:
    source = FolderFrames(HUBBLE)
    plan = source.ensure_ready(RecProperties())
    file = FitsRecording(folder / "s1.fits", plan.primary, FACTS)
    while (frame := source.read_frame()) is not None:
        file.append(frame)
    return file.finish(DONE)


def test_real_frames_keep_pixels_and_headers(tmp_path: Path) -> None:
    """Every image extension is there with its data octet by octet and all its own cards."""
    path = _recorded_hubble(tmp_path)
    own, recorded = scan(HUBBLE), scan(path)
    assert len(recorded) == len(own)
    for before, after in zip(own[1:], recorded[1:], strict=True):
        assert after.cards[: len(trimmed(before.cards))] == trimmed(before.cards)
        old, new = HUBBLE.read_bytes(), path.read_bytes()
        assert (
            new[after.offset : after.offset + after.size]
            == old[before.offset : before.offset + before.size]
        )
    with fits.open(path) as got, fits.open(HUBBLE) as wanted:
        assert [(h.name, h.ver) for h in got[1:]] == [(h.name, h.ver) for h in wanted[1:]]


def test_the_primary_header_has_the_sources_keywords_and_the_recorders(tmp_path: Path) -> None:
    """What the instrument says about itself is not overwritten."""
    header = fits.getheader(_recorded_hubble(tmp_path))
    assert (header["INSTRUME"], header["TELESCOP"]) == ("STIS", "HST")
    assert header["ORIGIN"].startswith("NOAO-IRAF")
    assert header["DATE-OBS"] == "2026-01-02T03:04:05.678"
    assert header["DATE"] == "2026-01-02T03:04:09.678"
    assert header["NEXTEND"] == header["HIERARCH ESO DET REC NFRAMES"] == 6
    assert header["HIERARCH ESO DET REC ID"] == "s1"
    assert header["HIERARCH ESO DET REC INFO"] == "it's ok"
    assert header["HIERARCH ESO DET REC SOURCE"] == "cam"


def test_a_source_may_say_its_own_time_of_observation() -> None:
    """DATE-OBS of replayed data is that of the data."""
    cards = primary_header(cards_of(ValueKeyword(name="DATE-OBS", value="1998-04-20")), FACTS)
    (card,) = [card for card in cards if name_of(card) == "DATE-OBS"]
    assert "1998-04-20" in card


@pytest.mark.spec("ESO-179")
def test_two_independent_readers_accept_the_file(tmp_path: Path) -> None:
    """Checksums in every HDU, and a valid structure."""
    path = _recorded_hubble(tmp_path)
    with fits.open(path, checksum=True) as hdus:  # a wrong sum is a warning, so an error
        hdus.verify("exception")
        assert all("CHECKSUM" in hdu.header and "DATASUM" in hdu.header for hdu in hdus)
        assert np.array_equal(hdus[4].data, fits.getdata(HUBBLE, 4))
    with fitsio.FITS(str(path)) as file:
        assert len(file) == 7
        for hdu in file:
            hdu.verify_checksum()


def test_extensions_get_names_and_versions_of_their_own(tmp_path: Path) -> None:
    """A frame without a name gets one; a repeated frame gets the next version."""
    file = FitsRecording(tmp_path / "s1.fits", [], FACTS)
    named = Frame.from_pixels(PIXELS, [ValueKeyword(name="EXTVER", value=7)], name="SCI")
    for frame in (Frame.from_pixels(PIXELS), named, named, Frame.from_pixels(PIXELS)):
        file.append(frame)
    with fits.open(file.finish(FACTS)) as hdus:
        names = [(hdu.name, hdu.ver) for hdu in hdus[1:]]
    assert names == [("FRAME", 1), ("SCI", 7), ("SCI", 8), ("FRAME", 2)]


def test_nothing_is_visible_before_it_is_complete(tmp_path: Path) -> None:
    """The file has another name until then, and is readable up to the last frame."""
    file = FitsRecording(tmp_path / "s1.fits", [], FACTS)
    file.append(Frame.from_pixels(PIXELS))
    assert [path.name for path in tmp_path.iterdir()] == ["s1.fits.part"]
    with fits.open(tmp_path / "s1.fits.part", checksum=True) as hdus:
        assert np.array_equal(hdus[1].data, PIXELS)
    file.finish(FACTS)
    assert [path.name for path in tmp_path.iterdir()] == ["s1.fits"]
    assert (tmp_path / "s1.fits").stat().st_mode & 0o777 == 0o444


def test_a_discarded_file_leaves_nothing(tmp_path: Path) -> None:
    """Aborted data are gone."""
    file = FitsRecording(tmp_path / "s1.fits", [], FACTS)
    file.append(Frame.from_pixels(PIXELS))
    file.discard()
    assert list(tmp_path.iterdir()) == []


def test_an_abandoned_file_is_put_aside_when_it_has_frames(tmp_path: Path) -> None:
    """Good frames of a session that failed are not thrown away."""
    empty = FitsRecording(tmp_path / "s0.fits", [], FACTS)
    assert empty.abandon() is None
    file = FitsRecording(tmp_path / "s1.fits", [], FACTS)
    file.append(Frame.from_pixels(PIXELS))
    assert file.abandon() == tmp_path / "s1.fits.broken"
    assert [path.name for path in tmp_path.iterdir()] == ["s1.fits.broken"]


def test_an_existing_file_is_never_written_over(tmp_path: Path) -> None:
    """Neither a finished one nor one that grows."""
    (tmp_path / "s1.fits").write_text("there")
    with pytest.raises(FileExistsError):
        FitsRecording(tmp_path / "s1.fits", [], FACTS)
    growing = FitsRecording(tmp_path / "s2.fits", [], FACTS)
    with pytest.raises(FileExistsError):
        FitsRecording(tmp_path / "s2.fits", [], FACTS)
    growing.discard()


def test_a_header_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """A card that is not ASCII is refused before there is a file to see."""
    with pytest.raises(UnicodeEncodeError):
        FitsRecording(tmp_path / "s1.fits", ["OBJECT  = 'é'".ljust(80)], FACTS)
    assert list(tmp_path.iterdir()) == []


@contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """Let files grow to so many bytes only: writes fail half-way, as on a disk that fills."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    """Its name is free again: the session may be started once there is space."""
    with room_for(1000), pytest.raises(OSError, match="too large"):
        FitsRecording(tmp_path / "s1.fits", [], FACTS)
    assert list(tmp_path.iterdir()) == []
    FitsRecording(tmp_path / "s1.fits", [], FACTS).discard()


@pytest.mark.parametrize("end", [FitsRecording.discard, FitsRecording.abandon])
def test_a_file_without_a_whole_frame_is_removed_on_a_full_disk(
    tmp_path: Path, end: Callable[[FitsRecording], object]
) -> None:
    """What could not be flushed does not keep it from being removed."""
    source = FolderFrames(HUBBLE)
    plan = source.ensure_ready(RecProperties())
    file = FitsRecording(tmp_path / "s1.fits", plan.primary, FACTS)
    frame = source.read_frame()
    assert frame is not None
    with room_for(file.size + 1000):
        with pytest.raises(OSError, match="too large"):
            file.append(frame)
        end(file)
    assert list(tmp_path.iterdir()) == []


def test_whole_frames_are_put_aside_on_a_full_disk(tmp_path: Path) -> None:
    """A small frame that stays in the buffer does not keep the ones before it from being saved."""
    file = FitsRecording(tmp_path / "s1.fits", [], FACTS)
    cards = [
        *value_cards("XTENSION", "IMAGE"),
        *value_cards("BITPIX", 8),
        *value_cards("NAXIS", 1),
        *value_cards("NAXIS1", 10),
        *value_cards("PCOUNT", 0),
        *value_cards("GCOUNT", 1),
    ]
    frame = Frame(cards=cards, data=bytes(10))
    file.append(frame)
    with room_for(file.size + 1000):
        with pytest.raises(OSError, match="too large"):
            file.append(frame)
        assert file.abandon() == tmp_path / "s1.fits.broken"
