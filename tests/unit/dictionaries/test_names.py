"""Names stand for keywords with indices."""

from __future__ import annotations

import time

import pytest

from objects.dictionaries import names
from objects.dictionaries.names import complaint_about, from_classic


@pytest.mark.parametrize(
    ("classic", "name"),
    [
        ("INS FILTi ID", "INS FILT# ID"),
        ("INSi FILTi ID", "INS# FILT# ID"),
        ("CDi_j", "CD#_#"),
        ("NAXISi", "NAXIS#"),
        ("DET  WINi UITi", "DET WIN# UIT#"),
        ("OBJECT", "OBJECT"),
        ("INS id", "INS id"),
    ],
)
def test_the_classic_placeholder_becomes_ours(classic: str, name: str) -> None:
    """At the end of a word, or inside it."""
    assert from_classic(classic) == name


@pytest.mark.parametrize(
    "name", ["A", "INS(#) FILT# ID", "MJD-OBS", "CD#_#", "INS FILT1 ID", "A_B-9", "X" * 63]
)
def test_good_names(name: str) -> None:
    """Words with placeholders."""
    assert complaint_about(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "A  B",
        " A",
        "A ",
        "#",
        "# A",
        "A##",
        "A#(#)",
        "A()",
        "A(#",
        "Ä",
        "A\n",
        "A.B",
        "<<",
    ],
)
def test_bad_names(name: str) -> None:
    """Each is complained of."""
    assert complaint_about(name)


def test_a_name_leaves_room_for_a_value() -> None:
    """On a card."""
    assert "at most 63" in complaint_about("X" * 64)


def test_a_long_bad_name_costs_no_time() -> None:
    """A megabyte is judged at once."""
    begin = time.monotonic()
    assert complaint_about("A" * 1_000_000 + "!")
    assert complaint_about("A#" * 60 + "!")
    assert time.monotonic() - begin < 40


@pytest.mark.parametrize(
    ("name", "keyword", "fits"),
    [
        ("INS(#) FILT# ID", "INS FILT1 ID", True),
        ("INS(#) FILT# ID", "INS2 FILT3 ID", True),
        ("INS(#) FILT# ID", "INS2 FILT ID", False),
        ("INS# FILT# ID", "INS FILT1 ID", False),
        ("INS# FILT# ID", "INS12 FILT345 ID", True),
        ("CD#_#", "CD1_2", True),
        ("A-B#", "A-B7", True),
        ("A-B#", "AXB7", False),
    ],
)
def test_what_a_name_stands_for(name: str, keyword: str, fits: bool) -> None:
    """An index is one digit or more, unless it may be missing."""
    assert bool(names.matcher(name).fullmatch(keyword)) is fits
    if fits:
        assert names.skeleton(name) == names.skeleton(keyword)
