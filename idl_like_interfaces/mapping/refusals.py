"""Saying which field of a request is wrong, and what would have been right."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec.inspect import (
    DictType,
    EnumType,
    ListType,
    LiteralType,
    Metadata,
    StructType,
    Type,
    UnionType,
    VarTupleType,
)

from idl_like_interfaces.errors import BadParam

_AT = re.compile(r"(?P<what>.*?)(?: - at `(?:key` in `)?\$(?P<path>.*)`)?$", re.DOTALL)
_MEMBER = re.compile(r"Object (?:missing required|contains unknown) field `(?P<name>[^`]+)`")
_LONGEST = 60
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]")


def bad_param(text: str, field: str, info: Type, plain: Any) -> BadParam:
    """Make the refusal of plain values.

    Args:
        text: What msgspec says of them.
        field: Name of the whole, the begin of the path.
        info: What was declared.
        plain: The values.
    """
    found = _AT.fullmatch(text)
    assert found is not None
    inner = found["path"] or ""
    member = _MEMBER.match(found["what"])
    path = f"{field}{inner}.{member['name']}" if member else field + inner
    path = path.lstrip(".")
    choices = _choices(info, plain, inner)
    if member and "missing" in found["what"]:
        choices = _choices(info, plain, f"{inner}.{member['name']}")
        remedy = f"give it, one of {choices}" if choices else "give it"
        return BadParam(f"{path}: the field is missing", field=path, remedy=remedy)
    if member:
        remedy = f"leave it out, or choose one of {choices}" if choices else "leave it out"
        return BadParam(f"{path}: the field is unknown", field=path, remedy=remedy)
    what = found["what"][:1].lower() + found["what"][1:]
    remedy = f"choose one of {choices}" if choices else "give a value of the declared type"
    if "matching regex" in what:
        wanted = _description(info, plain, inner)
        form = "a text of the form that the regular expression tells"
        remedy = f"give {wanted or form}"
    return BadParam(
        f"{path or 'value'}: {what}{_shown(plain, inner, what)}", field=path, remedy=remedy
    )


def _shown(plain: Any, path: str, what: str) -> str:
    """Return the text or number that was found at a path, as much as a message can take."""
    try:
        for step in _STEP.finditer(path):
            plain = plain[step["name"]] if step["name"] else plain[int(step["index"])]
    except (LookupError, TypeError):
        return ""
    if not isinstance(plain, str | int | float) or isinstance(plain, bool) or "invalid" in what:
        return ""
    try:
        text = repr(
            plain[:_LONGEST] + "…" if isinstance(plain, str) and len(plain) > _LONGEST else plain
        )
    except ValueError:  # an integer of thousands of digits
        return ""
    return f", found {text}" if len(text) <= 2 * _LONGEST else ""


def _description(info: Type, plain: Any, path: str) -> str:
    """Return what the declaration says of the text at a path; empty when it says nothing."""
    try:
        for step in _STEP.finditer(path):
            info, plain = _descend(info, plain, step)
    except (LookupError, TypeError):
        return ""
    return (
        str((info.extra_json_schema or {}).get("description", ""))
        if isinstance(info, Metadata)
        else ""
    )


def _choices(info: Type, plain: Any, path: str) -> str:
    """Return the names that would have been right at a path; empty when it is not about names."""
    for step in _STEP.finditer(path):
        structs = _structs(info)
        tags = {each.tag_field: each for each in structs if each.tag_field}
        if step["name"] in tags and step.end() == len(path):
            return ", ".join(str(each.tag) for each in structs)
        try:
            info, plain = _descend(info, plain, step)
        except (LookupError, TypeError):
            return ""
    return ", ".join(_names(info, plain))


def _descend(info: Type, plain: Any, step: re.Match[str]) -> tuple[Type, Any]:
    """Go one step of a path into a type and a value.

    Raises:
        LookupError: There is no such step.
        TypeError: The value has no parts.
    """
    info = _chosen(info, plain)
    if step["index"] is not None and isinstance(info, ListType | VarTupleType):
        return info.item_type, plain[int(step["index"])]
    if isinstance(info, StructType):
        types = {each.encode_name: each.type for each in info.fields}
        return types[step["name"]], plain[step["name"]]
    if isinstance(info, DictType):
        return info.value_type, plain[step["name"]]
    raise LookupError(step.group())


def _names(info: Type, plain: Any) -> list[str]:
    match _chosen(info, plain):
        case StructType(fields=fields):
            return [each.encode_name for each in fields]
        case EnumType(cls=cls):
            return [str(each.value) for each in cls]
        case LiteralType(values=values):
            return [str(each) for each in values]
        case _:
            return []


def _structs(info: Type) -> list[StructType]:
    members = info.types if isinstance(info, UnionType) else (info,)
    return [each for each in members if isinstance(each, StructType)]


def _chosen(info: Type, plain: Any) -> Type:
    """Return the member of a union that a value means, by its tag or its form."""
    while isinstance(info, Metadata):
        info = info.type
    if not isinstance(info, UnionType):
        return info
    structs = _structs(info)
    if isinstance(plain, dict) and structs:
        tagged = [s for s in structs if s.tag_field and plain.get(s.tag_field) == s.tag]
        return (tagged or structs)[0]
    others = [each for each in info.types if not isinstance(each, msgspec.inspect.NoneType)]
    return others[0] if len(others) == 1 else info
