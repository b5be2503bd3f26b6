"""Keyword rules: what passes, what is renamed, in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.keywords import KeywordRule, KeywordRuleFilter, KeywordRuleTransform
from objects.products.merge.cards import Card, parse_card
from objects.products.merge.problems import SchemaViolation
from objects.products.merge.rules import apply_rules, select

CARDS = [
    parse_card(image)
    for image in (
        "OBJECT  = 'M31'",
        "EXPTIME = 3.0",
        "HIERARCH ESO INS TEMP1 VAL = 1",
        "HIERARCH ESO INS TEMP2 VAL = 2",
        "HIERARCH ESO INS TEMP3 VAL = 3",
        "HIERARCH ESO DET NAME = 'x'",
        "COMMENT one",
        "HISTORY two",
    )
]


def keep(*patterns: str) -> KeywordRuleFilter:
    return KeywordRuleFilter(selection_patterns=list(patterns))


def rename(regex: str, format: str, *patterns: str) -> KeywordRuleTransform:
    return KeywordRuleTransform(selection_patterns=list(patterns), regex=regex, format=format)


def names(cards: list[Card]) -> list[str]:
    return [card.name for card in cards]


def names_after(*rules: KeywordRule) -> list[str]:
    return names(apply_rules(CARDS, rules, "rules"))


@pytest.mark.spec("ESO-129")
def test_a_filter_passes_only_what_is_selected() -> None:
    """A glob crosses blanks; kinds are kept apart."""
    assert names_after(keep("+e INS *", "+v OBJ*", "+c COMMENT")) == [
        "OBJECT",
        "INS TEMP1 VAL",
        "INS TEMP2 VAL",
        "INS TEMP3 VAL",
        "COMMENT",
    ]


@pytest.mark.spec("ESO-129")
def test_a_later_minus_removes_and_a_later_plus_adds_again() -> None:
    """Patterns are applied in their order."""
    rule = keep("+e *", "-e INS TEMP[12] *", "+e INS TEMP2 *")
    assert names_after(rule) == ["INS TEMP2 VAL", "INS TEMP3 VAL", "DET NAME"]


def test_patterns_are_case_sensitive() -> None:
    """Logical names are upper case, a lower-case glob finds nothing."""
    assert names_after(keep("+v obj*")) == []


@pytest.mark.spec("ESO-128")
def test_no_rule_passes_nothing() -> None:
    """An empty array is not the same as no array."""
    assert names_after() == []


@pytest.mark.spec("ESO-130")
def test_a_transform_renames_the_selected_and_passes_the_others() -> None:
    """Only the first occurrence in a selected name is replaced."""
    rule = rename("^INS ", "INS2 ", "+e INS TEMP[12] *")
    assert names_after(rule) == [
        "OBJECT",
        "EXPTIME",
        "INS2 TEMP1 VAL",
        "INS2 TEMP2 VAL",
        "INS TEMP3 VAL",
        "DET NAME",
        "COMMENT",
        "HISTORY",
    ]


@pytest.mark.spec("ESO-130")
def test_a_transform_may_use_groups() -> None:
    """The replacement is that of Python's regular expressions."""
    rule = rename(r"TEMP(\d)", r"SENS\1 TEMP", "+e INS TEMP1 *")
    assert "INS SENS1 TEMP VAL" in names_after(rule)


@pytest.mark.spec("ESO-131")
def test_each_rule_works_on_what_the_one_before_left() -> None:
    """A filter behind a renaming sees the new names, one in front of it the old ones."""
    to_ins2 = rename("^INS ", "INS2 ", "+e *")
    assert names_after(to_ins2, keep("+e INS *")) == []
    assert len(names_after(keep("+e INS *"), to_ins2)) == 3
    assert names_after(keep("+v *"), keep("+e *")) == []


@pytest.mark.parametrize(
    ("rule", "field", "word"),
    [
        (rename("(", "x", "+v *"), "rules[0].regex", "no regular expression"),
        (rename("O{99999999999999999999}", "x", "+v *"), "rules[0].regex", "no regular expression"),
        (rename("O", r"\2", "+v NONE"), "rules[0].format", "does not fit"),
        (rename("OBJECT", "X" * 99, "+v *"), "rules[0].format", "XX…' cannot be the name"),
        (rename("OBJECT", "FAR TOO LONG", "+v *"), "rules[0].format", "cannot be the name"),
    ],
)
def test_a_bad_rule_is_refused_with_its_field(
    rule: KeywordRuleTransform, field: str, word: str
) -> None:
    """Also when no keyword would have met it."""
    with pytest.raises(SchemaViolation) as refusal:
        apply_rules(CARDS, [rule], "rules")
    assert refusal.value.field == field
    assert word in refusal.value.message


@given(st.lists(st.sampled_from(["+e *", "-e *", "+v *", "-v E*", "+c *", "-c H*"])))
def test_the_last_pattern_that_meets_a_card_decides(patterns: list[str]) -> None:
    """Selecting means: look at the last pattern that fits, none means not selected."""
    for card, chosen in zip(CARDS, select(CARDS, patterns), strict=True):
        meeting = [pattern for pattern in patterns if any(select([card], [f"+{pattern[1:]}"]))]
        assert chosen == bool(meeting and meeting[-1][0] == "+")
