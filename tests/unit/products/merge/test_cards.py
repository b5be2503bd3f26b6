"""Cards: what is written reads back as the same value, what is read is told apart."""

from __future__ import annotations

import string
from typing import Any

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.cards import CardKind
from idl_like_interfaces.keywords import EsoKeyword, FitsKeyword, LiteralKeyword, ValueKeyword
from objects.products.merge.cards import (
    Card,
    parse_card,
    parse_cards,
    split_value,
    whole_value,
)
from objects.products.merge.formatting import format_keyword, rename_card
from objects.products.merge.problems import SchemaViolation

LETTERS = string.ascii_uppercase + string.digits + "_-"
NAMES = st.text(LETTERS, min_size=1, max_size=8).filter(
    lambda name: name not in ("COMMENT", "HISTORY", "CONTINUE", "HIERARCH", "END")
)
ESO_NAMES = st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=3).map(" ".join)
PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "
NUMBERS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.text(PRINTABLE, max_size=30)
# astropy takes the second of two quotes for the end of a string when "/" or a blank follows.
LONG_TEXTS = st.text("abc'& /=", min_size=50, max_size=300).map(
    lambda text: text.replace("'", "'a")
)


def read_back(card: Card) -> fits.Card:
    return fits.Card.fromstring(card.images[0])


def is_same(found: Any, wanted: Any) -> bool:
    # FITS does not keep trailing blanks of a string.
    wanted = wanted.rstrip() if isinstance(wanted, str) else wanted
    return type(found) is type(wanted) and found == wanted


@given(name=NAMES, value=st.one_of(NUMBERS, TEXTS), comment=st.none() | TEXTS)
def test_a_value_keyword_reads_back_as_its_value(
    name: str, value: Any, comment: str | None
) -> None:
    """An independent reader finds name, value and type again, on one card of 80 columns."""
    card = format_keyword(ValueKeyword(name=name, value=value, comment=comment), "k")
    assert len(card.images[0]) == 80
    assert (card.kind, card.name) == (CardKind.VALUE, name)
    assert read_back(card).keyword == name
    assert is_same(read_back(card).value, value)


@given(name=ESO_NAMES, value=st.one_of(NUMBERS, st.text(PRINTABLE, max_size=12)))
def test_an_eso_keyword_reads_back_as_its_value(name: str, value: Any) -> None:
    """An independent reader finds the words of the name and the value again."""
    card = format_keyword(EsoKeyword(name=name, value=value), "k")
    assert card.images[0].startswith(f"HIERARCH ESO {name} = ")
    assert len(card.images[0]) == 80
    assert read_back(card).keyword == f"ESO {name}"
    assert is_same(read_back(card).value, value)


@given(keyword=st.builds(EsoKeyword, name=ESO_NAMES, value=NUMBERS, comment=TEXTS))
def test_a_written_card_is_told_apart_as_what_it_is(keyword: FitsKeyword) -> None:
    """Reading a card that was written gives the same kind and logical name."""
    card = format_keyword(keyword, "k")
    assert parse_card(card.images[0]) == card


@pytest.mark.parametrize(
    ("keyword", "image"),
    [
        (ValueKeyword(name="SUBARRAY", value=True), "SUBARRAY=                    T"),
        (
            ValueKeyword(name="NX", value=42, comment="pixel"),
            "NX      =                   42 / pixel",
        ),
        (ValueKeyword(name="RA", value=1e22), "RA      =              1.0E+22"),
        (ValueKeyword(name="RA", value=5.0), "RA      =                  5.0"),
        (
            ValueKeyword(name="WHO", value="O'Hara", comment="x"),
            "WHO     = 'O''Hara '           / x",
        ),
        (ValueKeyword(name="LIKE", value="T"), "LIKE    = 'T       '"),
        (ValueKeyword(name="LIKE", value="12"), "LIKE    = '12      '"),
        (
            EsoKeyword(name="DET CHIP GAIN", value=1.5, comment="g"),
            "HIERARCH ESO DET CHIP GAIN = 1.5 / g",
        ),
        (EsoKeyword(name="DET ID", value="a"), "HIERARCH ESO DET ID = 'a       '"),
        (LiteralKeyword(value="COMMENT  as it is"), "COMMENT  as it is"),
    ],
)
def test_columns_are_those_of_the_standard(keyword: FitsKeyword, image: str) -> None:
    """Fixed format for value keywords, free format for ESO keywords, literals as they are."""
    assert format_keyword(keyword, "k").images == (image.ljust(80),)


def test_the_longest_eso_name_leaves_one_column_for_the_value() -> None:
    """63 columns of name and one digit fill the card exactly."""
    card = format_keyword(EsoKeyword(name="A" * 63, value=7), "k")
    assert card.images[0] == f"HIERARCH ESO {'A' * 63} = 7"


def test_a_string_gives_up_its_padding_before_it_is_refused() -> None:
    """Free format does not need eight columns between the quotes."""
    card = format_keyword(EsoKeyword(name="A" * 60, value="x"), "k")
    assert card.images[0] == f"HIERARCH ESO {'A' * 60} = 'x'".ljust(80)


@given(
    keyword=st.one_of(
        st.builds(ValueKeyword, name=NAMES, value=LONG_TEXTS, comment=TEXTS),
        st.builds(EsoKeyword, name=ESO_NAMES, value=LONG_TEXTS, comment=TEXTS),
    )
)
def test_a_long_string_goes_on_over_continue_cards(keyword: ValueKeyword | EsoKeyword) -> None:
    """An independent reader finds the whole of it again, quotes, blanks and & included."""
    card = format_keyword(keyword, "k")
    assert {len(image) for image in card.images} == {80}
    assert parse_cards(card.images) == [card]
    assert isinstance(keyword.value, str)
    wanted = keyword.value.rstrip()
    assert whole_value(card)[1:-1].rstrip().replace("''", "'") == wanted
    assert fits.Card.fromstring("".join(card.images)).value.rstrip() == wanted


def test_the_comment_stands_behind_the_last_piece() -> None:
    """On a card of its own when it does not fit there whole."""
    long, longer = (
        format_keyword(ValueKeyword(name="A", value="v" * size, comment="why"), "k").images
        for size in (70, 133)
    )
    assert long == (f"A       = '{'v' * 67}&'", "CONTINUE  'vvv' / why".ljust(80))
    assert longer[1:] == (f"CONTINUE  '{'v' * 66}&'".ljust(80), "CONTINUE  '' / why".ljust(80))


@pytest.mark.parametrize("value", ["long " * 30, "v" * 40])
def test_a_renamed_string_is_whole_again(value: str) -> None:
    """A longer name moves what no longer fits to the next card."""
    card = format_keyword(EsoKeyword(name="A", value=value, comment="why"), "k")
    renamed = rename_card(card, "DET CHIP1 LONGER NAME OF IT", "f")
    assert whole_value(renamed)[1:-1].rstrip() == value.rstrip()
    assert fits.Card.fromstring("".join(renamed.images)).comment == "why"


def test_a_comment_is_cut_where_the_card_ends() -> None:
    """The value is whole, of the comment as much as there is room for."""
    card = format_keyword(ValueKeyword(name="A", value="v" * 60, comment="abcdefghij"), "k")
    assert card.images[0] == f"A       = '{'v' * 60}' / abcde"


@pytest.mark.parametrize(
    ("keyword", "field", "word"),
    [
        (EsoKeyword(name="A" * 60, value="xyz"), "k.value", "there are 4"),
        (EsoKeyword(name="A" * 63, value=12), "k.value", "there are 1"),
        (ValueKeyword(name="A", value=2**64), "k.value", "64 bits"),
        (ValueKeyword(name="A", value=-(2**63) - 1), "k.value", "64 bits"),
        (ValueKeyword(name="A", value="µ"), "k.value", "printable ASCII"),
        (ValueKeyword(name="A", value="a\nb"), "k.value", "printable ASCII"),
        (ValueKeyword(name="A", value=1, comment="°"), "k.comment", "printable ASCII"),
        (ValueKeyword(name="COMMENT", value="x"), "k.name", "value keyword"),
        (ValueKeyword(name="TOOLONGAB", value="x"), "k.name", "value keyword"),
        (ValueKeyword(name="LINE\n", value="x"), "k.name", "value keyword"),
        (EsoKeyword(name="DET  X", value=1), "k.name", "ESO keyword"),
        (LiteralKeyword(value="no keyword at all"), "k.value", "commentary keyword"),
        (LiteralKeyword(value="lower   = 3"), "k.value", "value keyword"),
        (LiteralKeyword(value="HIERARCH XYZ A = 3"), "k.value", "commentary keyword"),
        (LiteralKeyword(value="HIERARCH ESO det x = 3"), "k.value", "ESO keyword"),
    ],
)
def test_what_fits_no_card_is_refused_with_its_field(
    keyword: FitsKeyword, field: str, word: str
) -> None:
    """The refusal names the field, what was found, and what to do."""
    with pytest.raises(SchemaViolation) as refusal:
        format_keyword(keyword, "k")
    assert refusal.value.field == field
    assert word in refusal.value.message
    assert refusal.value.remedy


@pytest.mark.parametrize(
    ("image", "kind", "name"),
    [
        ("OBJECT  = 'M31'", CardKind.VALUE, "OBJECT"),
        ("OBJECT  ='M31'", CardKind.COMMENTARY, "OBJECT"),
        ("OBJECT  =", CardKind.VALUE, "OBJECT"),
        ("UNDEF   = / no value", CardKind.VALUE, "UNDEF"),
        ("COMMENT = this is text", CardKind.COMMENTARY, "COMMENT"),
        ("        = this too", CardKind.COMMENTARY, ""),
        ("HISTORY bias = subtracted", CardKind.COMMENTARY, "HISTORY"),
        ("HIERARCH ESO DET  CHIP GAIN=1", CardKind.ESO, "DET CHIP GAIN"),
        ("HIERARCH ESO DET no value", CardKind.COMMENTARY, "HIERARCH"),
        ("HIERARCH XYZ A = 1", CardKind.COMMENTARY, "HIERARCH"),
        ("NUL     =  1\0\0\0", CardKind.VALUE, "NUL"),
    ],
)
def test_kind_and_logical_name_come_from_the_text(image: str, kind: CardKind, name: str) -> None:
    """A value indicator or HIERARCH ESO makes a keyword, everything else is commentary."""
    card = parse_card(image)
    assert (card.kind, card.name) == (kind, name)


def test_a_literal_that_is_a_value_card_counts_as_one() -> None:
    """It takes part in collisions under its own name."""
    assert format_keyword(LiteralKeyword(value="AIRMASS = 1.2"), "k").key == (
        CardKind.VALUE,
        "AIRMASS",
    )


def test_a_continued_string_stays_together() -> None:
    """The CONTINUE cards behind a string that ends in & belong to it; a stray one does not."""
    images = [
        "LONG    = 'one &'",
        "CONTINUE  'two &' / c",
        "CONTINUE     'three'",
        "CONTINUE  'stray'",
        "A = 1",
    ]
    cards = parse_cards(image.ljust(80) for image in images)
    assert [len(card.images) for card in cards] == [3, 1, 1]
    assert cards[1].kind is CardKind.COMMENTARY


@pytest.mark.parametrize(
    ("image", "value", "comment"),
    [
        ("A       = 'it''s / here' / why", "'it''s / here'", "why"),
        ("A       =   -1.5E3/ why", "-1.5E3", "why"),
        ("A       = / nothing", "", "nothing"),
        ("A       = 'unclosed", "'unclosed", ""),
        ("HIERARCH ESO A B = 'x = y'/z", "'x = y'", "z"),
    ],
)
def test_value_and_comment_are_split_as_written(image: str, value: str, comment: str) -> None:
    """Quotes protect slashes and equal signs."""
    assert split_value(parse_card(image)) == (value, comment)


@pytest.mark.parametrize(
    ("image", "name", "renamed"),
    [
        ("OLD     =   1.50E0 / c", "NEWNAME", "NEWNAME =   1.50E0 / c"),
        ("COMMENT   text", "HISTORY", "HISTORY   text"),
        ("HIERARCH ESO INS A =   01.50 / c", "INS2 A", "HIERARCH ESO INS2 A = 01.50 / c"),
    ],
)
def test_a_renamed_card_keeps_its_value_as_written(image: str, name: str, renamed: str) -> None:
    """No digit, quote or comment is changed by a new name."""
    assert rename_card(parse_card(image), name, "f").images == (renamed.ljust(80),)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("OLD     = 1", "TOO LONG"),
        ("OLD     = 1", ""),
        ("HIERARCH ESO A = 'abcdefghijklmnop'", "B" * 60),
        ("HIERARCH ESO A = 123456", "B" * 60),
    ],
)
def test_a_name_that_does_not_fit_is_refused(image: str, name: str) -> None:
    """Neither an illegal name nor one that leaves no room for the value is made."""
    with pytest.raises(SchemaViolation):
        rename_card(parse_card(image), name, "f")
