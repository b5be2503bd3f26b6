"""Reading the values of a newer peer: what we do not know is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


def without_unknown(info: msgspec.inspect.Type, plain: Any) -> Any:
    """Drop the fields that the type does not declare, at every depth."""
    match info, plain:
        case msgspec.inspect.StructType(), dict():
            known = {each.encode_name: each.type for each in info.fields}
            tag = {info.tag_field} if info.tag_field else set()
            return {
                name: without_unknown(known[name], value) if name in known else value
                for name, value in plain.items()
                if name in known or name in tag
            }
        case ((msgspec.inspect.ListType() | msgspec.inspect.VarTupleType()), (list() | tuple())):
            return [without_unknown(info.item_type, each) for each in plain]
        case msgspec.inspect.DictType(), dict():
            return {key: without_unknown(info.value_type, each) for key, each in plain.items()}
        case msgspec.inspect.UnionType(), _:
            return _without_unknown_of_union(info, plain)
        case _:
            return plain


def _without_unknown_of_union(info: msgspec.inspect.UnionType, plain: Any) -> Any:
    """Choose the member by its tag, or the only struct of the union."""
    member = _meant(info, plain) if isinstance(plain, dict) else None
    return plain if member is None else without_unknown(member, plain)


def unknown_members(info: msgspec.inspect.Type, plain: Any, path: str) -> Iterator[str]:
    """Yield the paths of what ``without_unknown`` drops."""
    match info, plain:
        case msgspec.inspect.StructType(), dict():
            yield from _unknown_of_struct(info, plain, path)
        case ((msgspec.inspect.ListType() | msgspec.inspect.VarTupleType()), (list() | tuple())):
            for place, each in enumerate(plain):
                yield from unknown_members(info.item_type, each, f"{path}[{place}]")
        case msgspec.inspect.UnionType(), dict():
            member = _meant(info, plain)
            if member is not None:
                yield from _unknown_of_struct(member, plain, path)
        case _:
            pass


def _unknown_of_struct(
    info: msgspec.inspect.StructType, plain: dict[Any, Any], path: str
) -> Iterator[str]:
    known = {each.encode_name: each.type for each in info.fields}
    for name, value in plain.items():
        if name in known:
            yield from unknown_members(known[name], value, f"{path}.{name}")
        elif name != info.tag_field:
            yield f"{path}.{name}"


def _meant(
    info: msgspec.inspect.UnionType, plain: dict[Any, Any]
) -> msgspec.inspect.StructType | None:
    """Return the struct of a union that a value means: by its tag, or the only one without."""
    structs = [each for each in info.types if isinstance(each, msgspec.inspect.StructType)]
    for each in structs:
        if each.tag_field is None or plain.get(each.tag_field) == each.tag:
            return each
    return None
