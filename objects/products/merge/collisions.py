"""Keywords that several sources have: what each says, who wins, and whether it matters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from idl_like_interfaces.cards import CardKind
from idl_like_interfaces.merging import (
    LOSERS_TOLD,
    CollisionSide,
    KeywordCollision,
)
from objects.products.merge.cards import Card, whole_value

MERGER = "merger"
"""Stands for the merger where the source of a keyword is told."""

_LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A card, and the name of the source that it comes from."""

    source: str
    card: Card


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """A keyword about which sources say different things; losers by descending priority."""

    winner: Side
    losers: tuple[Side, ...]


def find_collisions(decided: Iterable[tuple[Side, Sequence[Side]]]) -> list[Collision]:
    """Return a collision for each winner that others contradict.

    Who says the same loses nothing: that is no collision. Comments are not compared.
    """
    found = []
    for winner, others in decided:
        if not others:
            continue
        value = _comparable(winner.card)
        losers = tuple(other for other in others if _comparable(other.card) != value)
        if losers:
            found.append(Collision(winner=winner, losers=losers))
    return found


def declared(collision: Collision) -> KeywordCollision:
    """Return a collision as it is told, within bounds."""
    card = collision.winner.card
    return KeywordCollision(
        keyword=f"ESO {card.name}" if card.kind is CardKind.ESO else card.identity[1],
        winner=_side(collision.winner),
        losers=[_side(loser) for loser in collision.losers[:LOSERS_TOLD]],
        more_losers=max(0, len(collision.losers) - LOSERS_TOLD),
    )


def _side(side: Side) -> CollisionSide:
    value = whole_value(side.card)
    if value.startswith("'"):
        value = f"'{value[1:-1].rstrip()}'"
    if len(value) > _LONGEST_VALUE:
        value = f"{value[: _LONGEST_VALUE - 3]}..."
    return CollisionSide(source=side.source, value=value)


def _comparable(card: Card) -> tuple[str, str | int | float]:
    """Return what the value means; numbers may be written in several ways."""
    text = whole_value(card)
    if text.startswith("'"):
        return "string", text[1:-1].rstrip()
    try:
        return "number", int(text)
    except ValueError:
        pass
    try:
        return "number", float(text.upper().replace("D", "E"))
    except ValueError:
        return "other", text
