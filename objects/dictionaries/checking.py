"""Keywords checked against dictionaries, and written as these say: finished cards."""

from __future__ import annotations

import math
from typing import assert_never

from idl_like_interfaces.dictionaries import DictionaryRecord, ValueType
from idl_like_interfaces.keywords import (
    EsoKeyword,
    FitsKeyword,
    KeywordValue,
    LiteralKeyword,
    ValueKeyword,
)
from objects.dictionaries import names, ranges
from objects.dictionaries.cards import BadCard, CardText, make_card, parse_card, value_text
from objects.dictionaries.lookup import Dictionaries
from objects.dictionaries.printf import parse_format

_INTEGERS = (-(2**63), 2**64 - 1)
_SHOWN = 40


class KeywordRefused(ValueError):
    """A keyword is not as the dictionaries want it.

    Attributes:
        name: Its logical name.
        is_unknown: No dictionary has it.
    """

    def __init__(self, name: str, what: str, *, is_unknown: bool = False) -> None:
        super().__init__(what)
        self.name = name
        self.is_unknown = is_unknown


def complete_keyword(keyword: FitsKeyword, dictionaries: Dictionaries) -> LiteralKeyword:
    """Check a keyword and write it as its record says.

    A given comment stays, a missing one comes from the record. Commentary, and a card
    whose value is undefined, are kept as they are.

    Returns:
        The finished card, at most 80 columns.

    Raises:
        KeywordRefused: It is unknown, of the wrong type, out of range, or has no room.
    """
    try:
        asked = _card_of(keyword)
    except BadCard as error:
        name = keyword.value[:8].rstrip() if isinstance(keyword, LiteralKeyword) else ""
        raise KeywordRefused(name, str(error)) from error
    if asked.is_commentary:
        return LiteralKeyword(value=_of(keyword))
    record = _record(asked, dictionaries)
    if asked.value is None:
        return LiteralKeyword(value=_of(keyword))
    try:
        return LiteralKeyword(value=_card(asked, asked.value, record))
    except BadCard as error:
        raise KeywordRefused(asked.name, f"{error} ({record.place})") from error


def _of(keyword: FitsKeyword) -> str:
    assert isinstance(keyword, LiteralKeyword)
    return keyword.value


def _card_of(keyword: FitsKeyword) -> CardText:
    match keyword:
        case LiteralKeyword():
            return parse_card(keyword.value)
        case EsoKeyword() | ValueKeyword():
            return CardText(
                name=keyword.name,
                is_eso=isinstance(keyword, EsoKeyword),
                value=keyword.value,
                comment=keyword.comment or "",
            )
        case _:
            assert_never(keyword)


def _record(asked: CardText, dictionaries: Dictionaries) -> DictionaryRecord:
    if asked.is_eso is names.is_standard(asked.name):
        # One word is a standard keyword, several are an ESO keyword: so say the names.
        kind = "an ESO" if asked.is_eso else "a standard"
        what = f"no dictionary has {kind} keyword of that name"
        raise KeywordRefused(asked.name, what, is_unknown=True)
    record = dictionaries.find(asked.name)
    if record is None:
        raise KeywordRefused(asked.name, "no dictionary has this keyword", is_unknown=True)
    return record


def _card(asked: CardText, value: KeywordValue, record: DictionaryRecord) -> str:
    value = _typed(value, record.type)
    complaint = ranges.complaint_about(value, record) or _text_complaint(value, asked.comment)
    if complaint:
        raise BadCard(complaint)
    format_ = parse_format(record.format) if record.format else None
    if isinstance(value, str) and format_ and format_.precision is not None:
        _check_length(value, format_.precision, record.format)
    if format_ and format_.letter == "u" and value < 0:  # type: ignore[operator]
        raise BadCard(f"{value} is below 0, and the format {record.format} has no sign")
    text = value_text(value, format_)
    if not text.strip():
        raise BadCard(f"the format {record.format} writes nothing for {value}")
    return make_card(asked.name, text, asked.comment or record.comment, is_eso=asked.is_eso)


def _typed(value: KeywordValue, wanted: ValueType) -> KeywordValue:
    """Return the value in the type that is wanted; an integer may become a real.

    Raises:
        BadCard: It is of another type, or none that a card can hold.
    """
    if wanted is ValueType.DOUBLE and isinstance(value, int) and not isinstance(value, bool):
        return _promoted(value)
    if type(value) is not _PYTHON[wanted]:
        article = "an" if wanted is ValueType.INTEGER else "a"
        raise BadCard(f"it must be {article} {wanted} value, found {_described(value)}")
    if isinstance(value, int) and not _INTEGERS[0] <= value <= _INTEGERS[1]:
        raise BadCard(f"the integer {value} has more than 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadCard(f"{value} is no number that a card can hold")
    return value


_PYTHON: dict[ValueType, type] = {
    ValueType.STRING: str,
    ValueType.LOGICAL: bool,
    ValueType.INTEGER: int,
    ValueType.DOUBLE: float,
}


def _promoted(value: int) -> float:
    if not _INTEGERS[0] <= value <= _INTEGERS[1] or int(float(value)) != value:
        raise BadCard(f"the integer {value} has more digits than a real can hold")
    return float(value)


def _described(value: KeywordValue) -> str:
    match value:
        case bool():
            return f"the logical {'T' if value else 'F'}"
        case str():
            more = "..." if len(value) > _SHOWN else ""
            return f"the string {value[:_SHOWN] + more!r}"
        case int():
            return f"the integer {value}"
        case _:
            return f"the real {value}"


def _check_length(value: str, most: int, format_: str) -> None:
    if len(value) > most:
        raise BadCard(f"the string has {len(value)} characters, the format {format_} allows {most}")


def _text_complaint(value: KeywordValue, comment: str) -> str:
    texts = [value, comment] if isinstance(value, str) else [comment]
    if all(text.isascii() and (text.isprintable() or not text) for text in texts):
        return ""
    return "text that is not printable ASCII"
