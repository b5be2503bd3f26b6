"""What describes the data of the primary HDU: the first cards of the product.

They are written anew where the target has them in another order or in free format, which
the standard does not allow for them, and else kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from idl_like_interfaces.cards import CARD_LENGTH, STRUCTURE, CardKind
from objects.products.merge.cards import Card, parse_card, split_value

_DATA = re.compile(r"BSCALE|BZERO|BLANK|(PTYPE|PSCAL|PZERO)\d+")
_GROUPS = ("GROUPS", "PCOUNT", "GCOUNT")
_EXTEND = parse_card("EXTEND  =                    T / extensions may be present")
_EMPTY = tuple(
    parse_card(image)
    for image in (
        "SIMPLE  =                    T / FITS standard",
        "BITPIX  =                    8 / no data here",
        "NAXIS   =                    0 / no data here",
    )
)


def is_structure(card: Card) -> bool:
    """Tell whether a card describes the layout of the HDU that it stands in."""
    return card.kind is not CardKind.ESO and STRUCTURE.fullmatch(card.name) is not None


def describes_data(card: Card) -> bool:
    """Tell whether a card belongs to the data beside it: scaling, or a parameter of groups."""
    return card.kind is CardKind.VALUE and _DATA.fullmatch(card.name) is not None


def structure_cards(target: Sequence[Card] | None) -> list[Card]:
    """Return the first cards of the product: of an empty HDU, or of the target's data."""
    if target is None:
        return [*_EMPTY, _EXTEND]
    own: dict[str, Card] = {}
    for card in target:
        if card.kind is CardKind.VALUE and (is_structure(card) or describes_data(card)):
            own.setdefault(card.name, card)
    axes = int(split_value(own["NAXIS"])[0])
    layout = ["SIMPLE", "BITPIX", "NAXIS", *(f"NAXIS{axis + 1}" for axis in range(axes))]
    groups = [name for name in _GROUPS if name in own and _has_groups(own)]
    data = [card for card in own.values() if describes_data(card)]
    return [
        *(_in_fixed_format(own[name]) for name in layout),
        _EXTEND,
        *(_in_fixed_format(own[name]) for name in groups),
        *data,
    ]


def _has_groups(own: dict[str, Card]) -> bool:
    return "GROUPS" in own and split_value(own["GROUPS"])[0] == "T"


def _in_fixed_format(card: Card) -> Card:
    value, comment = split_value(card)
    start = f"{card.name:8}= {value:>20}"
    if card.images[0].startswith(start):
        return card
    image = f"{start} / {comment}" if comment else start
    return parse_card(image[:CARD_LENGTH])
