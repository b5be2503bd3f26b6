"""Types as plain values: what a type of a declaration looks like on the wire."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import msgspec
from msgspec.inspect import (
    AnyType,
    BoolType,
    CustomType,
    DateTimeType,
    DictType,
    EnumType,
    FloatType,
    FrozenSetType,
    IntType,
    ListType,
    LiteralType,
    Metadata,
    NoneType,
    SetType,
    StrType,
    StructType,
    TupleType,
    UnionType,
    VarTupleType,
)

from idl_like_interfaces.declare import Document, Finite
from idl_like_interfaces.octets import OctetBlocks, Octets

_LIMITS = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")

_SIMPLE: dict[type, str] = {
    AnyType: "any",
    NoneType: "none",
    BoolType: "bool",
    IntType: "int",
    FloatType: "float",
    StrType: "str",
    DateTimeType: "time",
}

_OCTETS: dict[type, str] = {Octets: "octets", OctetBlocks: "octet_blocks"}

_Limits: TypeAlias = dict[str, float | int | str]

_OTHERS = {"TimeType": "time_of_day"}

_FINITE = sys.float_info.max
"""A limit of every float: neither NaN nor infinity travels."""


class TypeDescription(Document, frozen=True, kw_only=True):
    """A type.

    Attributes:
        kind: One of ``any none bool int float str time octets octet_blocks list tuple map
            union literal enum struct``, or what msgspec calls another scalar.
        name: Of an enum or a struct; of a map the type of its keys when that is not ``str``.
        of: The element of a list, the elements of a tuple, the value of a map, the members of
            a union.
        values: Of a literal.
        limits: Limits of the value: ``gt ge lt le multiple_of min_length max_length pattern``.
    """

    kind: str
    name: str = ""
    of: list[TypeDescription] = []
    values: list[str | int | None] = []
    limits: dict[str, Finite | int | str] = {}

    def text(self) -> str:
        """Say the type for a person, as Python would write it."""
        limits = ", ".join(f"{name}={value!r}" for name, value in self.limits.items())
        return f"{self._bare_text()}({limits})" if limits else self._bare_text()

    def _bare_text(self) -> str:
        inner = [each.text() for each in self.of]
        texts = {
            "enum": self.name,
            "struct": self.name,
            "none": "None",
            "list": f"list[{''.join(inner)}]",
            "tuple": f"tuple[{', '.join(inner)}]",
            "map": f"dict[{self.name or 'str'}, {''.join(inner)}]",
            "union": " | ".join(inner),
            "literal": " | ".join(map(repr, self.values)),
        }
        return texts.get(self.kind, self.kind)


def shape_of(info: msgspec.inspect.Type) -> TypeDescription:
    """Describe a type that a declaration may use."""
    limits = _limits_of(info)
    match info:
        case Metadata(type=inner):
            return shape_of(inner)
        case EnumType() | StructType():
            kind = "enum" if isinstance(info, EnumType) else "struct"
            return TypeDescription(kind=kind, name=info.cls.__name__)
        case LiteralType(values=values):
            return TypeDescription(kind="literal", values=list(values))
        case CustomType(cls=cls):
            return TypeDescription(kind=_OCTETS[cls])
        case _:
            kind = _SIMPLE.get(type(info), "")
            return (
                TypeDescription(kind=kind, limits=limits)
                if kind
                else _shape_of_container(info, limits)
            )


def _shape_of_container(info: msgspec.inspect.Type, limits: _Limits) -> TypeDescription:
    match info:
        case ListType() | VarTupleType() | SetType() | FrozenSetType():
            return TypeDescription(kind="list", of=[shape_of(info.item_type)], limits=limits)
        case TupleType(item_types=types):
            return TypeDescription(kind="tuple", of=[shape_of(each) for each in types])
        case DictType(key_type=key, value_type=value):
            name = "" if isinstance(key, StrType) else shape_of(key).text()
            return TypeDescription(kind="map", name=name, of=[shape_of(value)], limits=limits)
        case UnionType(types=types):
            return TypeDescription(kind="union", of=[shape_of(each) for each in types])
        case _:
            # Of one form on the wire each: a date, a duration, a decimal number, ...
            return TypeDescription(kind=_snake(type(info).__name__), limits=limits)


def _snake(name: str) -> str:
    return _OTHERS.get(name, name.removesuffix("Type").lower())


def _limits_of(info: msgspec.inspect.Type) -> _Limits:
    found = {name: getattr(info, name, None) for name in _LIMITS}
    return {
        name: value
        for name, value in found.items()
        if value is not None and value not in (_FINITE, -_FINITE)
    }


def plain_default(value: Any) -> Any:
    """Return a default as a plain value."""
    return msgspec.to_builtins(value, enc_hook=_plain_octets)


def _plain_octets(value: Any) -> Any:
    if isinstance(value, OctetBlocks):
        return [bytes(block).hex() for block in value]
    if isinstance(value, Octets):
        return bytes(value).hex()
    text = f"objects of type {type(value).__name__} cannot travel"
    raise NotImplementedError(text)
