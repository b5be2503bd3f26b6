"""Header cards: formatted for FITS, and left as they are when they are not ours."""

from __future__ import annotations

import io

import pytest
from astropy.io import fits

from idl_like_interfaces.keywords import EsoKeyword, LiteralKeyword, ValueKeyword
from objects.data_source.cards import (
    CARD,
    BadHeader,
    cards_of,
    data_size,
    fitting,
    header_octets,
    integer_of,
    name_of,
    read_header,
    replaced,
    trimmed,
    value_cards,
)
from tests.unit.data_source.frames import HUBBLE


def test_each_kind_of_keyword_becomes_a_card() -> None:
    """The card names what the keyword says."""
    eso = EsoKeyword(name="DET CHIP GAIN", value=1.5, comment="gain")
    assert cards_of(eso) == ["HIERARCH ESO DET CHIP GAIN = 1.5 / gain".ljust(CARD)]
    assert name_of(cards_of(eso)[0]) == "HIERARCH ESO DET CHIP GAIN"
    assert fits.Card.fromstring(cards_of(ValueKeyword(name="RA", value=True))[0]).value is True
    assert cards_of(LiteralKeyword(value="COMMENT hello")) == ["COMMENT hello".ljust(CARD)]


def test_a_comment_that_does_not_fit_is_cut() -> None:
    """The value is never cut for a comment."""
    (card,) = value_cards("OBJECT", "x" * 40, "c" * 80)
    assert len(card) == CARD
    assert fits.Card.fromstring(card).value == "x" * 40


def test_a_text_is_made_to_fit_one_card() -> None:
    """Free text may be of any length and language."""
    name = "HIERARCH ESO DET REC INFO"
    for text in ("short", "it's " * 30, "Ångström " * 20):
        assert len(value_cards(name, fitting(name, text))) == 1


def test_a_real_header_comes_back_octet_by_octet() -> None:
    """Reading and writing does not reformat."""
    with HUBBLE.open("rb") as stream:
        cards = read_header(stream)
        assert cards is not None
        assert header_octets(cards) == HUBBLE.read_bytes()[: stream.tell()]


@pytest.mark.parametrize("octets", [b"not fits" * 400, b"SIMPLE  =" + b" " * 71, b"\xff" * 2880])
def test_what_is_no_header_is_refused(octets: bytes) -> None:
    """A short block, other text and octets that are no text."""
    with pytest.raises(BadHeader):
        read_header(io.BytesIO(octets))


def test_an_integer_keyword_must_be_one() -> None:
    """A structure keyword that is missing or odd is refused by name."""
    with pytest.raises(BadHeader, match="NAXIS is missing"):
        integer_of([], "NAXIS")
    with pytest.raises(BadHeader, match="BITPIX is not an integer"):
        integer_of(["BITPIX  =                  abc".ljust(CARD)], "BITPIX")


def test_random_groups_have_their_size() -> None:
    """The first axis of random groups has length 0 and does not count."""
    cards = [
        *value_cards("BITPIX", -32), *value_cards("NAXIS", 2), *value_cards("NAXIS1", 0),
        *value_cards("NAXIS2", 5), *value_cards("GROUPS", value=True),
        *value_cards("PCOUNT", 3), *value_cards("GCOUNT", 7),
    ]  # fmt: skip
    assert data_size(cards) == 4 * 7 * (3 + 5)


def test_a_card_is_replaced_where_it_stands() -> None:
    """Order is kept; a new one comes last."""
    old = value_cards("A", 1) + value_cards("B", 2)
    new = replaced(old, value_cards("A", 3) + value_cards("C", 4))
    assert [name_of(card) for card in new] == ["A", "B", "C"]
    assert integer_of(new, "A") == 3


def test_blank_cards_at_the_end_are_space() -> None:
    """Blank cards between others are layout and stay."""
    blank = " " * CARD
    assert trimmed([blank, "A".ljust(CARD), blank]) == [blank, "A".ljust(CARD)]
