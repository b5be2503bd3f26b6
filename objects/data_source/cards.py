"""FITS header cards as text of 80 characters, so that what is not ours stays as it was.

A header that passes through a parser may come out with other spacing, and non-standard
cards of real instruments with a warning. Frames are therefore carried as card images.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import BinaryIO

from idl_like_interfaces.keywords import EsoKeyword, FitsKeyword, LiteralKeyword, ValueKeyword

CARD = 80
BLOCK = 2880
_VALUE_COLUMN_END = 30
_CARDS_IN_BLOCK = BLOCK // CARD
_MOST_BLOCKS = 4096

Cards = list[str]


class BadHeader(ValueError):
    """The bytes are not a FITS header."""


def name_of(card: str) -> str:
    """Return the keyword field of a card, for ``HIERARCH`` cards the whole name."""
    if card.startswith("HIERARCH "):
        return card.split("=", 1)[0].rstrip()
    return card[:8].rstrip()


def cards_of(keyword: FitsKeyword) -> Cards:
    """Format a keyword: one card, or several when a long string must go on.

    Raises:
        ValueError: Name or value cannot stand in a FITS header.
    """
    match keyword:
        case LiteralKeyword(value=text):
            return [text.ljust(CARD)]
        case EsoKeyword(name=name, value=value, comment=comment):
            return value_cards(f"HIERARCH ESO {name}", value, comment or "")
        case ValueKeyword(name=name, value=value, comment=comment):
            return value_cards(name, value, comment or "")


def value_cards(name: str, value: bool | float | str, comment: str = "") -> Cards:  # noqa: FBT001 (T and F are values)
    """Format name, value and as much of the comment as the card holds."""
    from astropy.io.fits import Card

    image = str(Card(name, value).image)
    room = CARD - 3 - max(len(image.rstrip()), _VALUE_COLUMN_END)
    if comment and len(image) == CARD and room > 0:
        image = str(Card(name, value, comment[:room]).image)
    return [image[at : at + CARD] for at in range(0, len(image), CARD)]


def fitting(name: str, text: str) -> str:
    """Return a text as printable ASCII, cut so that it fits one card of that name."""
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    room = CARD - len(name) - len(" = ''") - plain[:CARD].count("'")
    return plain if len(plain) <= room else f"{plain[: room - 3]}..."


def text_of(cards: Iterable[str], name: str) -> str:
    """Return the string value of a keyword; empty when there is none."""
    from astropy.io.fits import Card

    for card in cards:
        if name_of(card) == name:
            return str(Card.fromstring(card).value).strip()
    return ""


def integer_of(cards: Iterable[str], name: str, default: int | None = None) -> int:
    """Return the integer value of a structure keyword.

    Raises:
        BadHeader: It is missing and there is no default, or it is no integer.
    """
    for card in cards:
        if name_of(card) == name:
            try:
                return int(card[10:].split("/", 1)[0])
            except ValueError as error:
                raise BadHeader(f"{name} is not an integer: {card.rstrip()!r}") from error
    if default is None:
        raise BadHeader(f"{name} is missing")
    return default


def replaced(cards: Cards, new: Cards) -> Cards:
    """Return the cards with those of the same name replaced in place, else appended."""
    result = list(cards)
    for card in new:
        same = [at for at, old in enumerate(result) if name_of(old) == name_of(card)]
        if same:
            result[same[0]] = card
        else:
            result.append(card)
    return result


def without(cards: Cards, names: frozenset[str]) -> Cards:
    """Return the cards except those of the given names."""
    return [card for card in cards if name_of(card) not in names]


def trimmed(cards: Cards) -> Cards:
    """Return the cards without blank ones at the end (space that an editor reserved)."""
    end = len(cards)
    while end and not cards[end - 1].strip():
        end -= 1
    return cards[:end]


def header_octets(cards: Cards) -> bytes:
    """Return the header as it stands in a file: cards, END, blanks to a whole block."""
    text = "".join([*cards, "END".ljust(CARD)])
    return text.ljust(math.ceil(len(text) / BLOCK) * BLOCK).encode("ascii")


def read_header(stream: BinaryIO) -> Cards | None:
    """Read the cards up to END; ``None`` at the end of the file.

    Raises:
        BadHeader: The file ends within the header, or these bytes are none.
    """
    cards: Cards = []
    for _ in range(_MOST_BLOCKS):
        block = stream.read(BLOCK)
        if not block and not cards:
            return None
        if len(block) < BLOCK:
            raise BadHeader("the file ends within a header")
        if not block.isascii() or (not cards and block[:8] not in (b"SIMPLE  ", b"XTENSION")):
            raise BadHeader("these bytes are not a FITS header")
        text = block.decode("ascii")
        for at in range(_CARDS_IN_BLOCK):
            card = text[at * CARD : (at + 1) * CARD]
            if card.rstrip() == "END":
                return cards
            cards.append(card)
    raise BadHeader("a header without END")


def shape_of(cards: Cards) -> tuple[int, ...]:
    """Return NAXIS1, NAXIS2, … (the FITS order, the reverse of numpy's)."""
    axes = integer_of(cards, "NAXIS")
    return tuple(integer_of(cards, f"NAXIS{axis + 1}") for axis in range(axes))


def data_size(cards: Cards) -> int:
    """Return the bytes of the data that follow a header, without their padding."""
    shape = shape_of(cards)
    if not shape:
        return 0
    groups = shape[0] == 0 and any(name_of(card) == "GROUPS" for card in cards)
    pixels = math.prod(shape[1:] if groups else shape)
    length = abs(integer_of(cards, "BITPIX")) // 8
    return length * integer_of(cards, "GCOUNT", 1) * (integer_of(cards, "PCOUNT", 0) + pixels)


def padding_of(size: int) -> int:
    """Return how many bytes fill the last block."""
    return -size % BLOCK
