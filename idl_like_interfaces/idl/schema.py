"""JSON Schema (2020-12) of structs, with their names on the wire, documents and limits.

Octets have two forms, as ``docs/reference/wire.md`` tells: what stands for those in the
annex of a message, and base64 text as stock clients send it.
"""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import msgspec

import idl_like_interfaces
from idl_like_interfaces.declare import Interface, Value
from idl_like_interfaces.description import types_of, walk
from idl_like_interfaces.idl.prose import parse_docstring
from idl_like_interfaces.octets import OctetBlocks, Octets

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_COUNT = {"type": "integer", "minimum": 0}

_BASE64 = {
    "type": "object",
    "properties": {
        "data": {"type": "string", "contentEncoding": "base64"},
        "encoding": {"const": "base64"},
    },
    "required": ["data", "encoding"],
}


def _in_annex(lengths: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "octets@": {
                "type": "array",
                "prefixItems": [_COUNT, lengths],
                "items": False,
                "minItems": 2,
            }
        },
        "required": ["octets@"],
        "additionalProperties": False,
    }


OCTETS: dict[type, dict[str, Any]] = {
    Octets: {
        "title": "Octets",
        "description": "A run of bytes: where it stands in the annex of the message, or base64.",
        "anyOf": [_in_annex(_COUNT), _BASE64],
    },
    OctetBlocks: {
        "title": "OctetBlocks",
        "description": "Runs of bytes: where they stand in the annex of the message, or base64.",
        "anyOf": [
            _in_annex({"type": "array", "items": _COUNT}),
            {"type": "array", "items": _BASE64},
        ],
    },
}


@cache
def declared_structs() -> dict[str, type]:
    """Return all structs that obsorb declares, by name, those in events and documents too.

    A name that two modules use has its module before it, as ``logs.Reply``.
    """
    found: dict[str, list[type]] = {}
    for module in iter_modules(idl_like_interfaces.__path__):
        name = f"{idl_like_interfaces.__name__}.{module.name}"
        if module.ispkg:
            continue
        for member in vars(import_module(name)).values():
            if _is_declared(member) and member.__module__ == name:
                found.setdefault(member.__name__, []).append(member)
    return {
        name if len(members) == 1 else f"{each.__module__.rpartition('.')[2]}.{name}": each
        for name, members in sorted(found.items())
        for each in members
    }


def _is_declared(member: Any) -> bool:
    return (
        isinstance(member, type)
        and issubclass(member, Value)
        and member.__module__ != "idl_like_interfaces.declare"
    )


def schema_of_struct(struct: type) -> dict[str, Any]:
    """Return the schema of one struct; what it is made of stands under ``$defs``."""
    schemas, definitions = _components([struct])
    (root,) = schemas
    return {"$schema": DIALECT, **root, "$defs": definitions}


def schema_of_interface(interface: Interface) -> dict[str, Any]:
    """Return one document with all structs and enumerations of an interface under ``$defs``."""
    _, definitions = _components(each.cls for each in types_of(interface))
    return {
        "$schema": DIALECT,
        "$id": interface.repository_id,
        "title": interface.python.__name__,
        "description": parse_docstring(interface.python.__doc__).summary,
        "$defs": definitions,
    }


def _components(types: Iterable[type]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    types = list(types)
    schemas, definitions = msgspec.json.schema_components(
        types, schema_hook=_special, ref_template="#/$defs/{name}"
    )
    by_name = {each.__name__: each for each in _reached(types)}
    for name, definition in definitions.items():
        if name in by_name:
            _tell(definition, by_name[name])
    return list(schemas), _without_bounds(definitions)


def _without_bounds(schema: Any) -> Any:
    """Leave out the limits that every finite float is within."""
    match schema:
        case dict():
            return {
                key: _without_bounds(value)
                for key, value in schema.items()
                if not (key in ("minimum", "maximum") and abs(value) == sys.float_info.max)
            }
        case list():
            return [_without_bounds(each) for each in schema]
        case _:
            return schema


def _special(type_: type) -> dict[str, Any]:
    if type_ in OCTETS:
        return copy.deepcopy(OCTETS[type_])
    raise NotImplementedError(type_.__name__)


def _reached(types: list[type]) -> list[type]:
    """Return the structs and enumerations that types are made of."""
    seen: set[type] = set()
    return [info.cls for each in types for info in walk(msgspec.inspect.type_info(each), seen)]


def _tell(definition: dict[str, Any], cls: Any) -> None:
    """Put the docstring where JSON Schema has a place for each part of it."""
    said = parse_docstring(cls.__doc__)
    definition["description"] = re.sub(r"\s+", " ", said.text)
    if not hasattr(cls, "__struct_config__") or "properties" not in definition:
        return
    names = {field.name: field.encode_name for field in msgspec.structs.fields(cls)}
    for name, text in said.members.items():
        place = definition["properties"].get(names.get(name, name))
        if place is not None:
            place["description"] = text
