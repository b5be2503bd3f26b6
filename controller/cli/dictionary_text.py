"""Records of dictionaries as text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idl_like_interfaces.dictionaries import DictionaryRecord

_WIDTH = 78
_LABEL = 13


def record_lines(record: DictionaryRecord) -> str:
    """Say all of a record, one field on a line; what it does not say is left out."""
    fields = {
        "name": record.name,
        "type": record.type.value,
        "format": record.format,
        "unit": record.unit,
        "range": range_text(record),
        "comment": record.comment,
        "default": record.default,
        "class": ", ".join(record.classes),
        "context": record.context,
        "description": record.description,
        "stands in": record.place,
    }
    return "\n".join(_field(label, text) for label, text in fields.items() if text)


def record_table(records: Sequence[DictionaryRecord], columns: int = 0) -> str:
    """List records, one on a line.

    Args:
        records: In this order.
        columns: What has no room in a line of this length is cut off; 0: nothing is.
    """
    rows = [
        (each.name, each.type.value, each.format, each.comment, range_text(each))
        for each in records
    ]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(4)]
    lines = (
        "  ".join([*(row[at].ljust(width) for at, width in enumerate(widths)), row[-1]]).rstrip()
        for row in rows
    )
    return "\n".join(_cut(line, columns) if columns else line for line in lines)


def range_text(record: DictionaryRecord) -> str:
    """Write the values that are allowed; empty: all are."""
    if record.choices:
        return ", ".join(record.choices)
    if record.lowest is None:
        return "" if record.highest is None else f"<= {record.highest}"
    if record.highest is None:
        return f">= {record.lowest}"
    return f"{record.lowest} .. {record.highest}"


def _cut(line: str, columns: int) -> str:
    return line if len(line) <= columns else f"{line[: columns - 1]}…"


def _field(label: str, text: str) -> str:
    indent = " " * _LABEL
    wrapped = textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
    return (
        label.ljust(_LABEL) + wrapped.lstrip()
        if len(wrapped) > _WIDTH
        else f"{label:<{_LABEL}}{text}"
    )
