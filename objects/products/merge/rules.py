"""Keyword rules: a pipeline of filters and renamings over the cards of one source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from idl_like_interfaces.cards import CardKind
from idl_like_interfaces.checks import compiled_rule
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.keywords import KeywordRule, KeywordRuleFilter, KeywordRuleTransform
from objects.products.merge.cards import Card
from objects.products.merge.formatting import rename_card
from objects.products.merge.problems import SchemaViolation


def apply_rules(cards: Sequence[Card], rules: Sequence[KeywordRule], field: str) -> list[Card]:
    """Pass cards through rules, each working on what the one before left.

    Without any rule nothing passes.

    Args:
        cards: The keywords of a source, without structure keywords.
        rules: Its rules.
        field: Their path in the specification, for errors.

    Raises:
        SchemaViolation: A regular expression or its replacement is malformed, or makes
            a name that a FITS keyword cannot have.
    """
    passing = list(cards) if rules else []
    for index, rule in enumerate(rules):
        match rule:
            case KeywordRuleFilter(selection_patterns=patterns):
                chosen = select(passing, patterns)
                passing = [card for card, taken in zip(passing, chosen, strict=True) if taken]
            case KeywordRuleTransform():
                passing = _transform(passing, rule, f"{field}[{index}]")
    return passing


def select(cards: Sequence[Card], patterns: Sequence[str]) -> list[bool]:
    """Tell for each card whether the patterns, applied in order, leave it selected."""
    chosen = [False] * len(cards)
    for pattern in patterns:
        adds, kind, glob = pattern[0] == "+", CardKind(pattern[1]), pattern[3:].rstrip()
        for index, card in enumerate(cards):
            if card.kind is kind and fnmatchcase(card.name, glob):
                chosen[index] = adds
    return chosen


def _transform(cards: Sequence[Card], rule: KeywordRuleTransform, field: str) -> list[Card]:
    try:
        regex = compiled_rule(rule, field)
    except BadParam as error:
        what = error.message.removeprefix(f"{error.field}: ")
        raise SchemaViolation(error.field, what, remedy=error.remedy) from error
    chosen = select(cards, rule.selection_patterns)
    return [
        _renamed(card, regex, rule.format, field) if taken else card
        for card, taken in zip(cards, chosen, strict=True)
    ]


def _renamed(card: Card, regex: re.Pattern[str], replacement: str, field: str) -> Card:
    name = regex.sub(replacement, card.name, count=1)
    return card if name == card.name else rename_card(card, name, f"{field}.format")
