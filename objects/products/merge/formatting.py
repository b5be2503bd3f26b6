"""Cards made from declared keywords, and cards given another name.

A string that is too long for its card goes on over ``CONTINUE`` cards (FITS standard 4.0,
4.2.1.2), of value keywords and of ESO keywords alike.
"""

from __future__ import annotations

import re

from idl_like_interfaces.cards import (
    CARD_LENGTH,
    ESO_PREFIX,
    NAME_LENGTH,
    VALUE_INDICATOR,
    CardKind,
)
from idl_like_interfaces.checks import identity_of, keyword_fault, name_fault, value_text
from idl_like_interfaces.keywords import FitsKeyword, LiteralKeyword
from objects.products.merge.cards import (
    CONTINUATION,
    Card,
    parse_card,
    split_value,
    whole_comment,
    whole_value,
)
from objects.products.merge.problems import SchemaViolation

_FIXED_WIDTH = 20
_STRING_WIDTH = 8
_REMEDY = "shorten, replace or leave out the keyword; write text in ASCII"
_NAME_REMEDIES = (
    "use 1 to 8 of A-Z 0-9 _ -; give commentary as a literalKeyword",
    "use words of A-Z 0-9 _ - with single blanks, 63 columns at most",
)
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
    if fault := keyword_fault(keyword):
        member, what = fault
        raise SchemaViolation(f"{field}.{member}", what, remedy=_REMEDY)
    if isinstance(keyword, LiteralKeyword):
        return parse_card(keyword.value)
    kind, name = identity_of(keyword)
    text = _padded(value_text(keyword.value))
    if kind is CardKind.ESO:
        prefix = f"{ESO_PREFIX}{name} = "
    else:
        prefix = name.ljust(NAME_LENGTH) + VALUE_INDICATOR
        is_string = isinstance(keyword.value, str)
        text = text.ljust(_FIXED_WIDTH) if is_string else text.rjust(_FIXED_WIDTH)
    images = _images(prefix, text, keyword.comment or "", f"{field}.value")
    return Card(kind=kind, name=name, images=images)


def rename_card(card: Card, name: str, field: str) -> Card:
    """Give a card another logical name; kind, value and (as far as it fits) comment stay.

    Raises:
        SchemaViolation: The name is illegal for that kind, or leaves no room for the value.
    """
    _check_name(card.kind, name, field)
    if card.kind is CardKind.ESO:
        return Card(kind=card.kind, name=name, images=_renamed_images(card, name, field))
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


def _padded(text: str) -> str:
    return f"'{text[1:-1].ljust(_STRING_WIDTH)}'" if text.startswith("'") else text


def _check_name(kind: CardKind, name: str, field: str) -> None:
    fault = name_fault(kind, name) if name else "a keyword needs a name"
    if fault:
        raise SchemaViolation(field, fault, remedy=_NAME_REMEDIES[kind is CardKind.ESO])
