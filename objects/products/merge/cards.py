"""FITS header cards as they lie in a file: told apart, continued strings joined, split.

A card that comes from a file is kept as the text that it is, so a value is never
rounded, re-quoted or re-aligned on its way into the product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from idl_like_interfaces.cards import (
    CARD_LENGTH,
    NAME_LENGTH,
    VALUE_INDICATOR,
    CardKind,
    kind_and_name,
)

CONTINUATION = "CONTINUE  "

_CONTINUED = re.compile(rf"{CONTINUATION} *'")
_VALUE_FIELD = re.compile(r" *(?P<value>'(?:[^']|'')*'|[^/]*?) *(?:/ ?(?P<comment>.*?))? *")
_RECORD = re.compile(r"'(?P<field>[A-Za-z_][\w.]*): +[-+.\dEeDd]+ *'")
_HIERARCH_CARD = re.compile(r"HIERARCH +[^=']*=(?P<rest>.*)")


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
    def identity(self) -> tuple[CardKind, str]:
        """What two cards that say something about the same have in common.

        It is the key, with the field of a record-valued keyword (``DP1 = 'AXIS.1: 2'``, FITS
        WCS paper IV): its name stands in a header as often as it has fields.
        """
        if self.kind is not CardKind.VALUE or ": " not in self.images[0]:
            return self.key
        field = _RECORD.fullmatch(split_value(self)[0])
        return (self.kind, f"{self.name}.{field['field']}") if field else self.key

    @property
    def is_blank(self) -> bool:
        """Tell whether nothing at all stands on the card."""
        return not "".join(self.images).strip()


def parse_card(image: str) -> Card:
    """Tell kind and logical name of a record; trailing NULs count as blanks."""
    if len(image) != CARD_LENGTH or "\0" in image:  # else the text is shared with its file
        image = image.rstrip("\0 ").ljust(CARD_LENGTH)
    kind, name = kind_and_name(image)
    return Card(kind=kind, name=name, images=(image,))


def parse_cards(images: Iterable[str]) -> list[Card]:
    """Read the records of a header in front of END; continued strings stay together."""
    return list(walk_cards(images))


def walk_cards(images: Iterable[str]) -> Iterator[Card]:
    """Yield what ``parse_cards`` returns: a header may be long."""
    last: Card | None = None
    for image in images:
        card = parse_card(image)
        if last is not None and _CONTINUED.match(image) and _is_continued(last):
            last = replace(last, images=(*last.images, *card.images))
            continue
        if last is not None:
            yield last
        last = card
    if last is not None:
        yield last


def whole_value(card: Card) -> str:
    """Return the value as it is written, a string over several cards in one piece."""
    pieces = [value for value, _ in value_fields(card)]
    text = "".join(piece[1:-1].removesuffix("&") for piece in pieces[:-1])
    return f"'{text}{pieces[-1][1:-1]}'" if len(pieces) > 1 else pieces[0]


def whole_comment(card: Card) -> str:
    """Return the comment, that of a string over several cards in one piece."""
    return " ".join(comment for _, comment in value_fields(card) if comment)


def split_value(card: Card) -> tuple[str, str]:
    """Return value and comment of a card as they are written, without blanks around.

    Of a string over several cards these are its first piece, with ``&``, and its comment.
    """
    image = card.images[0]
    if image.startswith("HIERARCH") and (found := _HIERARCH_CARD.fullmatch(image)):
        return _split_field(found["rest"])
    return _split_field(image[NAME_LENGTH + len(VALUE_INDICATOR) :])


def value_fields(card: Card) -> list[tuple[str, str]]:
    """Return value and comment of each record of a card; see ``split_value``."""
    return [split_value(card), *(_split_field(image[NAME_LENGTH:]) for image in card.images[1:])]


def _is_continued(card: Card) -> bool:
    if card.kind is CardKind.COMMENTARY and not _HIERARCH_CARD.fullmatch(card.images[0]):
        return False
    return value_fields(card)[-1][0].endswith("&'")


def _split_field(text: str) -> tuple[str, str]:
    found = _VALUE_FIELD.fullmatch(text)
    # An unclosed quote is somebody else's mistake: such a field is passed on whole.
    return (found["value"], found["comment"] or "") if found else (text.strip(), "")
