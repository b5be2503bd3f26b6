"""Syntax of names and of what they stand for."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.naming import InvalidName
from nameserver.names import MAX_NAME_LENGTH, check_reference, parse_bindable, parse_name

ALPHABET = string.ascii_letters + string.digits + "._~+:-"
components = st.text(ALPHABET, min_size=1, max_size=64)
paths = st.lists(components, min_size=1, max_size=16).filter(
    lambda path: len("/".join(path)) <= MAX_NAME_LENGTH
)


@given(paths)
def test_every_name_within_the_rules_is_split(path: list[str]) -> None:
    """Joining its components gives the name."""
    assert parse_bindable("/".join(path)) == tuple(path)


@given(st.text(max_size=200))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    """Nothing else comes out, and what is accepted keeps every rule."""
    try:
        path = parse_name(text)
    except InvalidName as error:
        refused = error.name
    else:
        refused = text
        assert "/".join(path) == text
        assert len(path) <= 16
        assert all(0 < len(each) <= 64 and set(each) <= set(ALPHABET) for each in path)
    assert refused == text


@given(paths, st.data())
def test_one_wrong_character_spoils_a_name(path: list[str], data: st.DataObject) -> None:
    """Wherever it stands."""
    wrong = data.draw(st.characters(exclude_characters=ALPHABET + "/"))
    text = "/".join(path)
    place = data.draw(st.integers(0, len(text)))
    with pytest.raises(InvalidName):
        parse_name(text[:place] + wrong + text[place:])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a//b", "empty component"),
        ("a b", "component 'a b'"),
        ("/".join(["a"] * 17), "more than 16 components"),
        ("/".join(["a" * 60] * 9), "548 characters"),
    ],
)
def test_the_refusal_says_which_rule(text: str, words: str) -> None:
    """What was found, the rule as the cause, and a remedy."""
    with pytest.raises(InvalidName, match=words) as refused:
        parse_name(text)
    assert "A-Z a-z 0-9" in refused.value.cause


@pytest.mark.parametrize(
    "uri",
    [
        "PYRO:ocm~1@localhost:4711",
        "PYRO:ocm@127.0.0.1:1",
        "PYRO:ocm@[::1]:4711",
        "PYRO:ocm@./u:/run/ocm.sock",
    ],
)
def test_every_location_of_an_object_is_a_reference(uri: str) -> None:
    """By host name, address of either kind, or socket file."""
    check_reference(uri, "", {})


@pytest.mark.parametrize(
    "uri", ["", "ocm", "PYRO:ocm", "PYRO:@localhost:1", "PYRONAME:ocm", "PYRO:a b@localhost:1"]
)
def test_what_names_no_place_is_no_reference(uri: str) -> None:
    """Symbolic references would lead a look-up in circles."""
    with pytest.raises(BadParam) as refused:
        check_reference(uri, "", {})
    assert refused.value.field == "uri"
