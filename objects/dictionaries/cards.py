"""FITS cards of keywords: values as text, put on one card; and a card's text taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from idl_like_interfaces.keywords import KeywordValue
from objects.dictionaries.printf import Format

CARD = 80
ESO = "HIERARCH ESO "
COMMENTARY = frozenset({"", "COMMENT", "HISTORY"})

_NAME = 8
_NUMBER_WIDTH = 20
_STRING_WIDTH = 8
_ESO_CARD = re.compile(r"HIERARCH +ESO +(?P<name>[^ =']+(?: +[^ =']+)*) *=(?P<rest>.*)")
_FIELD = re.compile(r" *(?P<value>'(?:[^']|'')*'|[^/']*?) *(?:/ ?(?P<comment>.*?))? *")
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[EeDd][+-]?[0-9]+)?")


class BadCard(ValueError):
    """A keyword cannot stand on a card, or a card is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """A card that was taken apart.

    Attributes:
        name: Logical name.
        is_eso: It is an ESO keyword.
        is_commentary: It has no value, and needs none.
        value: ``None``: it is undefined, or it is commentary.
        comment: Empty: none.
    """

    name: str
    is_eso: bool = False
    is_commentary: bool = False
    value: KeywordValue | None = None
    comment: str = ""


def parse_card(text: str) -> CardText:
    """Take a card apart.

    Raises:
        BadCard: It is neither commentary nor has it a value that FITS knows.
    """
    if found := _ESO_CARD.fullmatch(text):
        name = " ".join(found["name"].split())
        value, comment = _field(found["rest"])
        return CardText(name=name, is_eso=True, value=value, comment=comment)
    name = text[:_NAME].rstrip()
    if name in COMMENTARY:
        return CardText(name=name, is_commentary=True)
    if text[_NAME : _NAME + 2].rstrip() != "=":
        raise BadCard("the card has no value, and only COMMENT, HISTORY and blank cards need none")
    value, comment = _field(text[_NAME + 2 :])
    return CardText(name=name, value=value, comment=comment)


def make_card(name: str, value: str, comment: str, *, is_eso: bool) -> str:
    """Put a keyword on a card; of a comment what has room.

    Args:
        name: Logical name.
        value: As FITS text.
        comment: Empty: none.
        is_eso: It is an ESO keyword.

    Returns:
        The card without blanks at its end.

    Raises:
        BadCard: The value has no room.
    """
    prefix = f"{ESO}{name} = " if is_eso else f"{name.ljust(_NAME)}= "
    room = CARD - len(prefix)
    value = value if is_eso else _aligned(value)
    if len(value) > room:
        value = _shortest(value)
    if len(value) > room:
        raise BadCard(f"the value takes {len(value)} columns and there are {max(room, 0)}")
    text = f"{prefix}{value}"
    rest = CARD - len(text) - len(" / ")
    return (f"{text} / {comment[:rest]}" if comment and rest > 0 else text).rstrip()


def value_text(value: KeywordValue, format_: Format | None) -> str:
    """Write a value as FITS text, with a format or in the built-in one.

    What C writes is kept but for three things that FITS asks for: blanks in front of a
    string would belong to its value, so they go behind it; a real keeps a point, so that
    it stays one; and the letter of an exponent is ``E``.
    """
    match value:
        case bool():
            return format_.apply(value) if format_ else "T" if value else "F"
        case str():
            width = len(format_.apply(value)) if format_ else 0
            quoted = value.replace("'", "''").ljust(_STRING_WIDTH)
            return f"'{quoted}{' ' * (width - len(quoted))}'"
        case int():
            return format_.apply(value) if format_ else str(value)
        case float():
            return _real(format_.apply(value), ".") if format_ else _real(repr(value), ".0")


def _real(text: str, point: str) -> str:
    digits, letter, power = text.rstrip().upper().partition("E")
    return f"{digits}{'' if '.' in digits else point}{letter}{power}"


def _aligned(value: str) -> str:
    is_string = value.startswith("'")
    return value.ljust(_NUMBER_WIDTH) if is_string else value.rjust(_NUMBER_WIDTH)


def _shortest(value: str) -> str:
    """Leave out padding, which says nothing."""
    value = value.strip()
    return f"'{value[1:-1].rstrip()}'" if value.startswith("'") else value


def _field(text: str) -> tuple[KeywordValue | None, str]:
    found = _FIELD.fullmatch(text)
    if found is None:
        raise BadCard("a quote of the value is missing")
    return _value(found["value"]), found["comment"] or ""


def _value(text: str) -> KeywordValue | None:
    if not text:
        return None
    if text.startswith("'"):
        return text[1:-1].replace("''", "'").rstrip()
    if text in ("T", "F"):
        return text == "T"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _REAL.fullmatch(text):
        return float(text.upper().replace("D", "E"))
    raise BadCard(f"{text!r} is no value that FITS knows")
