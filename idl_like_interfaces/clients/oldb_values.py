"""What a key of the online database and a value in it are made of."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from idl_like_interfaces.clients.topics import shortened
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.oldb import InvalidKey

LONGEST_KEY = 250
"""With ``oldb/`` before it a key must be a topic."""

LARGEST_VALUE = 64 * 1024
"""Bytes of a value as JSON."""

_DEEPEST = 32
_LARGEST_NUMBER = 2**63

_COMPONENT = r"[A-Za-z0-9_.:+~-]+"
_KEY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_FOREIGN = re.compile(r"[^A-Za-z0-9_.:+~-]")


def check_key(key: str) -> None:
    """Refuse a text that is not a path such as ``ocm/cfg/dpm/uri``.

    Raises:
        InvalidKey: It is empty, too long, or has an empty component or other characters.
    """
    if len(key) > LONGEST_KEY or _KEY.fullmatch(key) is None:
        raise InvalidKey(
            f"{shortened(key)!r} is not a key",
            key=shortened(key),
            cause="a key is a path such as 'ocm/cfg/dpm/uri' of letters, digits and '_.:+~-', "
            f"of at most {LONGEST_KEY} characters, with no empty component",
            remedy="correct the key",
        )


def check_filters(patterns: Sequence[str]) -> None:
    """Refuse what is no list of key filters.

    Raises:
        InvalidKey: There is none, or one would be no key with letters in place of its wildcards.
    """
    if not patterns:
        raise InvalidKey(
            "the list of key filters is empty",
            key="",
            cause="without a filter nothing could match",
            remedy="give at least one filter, for example '**' for all keys",
        )
    for pattern in patterns:
        if not _is_filter(pattern):
            raise InvalidKey(
                f"{shortened(pattern)!r} is not a key filter",
                key=shortened(pattern),
                cause="a filter is a key in which '?' and '*' stand for characters within a "
                "component and '**', as a whole component, for any components",
                remedy="correct the filter; 'ocm/**' takes all keys of ocm",
            )


def _is_filter(pattern: str) -> bool:
    letters = pattern.replace("*", "x").replace("?", "x")
    is_whole = all(part == "**" for part in pattern.split("/") if "**" in part)
    return is_whole and len(pattern) <= LONGEST_KEY and _KEY.fullmatch(letters) is not None


def as_component(text: str) -> str:
    """Return a text as it may stand between two slashes of a key."""
    return _FOREIGN.sub("_", text) or "_"


def plain_value(value: Any) -> Any:
    """Return a value as it travels and is stored; see ``measured_value``."""
    return measured_value(value)[0]


def measured_value(value: Any) -> tuple[Any, int]:
    """Return a value as it travels and is stored, and its size as JSON.

    Args:
        value: A declared struct or plain values; times become ISO texts.

    Raises:
        BadParam: It has no plain form that every serializer carries, or is too large.
    """
    try:
        plain = msgspec.to_builtins(value, enc_hook=_refuse)
        _check(plain, _DEEPEST)
        encoded = encode_value(plain)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadParam(
            f"the value cannot travel: {error}",
            field="value",
            remedy="give a declared struct or plain values: dicts with texts as keys, lists, "
            "texts, finite numbers of 64 bits, booleans, null",
        ) from error
    if len(encoded) > LARGEST_VALUE:
        raise BadParam(
            f"the value has {len(encoded)} bytes as JSON, the most are {LARGEST_VALUE}",
            field="value",
            cause="the online database holds states and settings, no data",
            remedy="write it to a file and its path into the database",
        )
    return plain, len(encoded)


def encode_value(plain: Any) -> bytes:
    """Return a plain value as JSON."""
    return msgspec.json.encode(plain)


def _refuse(value: object) -> object:
    text = f"{type(value).__name__} is no plain value"
    raise TypeError(text)


def _check(value: Any, room: int) -> None:
    if not room:
        text = f"it is nested more than {_DEEPEST} levels deep"
        raise ValueError(text)
    match value:
        case dict():
            for key, each in value.items():
                _check_key_of_dict(key)
                _check(each, room - 1)
        case list():
            for each in value:
                _check(each, room - 1)
        case _:
            _check_scalar(value)


def _check_key_of_dict(key: object) -> None:
    if not isinstance(key, str):
        text = f"{key!r} is the key of a dict and no text"
        raise TypeError(text)
    key.encode()


def _check_scalar(value: object) -> None:
    match value:
        case None | bool():
            pass
        case str():
            value.encode()  # half a surrogate pair is no text
        case int() if -_LARGEST_NUMBER <= value < _LARGEST_NUMBER:
            pass
        case float() if math.isfinite(value):
            pass
        case _:
            text = f"{shortened(repr(value))} is no plain value"
            raise ValueError(text)
