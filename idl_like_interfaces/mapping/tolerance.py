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
    for struct, value, where in _structs_in(info, plain, path):
        known = {struct.tag_field, *(each.encode_name for each in struct.fields)}
        yield from (f"{where}.{name}" for name in value if name not in known)


def missing_tags(info: msgspec.inspect.Type, plain: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and value of tags that are left out where there is no choice."""
    for struct, value, where in _structs_in(info, plain, path):
        if struct.tag_field is not None and struct.tag_field not in value:
            yield f"{where}.{struct.tag_field}", str(struct.tag)


_Found = tuple[msgspec.inspect.StructType, dict[Any, Any], str]


def _structs_in(info: msgspec.inspect.Type, plain: Any, path: str) -> Iterator[_Found]:
    """Yield every object that is declared as a struct, with its path."""
    match info, plain:
        case msgspec.inspect.StructType(), dict():
            yield info, plain, path
            for each in info.fields:
                if each.encode_name in plain:
                    inner = plain[each.encode_name]
                    yield from _structs_in(each.type, inner, f"{path}.{each.encode_name}")
        case ((msgspec.inspect.ListType() | msgspec.inspect.VarTupleType()), (list() | tuple())):
            for place, inner in enumerate(plain):
                yield from _structs_in(info.item_type, inner, f"{path}[{place}]")
        case msgspec.inspect.UnionType(), dict():
            member = _meant(info, plain)
            if member is not None:
                yield from _structs_in(member, plain, path)
        case _:
            pass


def _meant(
    info: msgspec.inspect.UnionType, plain: dict[Any, Any]
) -> msgspec.inspect.StructType | None:
    """Return the struct of a union that a value means: by its tag, or the only one without."""
    structs = [each for each in info.types if isinstance(each, msgspec.inspect.StructType)]
    for each in structs:
        if each.tag_field is None or plain.get(each.tag_field) == each.tag:
            return each
    # Where there is no choice a tag may be left out on the wire.
    is_alone = len(structs) == 1 and structs[0].tag_field not in plain
    return structs[0] if is_alone else None
