"""From the fields of a record, as texts with their lines, to a record that was checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from idl_like_interfaces.dictionaries import DictionaryRecord, ValueType
from objects.dictionaries import names, printf, ranges
from objects.dictionaries.flaws import Flaws

_CARD_ROOM = 64
"""A comment longer than this fits on no card."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of a file: what it says, the field it stands in, and the line."""

    text: str
    field: str
    line: int


ABSENT = Text("", "", 0)


@dataclass(slots=True, kw_only=True)
class Draft:
    """A record as it is read.

    Attributes:
        name: With ``#`` for an index.
        type: ``None``: it is missing, or was complained of.
        choices: Items of a range that is written as a list.
    """

    name: Text
    type: ValueType | None = None
    format: Text = ABSENT
    unit: Text = ABSENT
    range: Text = ABSENT
    choices: Sequence[str] | None = None
    comment: Text = ABSENT
    default: Text = ABSENT
    description: Text = ABSENT
    classes: list[str] = field(default_factory=list)
    context: str = ""


class Drafts:
    """Makes records of drafts; each name once, every flaw noted.

    Args:
        dictionary: Name of the dictionary.
        flaws: Gets what is wrong.

    Attributes:
        records: Those that are good, in the order in which they came.
    """

    def __init__(self, dictionary: str, flaws: Flaws) -> None:
        self.records: list[DictionaryRecord] = []
        self._dictionary = dictionary
        self._flaws = flaws
        self._lines: dict[str, int] = {}

    def add(self, draft: Draft) -> None:
        """Check a draft and keep it as a record."""
        if not self._is_named(draft.name) or draft.type is None:
            return
        self._complain(draft.format, _if_given(printf.complaint_about, draft.format, draft.type))
        self._complain(draft.comment, _comment_flaw(draft.comment.text))
        found = self._range(draft, draft.type)
        self.records.append(
            DictionaryRecord(
                name=draft.name.text,
                type=draft.type,
                format=draft.format.text,
                unit=draft.unit.text,
                lowest=found.lowest,
                highest=found.highest,
                choices=list(found.choices),
                comment=draft.comment.text,
                default=draft.default.text,
                description=" ".join(draft.description.text.split()),
                classes=draft.classes,
                context=draft.context,
                dictionary=self._dictionary,
                line=draft.name.line,
            )
        )

    def _is_named(self, name: Text) -> bool:
        complaint = names.complaint_about(name.text)
        if not complaint and name.text in self._lines:
            complaint = f"{name.text} stands in line {self._lines[name.text]} already"
        self._complain(name, complaint)
        self._lines.setdefault(name.text, name.line)
        return not complaint

    def _range(self, draft: Draft, type_: ValueType) -> ranges.Range:
        try:
            if draft.choices is not None:
                return ranges.range_of(draft.choices, type_)
            return ranges.parse_range(draft.range.text, type_)
        except ranges.BadRange as error:
            self._complain(draft.range, str(error))
            return ranges.ANY

    def _complain(self, at: Text, complaint: str) -> None:
        if complaint:
            self._flaws.add(at.line, at.field, complaint)


def _if_given(judge: Callable[[str, ValueType], str], text: Text, type_: ValueType) -> str:
    return judge(text.text, type_) if text.text else ""


def _comment_flaw(comment: str) -> str:
    if not (comment.isascii() and (comment.isprintable() or not comment)):
        return f"{comment[:_CARD_ROOM]!r} has characters that no FITS header can hold (printable ASCII)"
    return ""
