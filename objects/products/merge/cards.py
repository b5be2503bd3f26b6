"""FITS header cards: made from declared keywords, told apart, split and renamed.

A card that comes from a file is kept as the text that it is, so a value is never
rounded, re-quoted or re-aligned on its way into the product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from idl_like_interfaces.keywords import (
    ESO_NAME,
    STANDARD_NAME,
    EsoKeyword,
    FitsKeyword,
    KeywordValue,
    LiteralKeyword,
    ValueKeyword,
)
from objects.products.merge.problems import SchemaViolation

CARD_LENGTH = 80
NAME_LENGTH = 8
ESO_PREFIX = "HIERARCH ESO "
ESO_NAME_LENGTH = 63
VALUE_INDICATOR = "= "
COMMENTARY_NAMES = frozenset({"", "COMMENT", "HISTORY", "CONTINUE", "HIERARCH", "END"})
"""Names that never have a value, whatever stands in columns 9 and 10."""

_FIXED_WIDTH = 20
_STRING_WIDTH = 8
_INTEGERS = range(-(2**63), 2**64)
_ESO_CARD = re.compile(r"HIERARCH ESO +(?P<name>[^ =']+(?: +[^ =']+)*) *=(?P<rest>.*)")
_VALUE_FIELD = re.compile(r" *(?P<value>'(?:[^']|'')*'|[^/]*?) *(?:/ ?(?P<comment>.*?))? *")
_PRINTABLE = re.compile(r"[ -~]*")


class CardKind(StrEnum):
    """Kind of a card; the value is its letter in a selection pattern."""

    VALUE = "v"
    ESO = "e"
    COMMENTARY = "c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One keyword of a header.

    Attributes:
        kind: Commentary is everything without a value; it may repeat.
        name: Logical name; of an ESO card without ``HIERARCH ESO``.
        images: Its records of 80 columns; more than one for a continued string.
    """

    kind: CardKind
    name: str
    images: tuple[str, ...]

    @property
    def category(self) -> str:
        """First word of the logical name (it orders ESO cards)."""
        return self.name.partition(" ")[0]

    @property
    def key(self) -> tuple[CardKind, str]:
        """What two cards of the same keyword have in common."""
        return self.kind, self.name

    @property
    def is_blank(self) -> bool:
        """Tell whether nothing at all stands on the card."""
        return not "".join(self.images).strip()


def parse_card(image: str) -> Card:
    """Tell kind and logical name of a record; trailing NULs count as blanks."""
    image = image.rstrip("\0 ").ljust(CARD_LENGTH)
    if eso := _ESO_CARD.fullmatch(image):
        name = " ".join(eso["name"].split())
        return Card(kind=CardKind.ESO, name=name, images=(image,))
    name = image[:NAME_LENGTH].rstrip()
    has_value = image[NAME_LENGTH:].startswith(VALUE_INDICATOR) and name not in COMMENTARY_NAMES
    kind = CardKind.VALUE if has_value else CardKind.COMMENTARY
    return Card(kind=kind, name=name, images=(image,))


def parse_cards(images: Iterable[str]) -> list[Card]:
    """Read the records of a header in front of END; continued strings stay together."""
    cards: list[Card] = []
    for image in images:
        card = parse_card(image)
        if card.name == "CONTINUE" and cards and _is_continued(cards[-1]):
            cards[-1] = replace(cards[-1], images=(*cards[-1].images, *card.images))
        else:
            cards.append(card)
    return cards


def split_value(card: Card) -> tuple[str, str]:
    """Return value and comment of a card as they are written, without blanks around."""
    image = card.images[0]
    if eso := _ESO_CARD.fullmatch(image):
        return _split_field(eso["rest"])
    return _split_field(image[NAME_LENGTH + len(VALUE_INDICATOR) :])


def rename_card(card: Card, name: str, field: str) -> Card:
    """Give a card another logical name; kind, value and (as far as it fits) comment stay.

    Raises:
        SchemaViolation: The name is illegal for that kind, or leaves no room for the value.
    """
    if card.kind is CardKind.ESO:
        _check_eso_name(name, field)
        value, comment = split_value(card)
        first = _join(f"{ESO_PREFIX}{name} = ", value, comment, field)
    else:
        _check_name(name, field, wants_value=card.kind is CardKind.VALUE)
        first = name.ljust(NAME_LENGTH) + card.images[0][NAME_LENGTH:]
    return Card(kind=card.kind, name=name, images=(first, *card.images[1:]))


def format_keyword(keyword: FitsKeyword, field: str) -> Card:
    """Make the card of a declared keyword; a comment is cut where the card ends.

    Args:
        keyword: The keyword.
        field: Its path in the specification, for the error.

    Raises:
        SchemaViolation: It cannot be written on one card of 80 columns.
    """
    match keyword:
        case LiteralKeyword():
            return _literal(keyword.value, f"{field}.value")
        case ValueKeyword(name=name):
            _check_name(name, f"{field}.name", wants_value=True)
            kind, prefix = CardKind.VALUE, name.ljust(NAME_LENGTH) + VALUE_INDICATOR
            text = _fixed(keyword.value, field)
        case EsoKeyword(name=name):
            _check_eso_name(name, f"{field}.name")
            kind, prefix = CardKind.ESO, f"{ESO_PREFIX}{name} = "
            text = _compact(_value_text(keyword.value, field), CARD_LENGTH - len(prefix))
        case _:
            assert_never(keyword)
    comment = _checked_text(keyword.comment or "", f"{field}.comment")
    return Card(kind=kind, name=name, images=(_join(prefix, text, comment, f"{field}.value"),))


def _is_continued(card: Card) -> bool:
    if card.kind is CardKind.COMMENTARY:
        return False
    last = card.images[-1][NAME_LENGTH:] if len(card.images) > 1 else split_value(card)[0]
    return _split_field(last)[0].endswith("&'")


def _split_field(text: str) -> tuple[str, str]:
    found = _VALUE_FIELD.fullmatch(text)
    # An unclosed quote is somebody else's mistake: such a field is passed on whole.
    return (found["value"], found["comment"] or "") if found else (text.strip(), "")


def _join(prefix: str, value: str, comment: str, field: str) -> str:
    text = prefix + value
    if len(text) > CARD_LENGTH:
        room = CARD_LENGTH - len(prefix)
        raise SchemaViolation(
            field,
            f"the value takes {len(value)} columns as FITS text, the card of "
            f"{prefix.rstrip(' =')!r} has room for {room}",
            remedy="shorten the value or the name; strings over several cards are not supported",
        )
    room = CARD_LENGTH - len(text) - len(" / ")
    if comment and room > 0:
        text = f"{text} / {comment[:room]}"
    return text.ljust(CARD_LENGTH)


def _fixed(value: KeywordValue, field: str) -> str:
    text = _value_text(value, field)
    return text.ljust(_FIXED_WIDTH) if isinstance(value, str) else text.rjust(_FIXED_WIDTH)


def _value_text(value: KeywordValue, field: str) -> str:
    match value:
        case bool():
            return "T" if value else "F"
        case int():
            return _integer_text(value, field)
        case float():
            return _real_text(value)
        case str():
            quoted = _checked_text(value, f"{field}.value").replace("'", "''")
            return f"'{quoted.ljust(_STRING_WIDTH)}'"


def _integer_text(value: int, field: str) -> str:
    if value not in _INTEGERS:
        raise SchemaViolation(
            f"{field}.value",
            f"the integer {value} does not fit into 64 bits",
            remedy="give it with a decimal point, or as a string",
        )
    return str(value)


def _real_text(value: float) -> str:
    mantissa, exponent, power = repr(value).partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}E{power}" if exponent else mantissa


def _compact(text: str, room: int) -> str:
    """Drop the padding of a string that is too long; free format does not need it."""
    return f"'{text[1:-1].rstrip()}'" if len(text) > room and text.startswith("'") else text


def _literal(text: str, field: str) -> Card:
    card = parse_card(text)
    if card.kind is CardKind.ESO:
        _check_eso_name(card.name, field)
    elif card.kind is CardKind.VALUE or card.name:
        _check_name(card.name, field, wants_value=card.kind is CardKind.VALUE)
    return card


def _check_name(name: str, field: str, *, wants_value: bool) -> None:
    legal = re.fullmatch(STANDARD_NAME, name) and name not in ("CONTINUE", "HIERARCH")
    if not legal or (wants_value and name in COMMENTARY_NAMES - {"END"}):
        raise SchemaViolation(
            field,
            f"{name!r} cannot be the name of a {'value' if wants_value else 'commentary'} keyword",
            remedy="use 1 to 8 of A-Z 0-9 _ -; give commentary as a literalKeyword",
        )


def _check_eso_name(name: str, field: str) -> None:
    if not re.fullmatch(ESO_NAME, name) or len(name) > ESO_NAME_LENGTH:
        raise SchemaViolation(
            field,
            f"{name!r} cannot be the name of an ESO keyword",
            remedy=f"use words of A-Z 0-9 _ - with single blanks, {ESO_NAME_LENGTH} columns at most",
        )


def _checked_text(text: str, field: str) -> str:
    if not _PRINTABLE.fullmatch(text):
        odd = next(letter for letter in text if not _PRINTABLE.fullmatch(letter))
        raise SchemaViolation(
            field,
            f"{odd!r} is not a printable ASCII character, and FITS has no others",
            remedy="write it in ASCII",
        )
    return text
