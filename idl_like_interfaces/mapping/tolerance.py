"""Reading the values of a newer peer: what we do not know is passed over."""

from __future__ import annotations

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
    structs = [each for each in info.types if isinstance(each, msgspec.inspect.StructType)]
    if not isinstance(plain, dict) or not structs:
        return plain
    for each in structs:
        if each.tag_field is None or plain.get(each.tag_field) == each.tag:
            return without_unknown(each, plain)
    return plain
