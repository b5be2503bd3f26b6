"""Keywords are checked against records and become finished cards."""

from __future__ import annotations

import math

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.dictionaries import ValueType
from idl_like_interfaces.keywords import (
    EsoKeyword,
    FitsKeyword,
    KeywordValue,
    LiteralKeyword,
    ValueKeyword,
)
from objects.dictionaries.cards import parse_card
from objects.dictionaries.checking import KeywordRefused, complete_keyword
from objects.dictionaries.lookup import Dictionaries
from tests.support.dictionaries import classic, of, record

KNOWN = Dictionaries([classic()])


def value(name: str, value: KeywordValue, comment: str | None = None) -> ValueKeyword:
    return ValueKeyword(name=name, value=value, comment=comment)


def eso(name: str, value: KeywordValue, comment: str | None = None) -> EsoKeyword:
    return EsoKeyword(name=name, value=value, comment=comment)


def card(keyword: FitsKeyword, known: Dictionaries = KNOWN) -> str:
    return complete_keyword(keyword, known).value


def refusal(keyword: FitsKeyword, known: Dictionaries = KNOWN) -> str:
    with pytest.raises(KeywordRefused) as refused:
        complete_keyword(keyword, known)
    return str(refused.value)


@pytest.mark.spec("ESO-172")
def test_a_real_has_the_format_of_the_dictionary() -> None:
    """Three digits behind the point, as it says."""
    assert (
        card(value("EXPTIME", 2.34567)) == "EXPTIME =                2.346 / [s] Integration time"
    )


@pytest.mark.spec("ESO-169")
@pytest.mark.parametrize(
    ("format", "text"), [("%.3f", "3.000"), ("", "3.0"), ("%.0f", "3."), ("%.2e", "3.00E+00")]
)
def test_an_integer_becomes_a_real_where_one_is_wanted(format: str, text: str) -> None:
    """It is written as such: FITS readers take it for a real."""
    known = of(record("A", ValueType.DOUBLE, format=format))
    made = card(value("A", 3), known)
    assert made == f"A       = {text:>20}"
    found = fits.Card.fromstring(made).value
    assert isinstance(found, float)
    assert found == 3


@pytest.mark.spec("ESO-173")
def test_a_missing_comment_comes_from_the_dictionary() -> None:
    """A given one stays."""
    assert card(value("OBJECT", "M 31")).endswith(" / Target")
    assert card(value("OBJECT", "M 31", "mine")).endswith(" / mine")
    assert card(LiteralKeyword(value="OBJECT  = 'M 31' / own")).endswith(" / own")
    assert card(LiteralKeyword(value="OBJECT  = 'M 31'")).endswith(" / Target")


@pytest.mark.spec("ESO-168")
@pytest.mark.parametrize(
    ("keyword", "why"),
    [
        (value("EXPTIME", "long"), "it must be a double value, found the string 'long'"),
        (value("EXPTIME", True), "it must be a double value, found the logical T"),
        (value("OBJECT", 31), "it must be a string value, found the integer 31"),
        (eso("INS SHUT ST", "T"), "it must be a logical value, found the string 'T'"),
        (eso("INS SHUT ST", 1), "it must be a logical value, found the integer 1"),
        (eso("DET NDIT", 2.0), "it must be an integer value, found the real 2.0"),
        (eso("DET NDIT", True), "it must be an integer value, found the logical T"),
        (LiteralKeyword(value="EXPTIME = 'long'"), "found the string 'long'"),
        (LiteralKeyword(value="HIERARCH ESO DET NDIT = 2.5"), "found the real 2.5"),
    ],
)
def test_a_value_of_another_type_is_refused(keyword: FitsKeyword, why: str) -> None:
    """With what the dictionary wants, what was found, and where it says so."""
    told = refusal(keyword)
    assert why in told
    assert "(ESO-VLT-DIC.TEST, line " in told


@pytest.mark.parametrize(
    "keyword",
    [
        value("NOTHERE", 1),
        eso("INS FILT ID", "RED"),
        eso("EXPTIME", 1.0),
        LiteralKeyword(value="exptime = 1.0"),
        LiteralKeyword(value="HIERARCH ESO INS FILT ID = 'RED'"),
    ],
)
def test_an_unknown_keyword_is_refused(keyword: FitsKeyword) -> None:
    """Also a standard keyword in the clothes of an ESO keyword."""
    with pytest.raises(KeywordRefused, match="no dictionary has") as refused:
        complete_keyword(keyword, KNOWN)
    assert refused.value.is_unknown


@pytest.mark.parametrize(
    ("keyword", "why"),
    [
        (value("EXPTIME", -1), "-1.0 is below 0"),
        (value("EXPTIME", 3600.5), "3600.5 is above 3600"),
        (eso("INS FILT1 ID", "GREEN"), "'GREEN' is none of OPEN, RED, BLUE"),
        (eso("DET NDIT", 0), "0 is below 1"),
        (value("OBJECT", "x" * 21), "the string has 21 characters, the format %.20s allows 20"),
        (value("OBJECT", "Tür"), "not printable ASCII"),
        (value("OBJECT", "M 31", "a\nb"), "not printable ASCII"),
    ],
)
def test_a_value_that_the_record_forbids_is_refused(keyword: FitsKeyword, why: str) -> None:
    """Out of range, too long, or nothing for a header."""
    assert why in refusal(keyword)


@pytest.mark.parametrize("edge", [0, 0.0, 3600, 3600.0])
def test_the_ends_of_a_range_are_allowed(edge: float) -> None:
    """Both."""
    assert card(value("EXPTIME", edge))


def test_numbers_that_no_card_can_hold_are_refused() -> None:
    """More than 64 bits, or more digits than a real has, or infinite."""
    known = of(record("A"), record("B", ValueType.DOUBLE), record("C", format="%u"))
    assert card(value("A", 2**64 - 1), known)
    assert "more than 64 bits" in refusal(value("A", 2**64), known)
    assert "more digits than a real can hold" in refusal(value("B", 2**63 + 1), known)
    assert "no number that a card can hold" in refusal(value("B", math.inf), known)
    assert "no number" in refusal(LiteralKeyword(value="B       = 1E999"), known)
    assert "below 0, and the format %u" in refusal(value("C", -1), known)


def test_a_format_that_writes_nothing_is_told() -> None:
    """As C does with %.0d and 0."""
    assert "writes nothing for 0" in refusal(value("A", 0), of(record("A", format="%.0d")))


@pytest.mark.parametrize(
    ("keyword", "format", "type", "expected"),
    [
        (value("A", "M 31"), "%10s", ValueType.STRING, "A       = 'M 31      '"),
        (value("A", "it's"), "", ValueType.STRING, "A       = 'it''s   '"),
        (value("A", True), "%c", ValueType.LOGICAL, "A       =                    T"),
        (value("A", -7), "%05d", ValueType.INTEGER, "A       =                -0007"),
        (eso("A B", 1.5), "%8.2f", ValueType.DOUBLE, "HIERARCH ESO A B =     1.50"),
        (eso("A B", False), "", ValueType.LOGICAL, "HIERARCH ESO A B = F"),
        (value("A", 1e-7), "", ValueType.DOUBLE, "A       =              1.0E-07"),
        (value("A", 1e22), "", ValueType.DOUBLE, "A       =              1.0E+22"),
        (value("A", 2.5), "%.0e", ValueType.DOUBLE, "A       =               2.E+00"),
    ],
)
def test_cards_as_fits_wants_them(
    keyword: FitsKeyword, format: str, type: ValueType, expected: str
) -> None:
    """Blanks of a width behind strings, fixed format for standard keywords, capital E."""
    name = "A B" if isinstance(keyword, EsoKeyword) else "A"
    made = card(keyword, of(record(name, type, format=format)))
    assert made == expected.rstrip()
    fits.Card.fromstring(made).verify("exception")


def test_what_does_not_fit_on_a_card_is_refused() -> None:
    """Of a comment what has room is written, of a value all or nothing."""
    text = record("OBJECT", ValueType.STRING, comment="c" * 80)
    full = card(value("OBJECT", "x" * 68), of(text))
    assert full == f"OBJECT  = '{'x' * 68}'"
    assert len(card(value("OBJECT", "x" * 50), of(text))) == 80
    assert "takes 71 columns and there are 70" in refusal(value("OBJECT", "x" * 69), of(text))
    long = "A " * 29 + "LONG"
    assert card(eso(long, 1), of(record(long))) == f"HIERARCH ESO {long} = 1"
    assert "there are 2" in refusal(eso(long, 1000), of(record(long)))
    padded = record("OBJECT", ValueType.STRING, format="%70s")
    assert card(value("OBJECT", "M 31"), of(padded)) == "OBJECT  = 'M 31'"


@pytest.mark.parametrize(
    "text", ["COMMENT = 3, whatever", "HISTORY done", "        blank", "COMMENT"]
)
def test_commentary_passes(text: str) -> None:
    """It has no value that could be checked."""
    assert card(LiteralKeyword(value=text)) == text


@pytest.mark.parametrize("text", ["EXPTIME =", "EXPTIME = / not known", "HIERARCH ESO DET NDIT ="])
def test_an_undefined_value_stays_so(text: str) -> None:
    """Of a keyword that is known."""
    assert card(LiteralKeyword(value=text)) == text
    assert "no dictionary has" in refusal(LiteralKeyword(value="UNHEARD = "))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NOVALUE 3", "the card has no value"),
        ("END", "the card has no value"),
        ("EXPTIME = 'open", "a quote of the value is missing"),
        ("EXPTIME = (1, 2)", "is no value that FITS knows"),
        ("EXPTIME = 1.2.3", "is no value that FITS knows"),
        ("EXPTIME = t", "is no value that FITS knows"),
    ],
)
def test_a_card_that_is_none_is_refused(text: str, why: str) -> None:
    """A literal is judged by its text."""
    assert why in refusal(LiteralKeyword(value=text))


def test_literal_cards_are_formatted_like_the_others() -> None:
    """Value and comment are taken from the text."""
    assert card(LiteralKeyword(value="EXPTIME = 1.5D1 / given")) == (
        "EXPTIME =               15.000 / given"
    )
    assert card(LiteralKeyword(value="HIERARCH ESO  INS  FILT2  ID  =  'RED ' ")) == (
        "HIERARCH ESO INS FILT2 ID = 'RED     ' / Filter"
    )


@given(
    st.sampled_from(["", "%.20s", "%10s", "%-30s"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)
def test_strings_come_back(format: str, text: str) -> None:
    """But for blanks at the end, which FITS does not count."""
    known = of(record("A", ValueType.STRING, format=format))
    for keyword in (value("A", text), value("A", text, "it's / more")):
        made = card(keyword, known)
        assert parse_card(made).value == text.rstrip(" ")
        assert fits.Card.fromstring(made).value == text.rstrip(" ")


@given(st.sampled_from(["", "%d", "%+12d", "%012i", "%.5d"]), st.integers(-(2**63), 2**64 - 1))
def test_integers_come_back(format: str, number: int) -> None:
    """All of 64 bits, by us and by an independent reader."""
    made = card(value("A", number), of(record("A", format=format)))
    assert parse_card(made).value == number == fits.Card.fromstring(made).value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_reals_come_back_in_the_built_in_format(number: float) -> None:
    """To the last bit."""
    made = card(eso("A B", number), of(record("A B", ValueType.DOUBLE)))
    found = parse_card(made).value
    assert isinstance(found, float)
    assert (found, math.copysign(1, found)) == (number, math.copysign(1, number))


@given(
    st.sampled_from(["%.3f", "%.0f", "%.8f", "%12.5e", "%+.2E", "%f"]),
    st.one_of(st.floats(-1e15, 1e15), st.integers(-(2**53), 2**53)),
)
def test_reals_come_back_as_far_as_their_format_goes(format: str, number: float) -> None:
    """They are what C would have read again, and remain reals."""
    made = card(value("A", number), of(record("A", ValueType.DOUBLE, format=format)))
    found = parse_card(made).value
    assert isinstance(found, float)
    assert found == float(format % number)
    assert len(made) <= 80
