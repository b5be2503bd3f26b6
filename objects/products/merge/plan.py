"""What stands in the primary header of the product: who wins, who is left out, the order.

Contributions come in descending priority, the in-place target first. Of each value
or ESO keyword the first one wins, where it stands; commentary is all kept. Two
kinds of keyword stand above the target: ``OCM_STANDARD`` and the merger's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from idl_like_interfaces.keywords import KeywordRule
from objects.products.merge.cards import Card, CardKind, parse_card
from objects.products.merge.rules import apply_rules

STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|PCOUNT|GCOUNT|GROUPS|BLOCKED"
    r"|TFIELDS|TFORM\d*|TBCOL\d+|END"
)
"""Names that describe the layout of their own HDU; they never travel."""

DATA_DESCRIPTION = frozenset({"BSCALE", "BZERO", "BLANK"})
"""Names that belong to the data beside them: the target keeps its own, others do not travel."""

RESERVED = frozenset({"ARCFILE", "ORIGFILE", "DATE", "CHECKSUM", "DATASUM"})
"""Names that the merger writes itself, whatever a source says."""

OCM_SOURCE = "ocm"
"""``sourceName`` of the keywords that the OCM contributes to each acquisition."""

OCM_STANDARD = frozenset({"INSTRUME", "ORIGIN", "TELESCOP"})
"""Value keywords that win over all, the target included, when the OCM gives them.

They say where the product belongs, which the installation knows and a file may not.
Everything else that comes with the OCM (users' keywords) has the priority of its place.
"""

CATEGORIES = ("DPR", "OBS", "TPL", "GEN", "TEL", "ADA", "INS", "DET")
"""Order of the ESO keywords; other categories follow, alphabetically."""

_EXTEND = parse_card("EXTEND  =                    T / extensions may be present")
_EMPTY = tuple(
    parse_card(image)
    for image in (
        "SIMPLE  =                    T / FITS standard",
        "BITPIX  =                    8 / no data here",
        "NAXIS   =                    0 / no data here",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Keywords of one source, as its rules left them.

    Attributes:
        cards: In the order of the source.
        is_ocm: They are those of the OCM.
    """

    cards: tuple[Card, ...]
    is_ocm: bool = False


def is_structure(card: Card) -> bool:
    """Tell whether a card describes the layout of the HDU that it stands in."""
    return STRUCTURE.fullmatch(card.name) is not None and card.kind is not CardKind.ESO


def may_travel(card: Card) -> bool:
    """Tell whether a card may go from a source into the product."""
    if card.kind is CardKind.ESO:
        return True
    owned = card.name in RESERVED or card.name in DATA_DESCRIPTION
    return not (owned or is_structure(card) or card.is_blank)


def default_copy(cards: Iterable[Card]) -> list[Card]:
    """Choose what a file without rules contributes: all that may travel, commentary too."""
    return [card for card in cards if may_travel(card)]


def contribute(
    cards: Sequence[Card], rules: Sequence[KeywordRule] | None, field: str
) -> list[Card]:
    """Choose what a file contributes under its rules (``None``: the default copy).

    Raises:
        SchemaViolation: A rule cannot be applied; ``field`` is the path of the rules.
    """
    if rules is None:
        return default_copy(cards)
    visible = [card for card in cards if not is_structure(card)]
    return default_copy(apply_rules(visible, rules, field))


def merge_cards(contributions: Sequence[Contribution], special: Sequence[Card]) -> list[Card]:
    """Resolve collisions and sort: value, the merger's own, ESO, commentary cards."""
    winners: dict[tuple[CardKind, str], Card] = {}
    commentary: list[Card] = []
    for card in (card for each in contributions for card in each.cards):
        if card.kind is CardKind.COMMENTARY:
            commentary.append(card)
        else:
            winners.setdefault(card.key, card)
    # A standard keyword takes the place of what it wins over.
    winners.update((card.key, card) for card in reversed(_standard(contributions)))
    values = [card for card in winners.values() if card.kind is CardKind.VALUE]
    eso = [card for card in winners.values() if card.kind is CardKind.ESO]
    return [*values, *special, *sorted(eso, key=_eso_order), *commentary]


def structure_cards(target: Sequence[Card] | None) -> list[Card]:
    """Return the first cards of the product: of an empty HDU, or of the target's data."""
    if target is None:
        return [*_EMPTY, _EXTEND]
    own = [card for card in target if is_structure(card) and card.name != "EXTEND"]
    layout = [card for card in own if not card.name.endswith("COUNT") and card.name != "GROUPS"]
    groups = [card for card in own if card not in layout]
    data = [card for card in target if card.key[1] in DATA_DESCRIPTION and not _is_eso(card)]
    return [*layout, _EXTEND, *groups, *data]


def _standard(contributions: Sequence[Contribution]) -> list[Card]:
    return [
        card
        for each in contributions
        if each.is_ocm
        for card in each.cards
        if card.kind is CardKind.VALUE and card.name in OCM_STANDARD
    ]


def _is_eso(card: Card) -> bool:
    return card.kind is CardKind.ESO


def _eso_order(card: Card) -> tuple[int, str, str]:
    known = card.category in CATEGORIES
    return CATEGORIES.index(card.category) if known else len(CATEGORIES), card.category, card.name
