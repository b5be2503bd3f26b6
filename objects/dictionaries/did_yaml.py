"""Reads ``.did.yaml`` dictionaries: YAML whose tags say the type of a keyword.

Public are the tags ``DidHeader`` and ``DidBoolKey`` with ``comment`` and ``description``. The
other tags and fields here are those that follow from them and from the older forms.
"""

from __future__ import annotations

from idl_like_interfaces.dictionaries import Dictionary, DictionaryForm, ValueType
from objects.dictionaries.draft import Draft, Drafts, Text
from objects.dictionaries.flaws import Flaws, bad_dictionary
from objects.dictionaries.yaml_fields import YamlFields, format_of, listed
from objects.dictionaries.yaml_tree import Mapping, Node, Scalar

HEADER = "header"

_INCLUDE = "cfg.include"
_TYPE = "cfg.type:"
_OF_HEADER = frozenset({"name", "scope", "description"})
_OF_KEYWORD = frozenset(
    ("comment", "description", "format", "unit", "range", "default", "tags", "class", "context")
)
_TYPES = {
    f"{_TYPE}DidBoolKey": ValueType.LOGICAL,
    f"{_TYPE}DidIntKey": ValueType.INTEGER,
    f"{_TYPE}DidDoubleKey": ValueType.DOUBLE,
    f"{_TYPE}DidStringKey": ValueType.STRING,
}


def is_did(top: Mapping) -> bool:
    """Tell whether a document has the tags of this form."""
    return any(key.tag == _INCLUDE or value.tag.startswith(_TYPE) for key, value in top.items)


def read_did_yaml(path: str, top: Mapping) -> Dictionary:
    """Read a dictionary from its document.

    Args:
        path: For messages.
        top: The document.

    Raises:
        BadDictionary: With all its flaws.
    """
    flaws = Flaws(path)
    head = _header(path, top, flaws)
    name = head.text("name").text
    if not name:
        flaws.add(top.line, f"{HEADER}.name", "the field is missing")
    drafts = Drafts(name, flaws)
    for key, value in top.items:
        # The schema that is included says what is known here anyway.
        if key.tag != _INCLUDE and key.text != HEADER:
            drafts.add(_draft(key, value, flaws))
    flaws.refuse()
    return Dictionary(
        path=path,
        form=DictionaryForm.DID,
        name=name,
        scope=head.text("scope").text,
        records=drafts.records,
        notes=[] if path.endswith(name) else [f"the file is {path}, the dictionary says {name}"],
    )


def _header(path: str, top: Mapping, flaws: Flaws) -> YamlFields:
    found = [(key.line, value) for key, value in top.items if key.text == HEADER]
    if not found:
        raise bad_dictionary(
            path,
            top.line,
            HEADER,
            "there is none: this is no dictionary",
            "begin it with header: !cfg.type:DidHeader and its fields name and scope",
        )
    (first, header), *others = found
    if header.tag != f"{_TYPE}DidHeader":
        flaws.add(first, HEADER, f"its tag must be !{_TYPE}DidHeader")
    for line, _ in others:
        flaws.add(line, HEADER, f"stands in line {first} already")
    return YamlFields(HEADER, header, _OF_HEADER, flaws)


def _draft(key: Scalar, value: Node, flaws: Flaws) -> Draft:
    owner = key.text[:64]
    fields = YamlFields(owner, value, _OF_KEYWORD, flaws)
    limits, choices = fields.text_or_items("range")
    classes, items = fields.text_or_items("class")
    return Draft(
        name=Text(key.text, owner, key.line),
        type=_type(value, owner, flaws),
        format=format_of(fields.text("format")),
        unit=fields.text("unit"),
        range=limits,
        choices=choices,
        comment=fields.text("comment"),
        default=fields.text("default"),
        description=fields.text("description"),
        classes=items or listed(classes.text),
        context=fields.text("context").text,
    )


def _type(value: Node, owner: str, flaws: Flaws) -> ValueType | None:
    type_ = _TYPES.get(value.tag)
    if type_ is None:
        what = f"there is no tag !{value.tag[:40]}" if value.tag else "the tag is missing"
        flaws.add(value.line, owner, what, f"the tags are {', '.join(f'!{tag}' for tag in _TYPES)}")
    return type_
