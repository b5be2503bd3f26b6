"""Reading the documents of users: JSON text to a declared type, or a refusal with the path."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

import msgspec

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.mapping.json_text import check_members_once, json_value
from idl_like_interfaces.mapping.tolerance import missing_tags, unknown_members, without_unknown

T = TypeVar("T")

_known = cache(msgspec.inspect.type_info)  # it takes longer than to read a small document


def read_document(type_: type[T], text: str | bytes, field: str) -> T:
    """Read a document strictly.

    Args:
        type_: What it shall be.
        text: JSON; bytes as UTF-8.
        field: Name of the whole, the begin of every path.

    Raises:
        BadParam: It is no JSON, or a member is missing, unknown, given twice, ``null``, or
            of the wrong type or value.
    """
    return read_value(type_, json_value(text, field), text, field)


def read_value(type_: type[T], plain: Any, text: str | bytes, field: str) -> T:
    """Do the rest of it: ``plain`` is what ``json_value`` made of the text.

    Raises:
        BadParam: As ``read_document``, but that it is no JSON.
    """
    check_members_once(text, field)
    read = from_plain(type_, plain, field)
    untagged = next(missing_tags(_info_of(type_), plain, field), None)
    if untagged is not None:
        path, tag = untagged
        raise BadParam(f"{path}: the field is missing", field=path, remedy=f'give it: "{tag}"')
    null = next(_nulls(plain, field), "")
    if null:
        raise BadParam(
            f"{null}: null is no value here",
            field=null,
            cause="what is optional is left out, never null",
            remedy="leave it out, or give a value",
        )
    return read


def read_tolerantly(type_: type[T], text: str | bytes, field: str) -> tuple[T, list[str]]:
    """Read a document, passing over members that nobody knows.

    Returns:
        The document, and the paths of what was passed over.

    Raises:
        BadParam: As ``read_document`` otherwise.
    """
    plain = json_value(text, field)
    info = _info_of(type_)
    unknown = list(unknown_members(info, plain, field))
    return read_value(type_, without_unknown(info, plain), text, field), unknown


def read_own(type_: type[T], text: bytes, field: str) -> tuple[T, list[str]]:
    """Read what a program has written for itself, or a later version of it.

    Returns:
        The value, and the paths of members that nobody knows.

    Raises:
        BadParam: It is damaged.
    """
    plain = json_value(text, field)
    info = _info_of(type_)
    unknown = list(unknown_members(info, plain, field))
    return from_plain(type_, without_unknown(info, plain), field), unknown


def _info_of(type_: Any) -> msgspec.inspect.Type:
    return _known(type_)


def _nulls(value: Any, path: str) -> Iterator[str]:
    match value:
        case None:
            yield path
        case dict():
            for name, inner in value.items():
                yield from _nulls(inner, f"{path}.{name}")
        case list():
            for place, inner in enumerate(value):
                yield from _nulls(inner, f"{path}[{place}]")
        case _:
            pass
