"""Reads dictionaries in plain YAML, the form before version 4 of the instrument framework."""

from __future__ import annotations

import re

from idl_like_interfaces.dictionaries import Dictionary, DictionaryForm, ValueType
from objects.dictionaries.draft import Draft, Drafts, Text
from objects.dictionaries.flaws import Flaws, bad_dictionary
from objects.dictionaries.yaml_fields import YamlFields, format_of, listed
from objects.dictionaries.yaml_tree import Mapping, Node, Scalar

HEADER = "Header"

_OF_HEADER = frozenset(
    ("Name", "Scope", "CreationDate", "Version", "Include", "Description"),
)
_OF_KEYWORD = frozenset(
    ("Class", "Context", "Type", "Format", "Default", "Unit", "Range", "Comment", "Tags")
) | {"Description"}

_TYPES = {
    "boolean": ValueType.LOGICAL,
    "bool": ValueType.LOGICAL,
    "string": ValueType.STRING,
    "double": ValueType.DOUBLE,
    "float": ValueType.DOUBLE,
}
_INTEGER = re.compile(r"u?int(8|16|32|64)?")


def read_plain_yaml(path: str, top: Mapping) -> Dictionary:
    """Read a dictionary from its document.

    Args:
        path: For messages.
        top: The document.

    Raises:
        BadDictionary: With all its flaws.
    """
    flaws = Flaws(path)
    head = _header(path, top, flaws)
    name = head.text("Name").text
    if not name:
        flaws.add(top.line, f"{HEADER}.Name", "the field is missing")
    drafts = Drafts(name, flaws)
    for key, value in top.items:
        if key.text != HEADER:
            drafts.add(_draft(key, value, flaws))
    flaws.refuse()
    return Dictionary(
        path=path,
        form=DictionaryForm.YAML,
        name=name,
        scope=head.text("Scope").text,
        records=drafts.records,
        notes=_notes(head),
    )


def _header(path: str, top: Mapping, flaws: Flaws) -> YamlFields:
    found = [(key.line, value) for key, value in top.items if key.text == HEADER]
    if not found:
        raise bad_dictionary(
            path,
            top.line,
            HEADER,
            "there is none: this is no dictionary",
            "begin it with the mapping Header (Name, Scope, ...)",
        )
    (first, header), *others = found
    for line, _ in others:
        flaws.add(line, HEADER, f"stands in line {first} already")
    return YamlFields(HEADER, header, _OF_HEADER, flaws)


def _draft(key: Scalar, value: Node, flaws: Flaws) -> Draft:
    owner = key.text[:64]
    fields = YamlFields(owner, value, _OF_KEYWORD, flaws)
    limits, choices = fields.text_or_items("Range")
    classes, items = fields.text_or_items("Class")
    return Draft(
        name=Text(key.text, owner, key.line),
        type=_type(fields.text("Type"), key, flaws),
        format=format_of(fields.text("Format")),
        unit=fields.text("Unit"),
        range=limits,
        choices=choices,
        comment=fields.text("Comment"),
        default=fields.text("Default"),
        description=fields.text("Description"),
        classes=items or listed(classes.text),
        context=fields.text("Context").text,
    )


def _type(found: Text, key: Scalar, flaws: Flaws) -> ValueType | None:
    name = found.text.lower()
    type_ = ValueType.INTEGER if _INTEGER.fullmatch(name) else _TYPES.get(name)
    if type_ is None:
        what = f"there is no type {found.text!r}" if found.text else "the field is missing"
        remedy = "the types are Boolean, String, Double, and Int8 to Int64 with or without U"
        flaws.add(found.line or key.line, f"{key.text[:64]}.Type", what, remedy)
    return type_


def _notes(head: YamlFields) -> list[str]:
    text, items = head.text_or_items("Include")
    included = items or listed(text.text)
    if not included:
        return []
    return [f"it includes {', '.join(included)}, which is not followed: name these files, too"]
