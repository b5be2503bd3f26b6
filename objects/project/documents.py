"""Configuration documents: what they may be, and how they are told apart."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

from idl_like_interfaces.errors import BadParam

LARGEST_DOCUMENT = 256 * 1024
"""Bytes of a document as canonical JSON."""

LONGEST_NAME = 200

_NAME = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
_DEEPEST = 32
_LARGEST_NUMBER = 2**63


def check_name(name: str) -> None:
    """See that a text can be the name of a configuration.

    Raises:
        BadParam: It is none.
    """
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise BadParam(
            f"{name[:80]!r} is no name of a configuration",
            field="name",
            cause="a name is a path such as 'archiver/0' of letters, digits and _.-, "
            f"of at most {LONGEST_NAME} characters",
            remedy="choose another name",
        )


def canonical(document: dict[str, Any]) -> str:
    """Return a document as JSON with sorted names and without blanks.

    Raises:
        BadParam: It has something that cannot travel, or is too large.
    """
    try:
        _check(document, _DEEPEST)
        text = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        size = len(text.encode())
    except (TypeError, ValueError, OverflowError) as error:
        raise BadParam(
            f"the document cannot be stored: {error}",
            field="document",
            remedy="give plain values: objects with texts as names, lists, texts, finite numbers "
            "of 64 bits, booleans, null",
        ) from error
    if size > LARGEST_DOCUMENT:
        raise BadParam(
            f"the document has {size} bytes as JSON, {LARGEST_DOCUMENT} are the most",
            field="document",
            remedy="divide it, or name a file in it",
        )
    return text


def digest(text: str) -> str:
    """Return what is equal for equal documents."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _check(value: object, room: int) -> None:
    if room == 0:
        message = f"it is nested more than {_DEEPEST} levels deep"
        raise ValueError(message)
    match value:
        case dict():
            for name, each in value.items():
                if not isinstance(name, str):
                    message = f"{name!r} is the name of a member and no text"
                    raise TypeError(message)
                _check(each, room - 1)
        case list():
            for each in value:
                _check(each, room - 1)
        case _:
            _check_scalar(value)


def _check_scalar(value: object) -> None:
    match value:
        case None | bool() | str():
            return
        case int() if -_LARGEST_NUMBER <= value < _LARGEST_NUMBER:
            return
        case float() if math.isfinite(value):
            return
    message = f"{str(value)[:80]} ({type(value).__name__}) is no plain value"
    raise ValueError(message)
