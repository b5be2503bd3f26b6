"""Ranges in dictionaries: ``(0, 360)`` for numbers, ``(OPEN, CLOSED)`` for strings.

The published forms have the field and show it empty only; what may stand in it is ours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from idl_like_interfaces.dictionaries import Bound, DictionaryRecord, ValueType
from idl_like_interfaces.keywords import KeywordValue

_ENDS = 2
_NOTHING = frozenset({"", "none", "null", "~"})
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")


class BadRange(ValueError):
    """A range makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What values are allowed; see ``DictionaryRecord``."""

    lowest: Bound = None
    highest: Bound = None
    choices: tuple[str, ...] = ()


ANY = Range()


def parse_range(text: str, type_: ValueType) -> Range:
    """Read a range from its text.

    Raises:
        BadRange: It makes no sense for the type.
    """
    inner = text.strip()
    if inner[:1] + inner[-1:] in ("()", "[]") and len(inner) > 1:
        inner = inner[1:-1].strip()
    if inner.lower() in _NOTHING:
        return ANY
    return range_of(inner.split(","), type_)


def range_of(items: Sequence[str], type_: ValueType) -> Range:
    """Make a range of the items that are listed.

    Raises:
        BadRange: They make no sense for the type.
    """
    parts = [_unquoted(item.strip()) for item in items]
    match type_:
        case ValueType.STRING:
            return Range(choices=tuple(parts))
        case ValueType.LOGICAL:
            raise BadRange("a logical value has no range, it is T or F")
        case ValueType.INTEGER | ValueType.DOUBLE:
            return _interval(parts, type_)


def complaint_about(value: KeywordValue, record: DictionaryRecord) -> str:
    """Say how a value leaves the range of a record; empty: it does not."""
    if isinstance(value, str):
        if record.choices and value.rstrip() not in record.choices:
            return f"{value!r} is none of {', '.join(record.choices)}"
        return ""
    if record.lowest is not None and value < record.lowest:
        return f"{value} is below {record.lowest}"
    if record.highest is not None and value > record.highest:
        return f"{value} is above {record.highest}"
    return ""


def _interval(parts: Sequence[str], type_: ValueType) -> Range:
    if len(parts) != _ENDS:
        raise BadRange(
            f"a range of numbers has two ends, as in (0, 360), this one has {len(parts)}"
        )
    lowest, highest = (_bound(part, type_) for part in parts)
    if lowest is not None and highest is not None and lowest > highest:
        raise BadRange(f"the lower end {lowest} is above the upper end {highest}")
    return Range(lowest=lowest, highest=highest)


def _bound(text: str, type_: ValueType) -> Bound:
    if text.lower() in _NOTHING:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if type_ is ValueType.INTEGER:
        raise BadRange(f"{text!r} is not an integer")
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise BadRange(f"{text!r} is not a number")
    return found


def _unquoted(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if is_quoted else text
