"""Keywords of an acquisition: which are the same, which are fit for a FITS header."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from idl_like_interfaces.cards import CardKind
from idl_like_interfaces.checks import check_keywords, check_no_structure, identity_of
from idl_like_interfaces.keywords import FitsKeyword

Identity: TypeAlias = tuple[CardKind, str] | None
"""Kind and name; ``None`` for commentary, which may repeat."""


def identity(keyword: FitsKeyword) -> Identity:
    """Return what makes two keywords the same; a literal is judged by its text."""
    kind, name = identity_of(keyword)
    return None if kind is CardKind.COMMENTARY else (kind, name)


def updated(old: Sequence[FitsKeyword], new: Iterable[FitsKeyword]) -> list[FitsKeyword]:
    """Return the old keywords with the new ones in or behind them.

    A new keyword takes the place of the one with the same kind and name; all others
    are added at the end in their order.
    """
    result = list(old)
    places = {identity(keyword): place for place, keyword in enumerate(result)}
    for keyword in new:
        who = identity(keyword)
        if who is not None and who in places:
            result[places[who]] = keyword
        else:
            places[who] = len(result)
            result.append(keyword)
    return result


def check(keywords: Sequence[FitsKeyword], field: str) -> None:
    """Refuse what no FITS header can hold, and what would describe the product's layout.

    Args:
        keywords: All of them.
        field: Path of the list, for the message.

    Raises:
        BadParam: Naming the first keyword that does not fit, and why.
    """
    check_keywords(keywords, field)
    check_no_structure(keywords, field)
