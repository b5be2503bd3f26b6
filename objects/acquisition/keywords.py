"""Keywords of an acquisition: which are the same, which are fit for a FITS header."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias, assert_never

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.keywords import (
    EsoKeyword,
    FitsKeyword,
    KeywordValue,
    LiteralKeyword,
    ValueKeyword,
)

_ESO = "HIERARCH ESO "
_CARD = 80
_STRING = 70
_INTEGERS = (-(2**63), 2**64 - 1)

Identity: TypeAlias = tuple[str, str] | None
"""Kind and name; ``None`` for commentary, which may repeat."""


def identity(keyword: FitsKeyword) -> Identity:
    """Return what makes two keywords the same; a literal is judged by its text."""
    match keyword:
        case ValueKeyword():
            return ("value", keyword.name)
        case EsoKeyword():
            return ("eso", keyword.name)
        case LiteralKeyword():
            return _identity_of_card(keyword.value)
        case _:
            assert_never(keyword)


def _identity_of_card(card: str) -> Identity:
    if card.startswith(_ESO) and "=" in card:
        return ("eso", card[len(_ESO) :].partition("=")[0].strip())
    if card[8:10] == "= ":
        return ("value", card[:8].strip())
    return None


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
    """Refuse what no FITS header can hold.

    Args:
        keywords: All of them.
        field: Path of the list, for the message.

    Raises:
        BadParam: Naming the first keyword that does not fit, and why.
    """
    for place, keyword in enumerate(keywords):
        if isinstance(keyword, LiteralKeyword):
            continue
        fault = _fault(keyword)
        if fault:
            path = f"{field}[{place}]"
            raise BadParam(
                f"{path} ({keyword.name}): {fault}",
                field=path,
                cause="a FITS card holds 80 printable ASCII characters",
                remedy="shorten or replace the value",
            )


def _fault(keyword: ValueKeyword | EsoKeyword) -> str:
    value = keyword.value
    if isinstance(value, int) and not _INTEGERS[0] <= value <= _INTEGERS[1]:
        return f"the integer {value} has more than 64 bits"
    texts = [value if isinstance(value, str) else "", keyword.comment or ""]
    if not all(text.isascii() and text.isprintable() for text in texts):
        return "text that is not printable ASCII"
    room = (
        _STRING if isinstance(keyword, ValueKeyword) else _CARD - len(_ESO) - len(keyword.name) - 3
    )
    needed = _length(value)
    return f"the value needs {needed} characters and there are {room}" if needed > room else ""


def _length(value: KeywordValue) -> int:
    """Count the characters that a value takes in a card, quotes included."""
    if isinstance(value, bool):
        return 1
    if isinstance(value, str):
        return len(value.replace("'", "''")) + 2
    return len(repr(value))
