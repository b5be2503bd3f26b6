"""Whatever a file holds, the readers read it or refuse it; whatever a card holds, likewise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idl_like_interfaces.keywords import LiteralKeyword
from objects.dictionaries import names
from objects.dictionaries.checking import KeywordRefused, complete_keyword
from objects.dictionaries.flaws import BadDictionary
from objects.dictionaries.lookup import Dictionaries
from objects.dictionaries.reading import parse_dictionary
from tests.support.dictionaries import CLASSIC, classic
from tests.unit.dictionaries.test_readers import DID, YAML

FILES = {"ESO-VLT-DIC.TEST": CLASSIC, "x.yaml": YAML, "x.did.yaml": DID}
KNOWN = Dictionaries([classic()])

_PIECES = st.sampled_from(
    [
        "Parameter Name: A",
        "Type: double",
        "Range: (,)",
        "Value Format: %s",
        " x",
        ":",
        "#",
        "\t",
        "Header:",
        "  Name: x",
        "A: !cfg.type:DidIntKey",
        "- ",
        "? ",
        "*a",
        "&a ",
        "!!int ",
        "'",
        '"',
        "[",
        "]",
        "{",
        "}",
        ">",
        "%YAML 9.9",
        "---",
        "...",
        "\\U00110000",
        "\x00",
        "\ufeff",
        "\x85",
    ]
)


def _read(name: str, octets: bytes) -> None:
    try:
        read = parse_dictionary(name, octets)
    except BadDictionary:
        return
    assert len({each.name for each in read.records}) == len(read.records)
    Dictionaries([read]).find("INS2 FILT3 ID")


@given(st.sampled_from(list(FILES)), st.binary(max_size=300))
def test_any_octets_are_read_or_refused(name: str, octets: bytes) -> None:
    """Nothing else is ever raised."""
    _read(name, octets)


@given(st.sampled_from(list(FILES)), st.lists(_PIECES, max_size=25), st.booleans())
def test_any_pieces_of_dictionaries_are_read_or_refused(
    name: str, pieces: list[str], lines: bool
) -> None:
    """Put together in any order."""
    _read(name, ("\n" if lines else "").join(pieces).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(list(FILES)), st.data())
def test_damaged_dictionaries_are_read_or_refused(name: str, data: st.DataObject) -> None:
    """Some octets of a good file are others, or gone."""
    octets = bytearray(FILES[name].encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    _read(name, bytes(octets))


@pytest.mark.soak
@pytest.mark.timeout(1200)
@settings(max_examples=5_000, deadline=None)
@given(st.sampled_from(list(FILES)), st.data())
def test_many_damaged_dictionaries(name: str, data: st.DataObject) -> None:
    """The same at full count."""
    test_damaged_dictionaries_are_read_or_refused.hypothesis.inner_test(name, data)  # type: ignore[attr-defined]


@given(
    st.one_of(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80),
        st.lists(
            st.sampled_from(
                [
                    "EXPTIME",
                    "OBJECT  ",
                    "HIERARCH ESO ",
                    "INS FILT1 ID",
                    "= ",
                    "'",
                    "/",
                    "1",
                    "T",
                    "E5",
                ]
            ),
            min_size=1,
            max_size=9,
        ).map(lambda parts: "".join(parts)[:80]),
    )
)
def test_any_card_is_finished_or_refused(text: str) -> None:
    """And what is finished is finished: checked again it stays as it is."""
    try:
        made = complete_keyword(LiteralKeyword(value=text), KNOWN)
    except KeywordRefused:
        return
    assert len(made.value) <= 80
    assert complete_keyword(made, KNOWN) == made


@given(st.text("AB19#() -_i", max_size=30), st.text("AB19 -_", max_size=30))
def test_any_name_is_judged_and_its_expression_ends(name: str, keyword: str) -> None:
    """No name makes a look-up hang."""
    if not names.complaint_about(name):
        names.matcher(name).fullmatch(keyword)
        names.skeleton(keyword)
