"""Cards of sloppy writers: made to keep the standard, so that the product does.

Nothing is lost. What can be put right without guessing is, and any other card becomes
``COMMENT`` with its whole text. Only cards that go into the primary header pass through
here; the headers of extensions are copied byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from idl_like_interfaces.cards import CARD_LENGTH, NAME_LENGTH, PRINTABLE, CardKind
from idl_like_interfaces.keywords import ESO_NAME, STANDARD_NAME
from objects.products.merge.cards import (
    Card,
    parse_card,
    split_value,
    value_fields,
)

_BLANKS = re.compile(r"[\0\t\r\n\f\v]")
_ILLEGAL = re.compile(r"[^ -~]")
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[ED][+-]?\d+)?"
_VALUE = re.compile(rf"(?:'(?:[^']|'')*'|[TF]|{_NUMBER}|\( *{_NUMBER} *, *{_NUMBER} *\)|)")
_ESO_NAME = re.compile(ESO_NAME)
_STANDARD_NAME = re.compile(STANDARD_NAME)
_COMMENT = "COMMENT "
_COMMENT_WIDTH = CARD_LENGTH - len(_COMMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What was done to a card: its text as it was, and in words what became of it."""

    text: str
    done: str


def repair_cards(cards: Sequence[Card]) -> tuple[list[Card], list[Repair]]:
    """Return cards that keep the standard, and what was done to those that did not."""
    good: list[Card] = []
    repairs: list[Repair] = []
    for card in cards:
        found, done = repaired(card)
        good += found
        if done:
            repairs.append(Repair(text=_shown(card), done=done))
    return good, repairs


def repaired(card: Card) -> tuple[list[Card], str]:
    """Return what stands for a card, and what was done; nothing when it keeps the standard."""
    steps: list[str] = []
    if not all(map(PRINTABLE.fullmatch, card.images)):
        card = _printable(card)
        steps.append("other characters than printable ASCII replaced")
    if not _has_legal_name(card) and _has_legal_name(upper := _upper_name(card)):
        card = upper
        steps.append("name written in capitals")
    if not _has_legal_value(card) and _has_legal_value(upper := _upper_value(card)):
        card = upper
        steps.append("value written in capitals")
    if _has_legal_name(card) and _has_legal_value(card):
        return [card], "; ".join(steps)
    reason = "its value is none" if _has_legal_name(card) else "its name is none"
    return _as_comment(card), f"kept as COMMENT, since {reason} of the standard"


def _has_legal_name(card: Card) -> bool:
    if card.kind is CardKind.ESO:
        return _ESO_NAME.fullmatch(card.name) is not None
    if card.kind is CardKind.COMMENTARY:
        if card.name in ("CONTINUE", "END"):  # a piece without beginning; an end that is none
            return False
        if not card.name:
            return True
    return _STANDARD_NAME.fullmatch(card.name) is not None


def _has_legal_value(card: Card) -> bool:
    if card.kind is CardKind.COMMENTARY:
        return True
    return all(_VALUE.fullmatch(value) for value, _ in value_fields(card))


def _upper_name(card: Card) -> Card:
    first = card.images[0]
    end = first.index("=") if card.kind is CardKind.ESO else NAME_LENGTH
    return _with_first(card, first[:end].upper() + first[end:])


def _upper_value(card: Card) -> Card:
    """Write ``t``, ``f`` and exponents in capitals; a string or a comment is left alone."""
    value, _ = split_value(card)
    first = card.images[0]
    start = first.index("=") + 1
    return _with_first(card, first[:start] + first[start:].replace(value, value.upper(), 1))


def _with_first(card: Card, image: str) -> Card:
    parsed = parse_card(image)
    return replace(parsed, images=(image, *card.images[1:]))


def _printable(card: Card) -> Card:
    images = [_ILLEGAL.sub("?", _BLANKS.sub(" ", image)) for image in card.images]
    return replace(parse_card(images[0]), images=tuple(images))


def _as_comment(card: Card) -> list[Card]:
    texts = [image.rstrip() for image in card.images]
    return [
        parse_card(_COMMENT + text[start : start + _COMMENT_WIDTH])
        for text in texts
        for start in range(0, len(text), _COMMENT_WIDTH)
    ]


def _shown(card: Card) -> str:
    more = " ..." if len(card.images) > 1 else ""
    return card.images[0].rstrip() + more
