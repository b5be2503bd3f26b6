"""What is said of a file: its HDUs, its keywords, and what cannot be read of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from objects.products.quicklook.contents import Contents, examine, opened
from objects.products.quicklook.tool import quicklook
from tests.support.fits import (
    astropy_file,
    compressed_image,
    image,
    ragged_table,
    table,
    write_fits,
)


def contents(path: Path) -> Contents:
    with opened(path) as file:
        return examine(file)


def texts(path: Path) -> list[str]:
    return [part.text for part in contents(path).parts]


def test_each_hdu_is_told_in_a_few_words(tmp_path: Path) -> None:
    """Axes in the order of FITS, the type that the values have, rows and columns."""
    extensions = [
        image("SCI"),
        fits.ImageHDU(np.zeros((2, 3), "u2"), name="RAW"),
        fits.ImageHDU(np.zeros((2, 3, 4), "f4"), name="CUBE"),
        fits.ImageHDU(np.zeros(7, "u1"), name="LINE"),
        compressed_image("TILES"),
        table("T", values=[1.0, 2.0]),
        ragged_table("R"),
        fits.TableHDU.from_columns([fits.Column("A", "I4", array=[1])], name="ASCII"),
        fits.ImageHDU(name="EMPTY"),
    ]
    assert texts(write_fits(tmp_path / "a.fits", extensions=extensions)) == [
        "header only",
        "3 x 4 int16",
        "3 x 2 uint16",
        "4 x 3 x 2 float32",
        "7 pixels uint8",
        "20 x 20 int32, compressed",
        "table, 2 rows of 1 column",
        "table, 2 rows of 1 column",
        "ASCII table, 1 row of 1 column",
        "header only",
    ]


def test_random_groups_are_told_and_not_drawn() -> None:
    """They are no image."""
    found = contents(astropy_file("random_groups.fits"))
    assert "random groups of" in found.parts[0].text
    assert found.parts[0].shape == ()


def test_the_important_keywords_are_taken_from_the_first_header_that_has_them(
    tmp_path: Path,
) -> None:
    """In a fixed order; those of no interest are left out."""
    cards = {"EXPTIME": 2.5, "OBJECT": "M 31", "ESO DPR CATG": "SCIENCE", "GAIN": 3}
    path = write_fits(
        tmp_path / "a.fits", cards, extensions=[image("A", OBJECT="other", FILTER="V")]
    )
    assert contents(path).keywords == (
        ("OBJECT", "M 31"),
        ("EXPTIME", "2.5"),
        ("FILTER", "V"),
        ("ESO DPR CATG", "SCIENCE"),
    )


@pytest.mark.filterwarnings("ignore")
def test_values_that_are_odd_are_said_to_be(tmp_path: Path) -> None:
    """Undefined, logical, or a string that does not end."""
    cards = ["OBJECT  =", "EXPTIME =                    T", "FILTER  = 'no end"]
    path = write_fits(tmp_path / "a.fits", cards)
    assert contents(path).keywords == (
        ("OBJECT", "(undefined)"),
        ("EXPTIME", "T"),
        ("FILTER", "'no end"),
    )


def test_of_a_file_with_very_many_hdus_the_first_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says so."""
    most = 5
    monkeypatch.setattr("objects.products.quicklook.contents.MOST_HDUS", most)
    extensions = [fits.ImageHDU() for _ in range(most + 1)]
    found = contents(write_fits(tmp_path / "a.fits", extensions=extensions))
    assert len(found.parts) == most
    assert str(most) in found.note


@pytest.mark.filterwarnings("ignore")
def test_what_is_before_a_damage_is_told(tmp_path: Path) -> None:
    """And that the rest cannot be read."""
    path = write_fits(tmp_path / "a.fits", extensions=[image("A"), image("B")])
    content = bytearray(path.read_bytes())
    start = content.rindex(b"XTENSION")
    content[start : start + 400] = b"\0" * 400
    path.write_bytes(content)
    found = contents(path)
    assert [part.name for part in found.parts[:2]] == ["PRIMARY", "A"]


def spoil(path: Path, keyword: str, card: str) -> None:
    """Put another text in the place of a card."""
    content = bytearray(path.read_bytes())
    start = content.index(f"{keyword:8}= ".encode())
    content[start : start + 80] = card.ljust(80).encode()
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("card", "name"),
    [("EXTNAME = 'unclosed", ""), ("EXTVER  = 1-2", "A"), ("EXTVER  = 'two'", "A")],
)
@pytest.mark.filterwarnings("ignore")
def test_an_hdu_whose_name_makes_no_sense_is_told(tmp_path: Path, card: str, name: str) -> None:
    """Without what cannot be read of it; it is drawn, and so is what follows."""
    extensions = [image("A", EXTVER=2), image("B")]
    path = write_fits(tmp_path / "a.fits", extensions=extensions)
    spoil(path, card[:8].strip(), card)
    found = contents(path)
    assert [part.name for part in found.parts] == ["PRIMARY", name, "B"]
    assert [part.text for part in found.parts[1:]] == ["3 x 4 int16"] * 2
    assert found.note == ""
    assert quicklook(path).is_file()


@pytest.mark.parametrize("card", ["BSCALE  = ??", "BLANK   = 'x"])
@pytest.mark.filterwarnings("ignore")
def test_what_astropy_passes_over_is_said_to_be_there(tmp_path: Path, card: str) -> None:
    """It takes a header that it cannot read for the end of the file."""
    extensions = [image("A"), image("B", GAIN=3), image("C")]
    path = write_fits(tmp_path / "a.fits", extensions=extensions)
    spoil(path, "GAIN", card)
    found = contents(path)
    assert [part.name for part in found.parts] == ["PRIMARY", "A"]
    assert found.note.startswith("HDU 2 and what follows cannot be read: ")
    assert str(tmp_path) not in found.note


@pytest.mark.parametrize("card", ["TFORM1  = 'unclosed", "ZVAL1   = 1-2"])
@pytest.mark.filterwarnings("ignore")
def test_tiles_that_make_no_sense_cost_their_own_panel(tmp_path: Path, card: str) -> None:
    """What astropy finds only when it reads the pixels."""
    path = write_fits(tmp_path / "a.fits", extensions=[compressed_image("C"), image("B")])
    spoil(path, card[:8].strip(), card)
    assert [part.name for part in contents(path).parts] == ["PRIMARY", "C", "B"]
    assert quicklook(path).is_file()


@pytest.mark.parametrize("blocks", [0, 2])
@pytest.mark.filterwarnings("ignore")
def test_of_a_whole_file_nothing_is_said_to_be_missing(tmp_path: Path, blocks: int) -> None:
    """Nor of one with filling behind its last HDU."""
    path = write_fits(tmp_path / "a.fits", extensions=[image("A"), table("T")])
    path.write_bytes(path.read_bytes() + bytes(blocks * 2880))
    assert contents(path).note == ""


def test_what_is_no_fits_file_cannot_be_opened(tmp_path: Path) -> None:
    """Nor what is not there."""
    (tmp_path / "a.fits").write_text("hello")
    with pytest.raises(OSError, match="SIMPLE"), opened(tmp_path / "a.fits"):
        pass
    with pytest.raises(FileNotFoundError), opened(tmp_path / "b.fits"):
        pass
