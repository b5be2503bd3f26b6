"""Keywords are added or replaced by kind and name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.keywords import EsoKeyword, FitsKeyword, LiteralKeyword, ValueKeyword
from objects.acquisition.keywords import identity, updated
from objects.acquisition.specification import keywords_of

A1 = ValueKeyword(name="A", value=1)
A2 = ValueKeyword(name="A", value=2)
ESO_A = EsoKeyword(name="A", value=3)

_NAMES = st.sampled_from(["A", "B", "C"])
_KEYWORDS: st.SearchStrategy[FitsKeyword] = st.one_of(
    st.builds(ValueKeyword, name=_NAMES, value=st.integers(0, 9)),
    st.builds(EsoKeyword, name=_NAMES, value=st.integers(0, 9)),
    st.builds(LiteralKeyword, value=st.sampled_from(["COMMENT x", "A       = 7"])),
)


@pytest.mark.spec("ESO-050")
def test_a_value_and_an_eso_keyword_are_different() -> None:
    """Equal text, different kind: both stay."""
    assert updated([A1], [ESO_A]) == [A1, ESO_A]


def test_a_keyword_takes_the_place_of_its_like() -> None:
    """Its position in the list is kept."""
    assert updated([A1, ESO_A], [A2]) == [A2, ESO_A]


@pytest.mark.spec("ESO-052")
@pytest.mark.parametrize(
    ("card", "other"),
    [
        ("a       = 7", A1),
        ("HIERARCH ESO a = 7", ESO_A),
    ],
)
def test_a_name_in_other_letters_is_another(card: str, other: FitsKeyword) -> None:
    """Cards are told apart by upper and lower case; other keywords have no lower case."""
    literal = LiteralKeyword(value=card)
    assert updated([other], [literal]) == [other, literal]
    for kind in ("valueKeyword", "esoKeyword"):
        with pytest.raises(DaqException, match="name"):
            keywords_of("x", json.dumps([{"type": kind, "name": "a", "value": 1}]))


def test_commentary_repeats() -> None:
    """Commentary is never replaced."""
    comment = LiteralKeyword(value="COMMENT seeing was good")
    assert updated([comment], [comment]) == [comment, comment]


@pytest.mark.parametrize(
    ("card", "same_as"),
    [
        ("A       = 7 / comment", A1),
        ("HIERARCH ESO A = 7", ESO_A),
    ],
)
def test_a_literal_is_judged_by_its_text(card: str, same_as: FitsKeyword) -> None:
    """A literal card replaces the keyword that its text names."""
    literal = LiteralKeyword(value=card)
    assert updated([same_as], [literal]) == [literal]


@given(st.lists(_KEYWORDS), st.lists(_KEYWORDS))
def test_after_an_update_the_new_values_stand(
    old: list[FitsKeyword], new: list[FitsKeyword]
) -> None:
    """Every kind and name stands once with its last value; nothing else has gone."""
    result = updated(updated([], old), new)
    names = [identity(each) for each in result if identity(each) is not None]
    assert len(names) == len(set(names))
    last = {identity(each): each for each in [*old, *new]}
    assert {identity(each): each for each in result} == last
