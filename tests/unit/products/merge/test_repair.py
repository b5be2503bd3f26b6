"""Sloppy cards: put right where nothing is guessed, else kept as commentary, always told."""

from __future__ import annotations

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from objects.products.merge.cards import parse_card, parse_cards
from objects.products.merge.repair import repair_cards, repaired


@pytest.mark.parametrize(
    "image",
    [
        "OBJECT  = 'M31'",
        "UNDEF   =",
        "UNDEF   = / nothing known",
        "CPLX    = (1.0, -2.5E3)",
        "REAL    = -.5D-3 / double",
        "FLAG    = T",
        "HIERARCH ESO DET CHIP1 GAIN = 1.5",
        "HIERARCH LOFAR station = 'x'",
        "COMMENT  any text at all = 'x",
        "         a title",
        "NOVALUE without an indicator",
    ],
)
def test_a_card_of_the_standard_is_left_alone(image: str) -> None:
    """To the last column, however unusual it is."""
    card = parse_card(image)
    assert repaired(card) == ([card], "")


@pytest.mark.parametrize(
    ("image", "wanted", "done"),
    [
        ("object  = 'M31'", "OBJECT  = 'M31'", "name written in capitals"),
        ("HIERARCH ESO Det Gain = 1", "HIERARCH ESO DET GAIN = 1", "name written in capitals"),
        ("comment  text", "COMMENT  text", "name written in capitals"),
        ("FLAG    = t / is it", "FLAG    = T / is it", "value written in capitals"),
        ("REAL    = 1.5e-3 / e", "REAL    = 1.5E-3 / e", "value written in capitals"),
        ("WHO     = '\xc5ngstr\xf6m'", "WHO     = '?ngstr?m'", "printable ASCII"),
        ("TEMP    = 12 / in \xb0C", "TEMP    = 12 / in ?C", "printable ASCII"),
        ("HISTORY a\tb\nc", "HISTORY a b c", "printable ASCII"),
        ("OBS.ID  = 5", "COMMENT OBS.ID  = 5", "kept as COMMENT, since its name"),
        ("DATE-OBS= 2003-01-01", "COMMENT DATE-OBS= 2003-01-01", "since its value"),
        ("WHO     = 'unclosed", "COMMENT WHO     = 'unclosed", "since its value"),
        ("END     = 3", "COMMENT END     = 3", "since its name"),
        ("CONTINUE  'of nothing'", "COMMENT CONTINUE  'of nothing'", "since its name"),
        ("some free text", "COMMENT some free text", "since its name"),
    ],
)
def test_what_became_of_a_sloppy_card(image: str, wanted: str, done: str) -> None:
    """The whole text is still there, and it is said what was done."""
    (card,), said = repaired(parse_card(image))
    assert card.images == (wanted.ljust(80),)
    assert done in said


def test_a_string_with_a_sloppy_piece_is_kept_as_commentary() -> None:
    """A reader of the product would stumble over the keyword; each piece is still there."""
    images = ["WHO     = 'one &'", "CONTINUE  'unclosed", "A       = 1"]
    cards, repairs = repair_cards(parse_cards(image.ljust(80) for image in images))
    assert [card.images[0].rstrip() for card in cards] == [
        "COMMENT WHO     = 'one &'",
        "COMMENT CONTINUE  'unclosed",
        "A       = 1",
    ]
    assert "since its value" in repairs[0].done


def test_a_long_sloppy_card_goes_on_over_two_comments() -> None:
    """The name of the keyword takes 8 columns, so the last 8 go to the next card."""
    text = "not.fits= " + "x" * 70
    cards, _ = repaired(parse_card(text))
    assert [card.images[0] for card in cards] == [
        f"COMMENT {text[:72]}",
        f"COMMENT {text[72:]}".ljust(80),
    ]


@given(st.lists(st.binary(min_size=80, max_size=80), max_size=8))
def test_whatever_stands_in_a_header_the_product_keeps_the_standard(images: list[bytes]) -> None:
    """No card is refused, and an independent reader finds no fault in what becomes of it."""
    cards = parse_cards(image.decode("latin-1") for image in images)
    good, repairs = repair_cards(cards)
    assert len(good) >= len(cards)
    assert repair_cards(good) == (good, [])
    assert len(repairs) <= len(cards)
    for card in good:
        fits.Card.fromstring("".join(card.images))


@given(
    st.text("ABCabc.0123 ='/-_", min_size=1, max_size=60),
    st.sampled_from(["", "KEY     = ", "key     = ", "HIERARCH ESO A b = ", "COMMENT "]),
)
def test_a_repaired_value_keyword_passes_strict_verification(text: str, start: str) -> None:
    """Of astropy, which takes each fault for an error then."""
    good, _ = repair_cards([parse_card((start + text)[:80])])
    for card in good:
        if card.kind != "c" or card.name in ("COMMENT", "HISTORY"):
            fits.Card.fromstring(card.images[0]).verify("exception")
