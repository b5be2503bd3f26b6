"""Reads classic dictionaries: ``ESO-VLT-DIC.<scope>``, lines of ``field: value``.

The first record identifies the dictionary; each ``Parameter Name`` begins another one. A
line that begins with a blank goes on with the field above it, and so does, below
``Description``, a line that begins with no known field, as it stands in old files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from idl_like_interfaces.dictionaries import Dictionary, DictionaryForm, ValueType
from objects.dictionaries import names
from objects.dictionaries.draft import ABSENT, Draft, Drafts, Text
from objects.dictionaries.flaws import Flaws, bad_dictionary

PREFIX: Final = "ESO-VLT-DIC."

CLASSES = frozenset(
    {"setup", "header", "prim-header", "ext-header", "maint-header", "template", "private"}
    | {"conf-log", "cond-log", "ops-log", "reduc-log", "qc-log", "config"}
)

_NAME = "Parameter Name"
_COMMENT = "Comment Format"
_OLD_COMMENT = "Comment Field"
_FIELDS = frozenset(
    (_NAME, "Class", "Context", "Type", "Value Format", "Unit", _COMMENT, "Description")
)
_OURS = frozenset({"Range", "Default"})
_IDENTIFICATION = frozenset(
    ("Dictionary Name", "Scope", "Source", "Version Control", "Revision", "Date", "Status")
) | {"Description"}
_TYPES = {each.value: each for each in ValueType} | {"float": ValueType.DOUBLE}


@dataclass(slots=True)
class _Block:
    """The fields of one record, each once, and the one that may go on."""

    fields: dict[str, Text] = field(default_factory=dict)
    last: str = ""

    def get(self, name: str) -> Text:
        return self.fields.get(name, ABSENT)

    def go_on(self, text: str) -> None:
        old = self.fields[self.last]
        self.fields[self.last] = Text(f"{old.text} {text}".strip(), old.field, old.line)


class _Lines:
    """Sorts the lines of a file into blocks."""

    def __init__(self, flaws: Flaws) -> None:
        self.blocks = [_Block()]
        self._flaws = flaws

    def take(self, number: int, line: str) -> None:
        block = self.blocks[-1]
        if not line.strip() or line[0] == "#":
            return
        key, colon, value = line.partition(":")
        key = " ".join(key.split())
        is_known = bool(colon) and line[0] not in " \t" and self._is_known(key)
        if is_known:
            self._begin(_COMMENT if key == _OLD_COMMENT else key, value.strip(), number)
        elif block.last and (line[0] in " \t" or block.last == "Description"):
            block.go_on(line.strip())
        else:
            self._complain(number, line, key if colon else "")

    def _is_known(self, key: str) -> bool:
        if len(self.blocks) == 1 and key in _IDENTIFICATION:
            return True
        return key in _FIELDS or key in _OURS or key == _OLD_COMMENT

    def _begin(self, key: str, value: str, number: int) -> None:
        if key == _NAME:
            self.blocks.append(_Block())
        block = self.blocks[-1]
        # The identification tells its revisions one after the other; the newest may be either.
        if key in block.fields and len(self.blocks) > 1:
            self._flaws.add(number, key, f"stands in line {block.fields[key].line} already")
        block.fields.setdefault(key, Text(value, key, number))
        block.last = key

    def _complain(self, number: int, line: str, key: str) -> None:
        if key:
            known = ", ".join(sorted(_FIELDS if len(self.blocks) > 1 else _IDENTIFICATION))
            self._flaws.add(number, key[:40], "there is no such field", f"known are {known}")
        else:
            text = f"{line.strip()[:40]!r} is not of the form field: value"
            self._flaws.add(number, "", text)


def read_classic(path: str, file_name: str, text: str) -> Dictionary:
    """Read a classic dictionary.

    Args:
        path: For messages.
        file_name: Should be the dictionary's name.
        text: All of the file.

    Raises:
        BadDictionary: With all its flaws.
    """
    flaws = Flaws(path)
    lines = _Lines(flaws)
    for number, line in enumerate(text.split("\n"), start=1):
        lines.take(number, line.rstrip("\r"))
    head, *blocks = lines.blocks
    name = head.get("Dictionary Name").text
    if not name:
        raise bad_dictionary(
            path,
            1,
            "Dictionary Name",
            "the field is missing: this is no classic dictionary",
            f"begin it with Dictionary Name: {PREFIX}<scope>; YAML dictionaries end in .yaml",
        )
    drafts = Drafts(name, flaws)
    for block in blocks:
        drafts.add(_draft(block, flaws))
    flaws.refuse()
    return Dictionary(
        path=path,
        form=DictionaryForm.CLASSIC,
        name=name,
        scope=head.get("Scope").text,
        records=drafts.records,
        notes=[*_notes(name, file_name), *_odd_classes(blocks)],
    )


def _draft(block: _Block, flaws: Flaws) -> Draft:
    name = block.get(_NAME)
    return Draft(
        name=Text(names.from_classic(name.text), name.field, name.line),
        type=_type(block.get("Type"), name, flaws),
        format=block.get("Value Format"),
        unit=block.get("Unit"),
        range=block.get("Range"),
        comment=block.get(_COMMENT),
        default=block.get("Default"),
        description=block.get("Description"),
        classes=_split(block.get("Class").text),
        context=block.get("Context").text,
    )


def _type(found: Text, name: Text, flaws: Flaws) -> ValueType | None:
    type_ = _TYPES.get(found.text.lower())
    if type_ is None:
        what = f"there is no type {found.text!r}" if found.text else "the field is missing"
        remedy = f"the types are {', '.join(_TYPES)}"
        flaws.add(found.line or name.line, "Type", f"{what} (of {name.text})", remedy)
    return type_


def _split(classes: str) -> list[str]:
    return [part.strip() for part in classes.split("|") if part.strip()]


def _notes(name: str, file_name: str) -> list[str]:
    notes = []
    if not name.startswith(PREFIX):
        notes.append(f"its name {name} does not begin with {PREFIX}")
    if name != file_name:
        notes.append(f"the file is named {file_name}, the dictionary {name}")
    return notes


def _odd_classes(blocks: list[_Block]) -> list[str]:
    found = {each for block in blocks for each in _split(block.get("Class").text)}
    odd = sorted(found - CLASSES)
    return [f"classes that nobody knows: {', '.join(odd[:10])}"] if odd else []
