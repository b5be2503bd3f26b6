"""What stands in the primary header of the product: who wins, who is left out, the order.

Contributions come in descending priority, the in-place target first. Of each value
or ESO keyword the first one wins, where it stands; commentary is all kept. Two
kinds of keyword stand above the target: ``OCM_STANDARD`` and the merger's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from idl_like_interfaces.cards import CardKind
from idl_like_interfaces.keywords import KeywordRule
from objects.products.merge.cards import Card
from objects.products.merge.collisions import MERGER, Collision, Side, find_collisions
from objects.products.merge.rules import apply_rules
from objects.products.merge.structure import describes_data, is_structure

RESERVED = frozenset({"ARCFILE", "ORIGFILE", "DATE", "CHECKSUM", "DATASUM"})
"""Names that the merger writes itself, whatever a source says."""

TOLD = frozenset({"ARCFILE", "ORIGFILE"})
"""Those of them that are told when a source says otherwise; the others always differ."""

OCM_SOURCE = "ocm"
"""``sourceName`` of the keywords that the OCM contributes to each acquisition."""

OCM_STANDARD = frozenset({"INSTRUME", "ORIGIN", "TELESCOP"})
"""Value keywords that win over all, the target included, when the OCM gives them.

They say where the product belongs, which the installation knows and a file may not.
Everything else that comes with the OCM (users' keywords) has the priority of its place.
"""

CATEGORIES = ("DPR", "OBS", "TPL", "GEN", "TEL", "ADA", "INS", "DET")
"""Order of the ESO keywords; other categories follow, alphabetically."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Keywords of one source, as its rules left them.

    Attributes:
        cards: In the order of the source.
        source: Its name.
        is_ocm: They are those of the OCM.
        overridden: What it says about keywords that the merger writes.
    """

    cards: tuple[Card, ...]
    source: str = ""
    is_ocm: bool = False
    overridden: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedCards:
    """The primary header behind its structure, and what was decided on the way."""

    cards: list[Card]
    collisions: list[Collision]


def may_travel(card: Card) -> bool:
    """Tell whether a card may go from a source into the product."""
    if card.kind is CardKind.ESO:
        return True
    owned = card.name in RESERVED or describes_data(card)
    return not (owned or is_structure(card) or card.is_blank)


def default_copy(cards: Iterable[Card]) -> list[Card]:
    """Choose what a file without rules contributes: all that may travel, commentary too."""
    return [card for card in cards if may_travel(card)]


def overridden(cards: Iterable[Card]) -> list[Card]:
    """Choose what the merger writes itself and tells of when a source says otherwise."""
    return [card for card in cards if card.kind is CardKind.VALUE and card.name in TOLD]


def apply_own_rules(
    cards: Sequence[Card], rules: Sequence[KeywordRule] | None, field: str
) -> Sequence[Card]:
    """Return what the rules of a file leave of its cards (``None``: all of them).

    Raises:
        SchemaViolation: A rule cannot be applied; ``field`` is the path of the rules.
    """
    if rules is None:
        return cards
    return apply_rules([card for card in cards if not is_structure(card)], rules, field)


def merge_cards(contributions: Sequence[Contribution], special: Sequence[Card]) -> MergedCards:
    """Resolve collisions and sort: value, the merger's own, ESO, commentary cards."""
    decided = list(_decide(contributions))
    winners = [winner.card for winner, _ in decided]
    values = [card for card in winners if card.kind is CardKind.VALUE]
    eso = [card for card in winners if card.kind is CardKind.ESO]
    commentary = [
        card for each in contributions for card in each.cards if card.kind is CardKind.COMMENTARY
    ]
    decided += _own(contributions, special)
    return MergedCards(
        cards=[*values, *special, *sorted(eso, key=_eso_order), *commentary],
        collisions=find_collisions(decided),
    )


def _decide(contributions: Sequence[Contribution]) -> Iterator[tuple[Side, Sequence[Side]]]:
    """Yield for each keyword who wins and who does not, in the order of first occurrence."""
    standard = {
        id(card)
        for each in contributions
        if each.is_ocm
        for card in each.cards
        if card.kind is CardKind.VALUE and card.name in OCM_STANDARD
    }
    said: dict[tuple[CardKind, str], Side] = {}
    again: dict[tuple[CardKind, str], list[Side]] = {}  # few are, and headers may be long
    for each in contributions:
        for card in each.cards:
            if card.kind is not CardKind.COMMENTARY:
                side = Side(source=each.source, card=card)
                if said.setdefault(card.identity, side) is not side:
                    again.setdefault(card.identity, []).append(side)
    for identity, first in said.items():
        sides = [first, *again.get(identity, ())]
        # A standard keyword takes the place of what it wins over.
        winner = next((side for side in sides if id(side.card) in standard), first)
        yield winner, tuple(side for side in sides if side is not winner)


def _own(
    contributions: Sequence[Contribution], special: Sequence[Card]
) -> Iterator[tuple[Side, Sequence[Side]]]:
    for card in special:
        losers = [
            Side(source=each.source, card=other)
            for each in contributions
            for other in each.overridden
            if other.key == card.key
        ]
        yield Side(source=MERGER, card=card), losers


def _eso_order(card: Card) -> tuple[int, str, str]:
    known = card.category in CATEGORIES
    return CATEGORIES.index(card.category) if known else len(CATEGORIES), card.category, card.name
