"""Cards made from declared keywords, and cards given another name.

A string that is too long for its card goes on over ``CONTINUE`` cards (FITS standard 4.0,
4.2.1.2), of value keywords and of ESO keywords alike.
"""

from __future__ import annotations

import re
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
from objects.products.merge.cards import (
    CARD_LENGTH,
    COMMENTARY_NAMES,
    CONTINUATION,
    ESO_NAME_LENGTH,
    ESO_PREFIX,
    NAME_LENGTH,
    VALUE_INDICATOR,
    Card,
    CardKind,
    parse_card,
    split_value,
    whole_comment,
    whole_value,
)
from objects.products.merge.problems import SchemaViolation

_FIXED_WIDTH = 20
_STRING_WIDTH = 8
_INTEGERS = range(-(2**63), 2**64)
_PRINTABLE = re.compile(r"[ -~]*")
_AROUND_PIECE = len("'&'")
_SEPARATOR = " / "


def format_keyword(keyword: FitsKeyword, field: str) -> Card:
    """Make the card of a declared keyword; a comment is cut where the card ends.

    Args:
        keyword: The keyword.
        field: Its path in the specification, for the error.

    Raises:
        SchemaViolation: Its name is illegal, or its value cannot be written.
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
            text = _value_text(keyword.value, field)
        case _:
            assert_never(keyword)
    comment = _checked_text(keyword.comment or "", f"{field}.comment")
    return Card(kind=kind, name=name, images=_images(prefix, text, comment, f"{field}.value"))


def rename_card(card: Card, name: str, field: str) -> Card:
    """Give a card another logical name; kind, value and (as far as it fits) comment stay.

    Raises:
        SchemaViolation: The name is illegal for that kind, or leaves no room for the value.
    """
    if card.kind is CardKind.ESO:
        _check_eso_name(name, field)
        return Card(kind=card.kind, name=name, images=_renamed_images(card, name, field))
    _check_name(name, field, wants_value=card.kind is CardKind.VALUE)
    first = name.ljust(NAME_LENGTH) + card.images[0][NAME_LENGTH:]
    return Card(kind=card.kind, name=name, images=(first, *card.images[1:]))


def _renamed_images(card: Card, name: str, field: str) -> tuple[str, ...]:
    prefix = f"{ESO_PREFIX}{name} = "
    value, comment = split_value(card)
    if len(card.images) > 1 and len(prefix + value) <= CARD_LENGTH:
        return (_joined(prefix, value, comment), *card.images[1:])
    return _images(prefix, whole_value(card), whole_comment(card), field)


def _images(prefix: str, value: str, comment: str, field: str) -> tuple[str, ...]:
    """Write a value on its card, a string that does not fit there on several."""
    room = CARD_LENGTH - len(prefix)
    is_string = value.startswith("'")
    if is_string and len(value) > room:
        value = f"'{value.rstrip()[1:-1].rstrip()}'"  # free format needs no padding
    if len(value) <= room:
        return (_joined(prefix, value, comment),)
    if not is_string or room < _AROUND_PIECE + 2:
        raise SchemaViolation(
            field,
            f"the value takes {len(value)} columns as FITS text, the card of "
            f"{prefix.rstrip(' =')!r} has room for {room}",
            remedy="shorten the name",
        )
    return _continued(prefix, value[1:-1], comment)


def _continued(prefix: str, text: str, comment: str) -> tuple[str, ...]:
    pieces = _pieces(text, CARD_LENGTH - len(prefix) - _AROUND_PIECE)
    # Behind a piece that ends in & as text, readers wait for one more.
    fits = len(CONTINUATION + pieces[-1]) + 2 + len(_SEPARATOR + comment) <= CARD_LENGTH
    if pieces[-1].endswith("&") or (comment and not fits):
        pieces.append("")
    heads = [prefix, *[CONTINUATION] * (len(pieces) - 1)]
    values = [*(f"'{piece}&'" for piece in pieces[:-1]), f"'{pieces[-1]}'"]
    comments = [*[""] * (len(pieces) - 1), comment]
    return tuple(map(_joined, heads, values, comments))


def _pieces(text: str, room: int) -> list[str]:
    """Cut the inside of a string; a quote, which is written twice, stays in one piece."""
    pieces = [""]
    for letter in re.findall(r"''|.", text):
        if len(pieces[-1]) + len(letter) > room:
            pieces.append("")
            room = CARD_LENGTH - len(CONTINUATION) - _AROUND_PIECE
        pieces[-1] += letter
    return pieces


def _joined(prefix: str, value: str, comment: str) -> str:
    text = prefix + value
    room = CARD_LENGTH - len(text) - len(_SEPARATOR)
    if comment and room > 0:
        text = f"{text}{_SEPARATOR}{comment[:room]}"
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
