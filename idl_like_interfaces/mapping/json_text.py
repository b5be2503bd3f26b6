"""JSON texts that others wrote: read strictly, or refused with the place of the fault.

Coordinator, DPM and merger read their documents here, so all three refuse in the
same words. What is stricter than JSON itself: no byte order mark, and no member
twice in one object, since readers of JSON do not agree which of both counts.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from idl_like_interfaces.errors import BadParam

_TOOL = "check the text with a JSON tool"
_BYTE = re.compile(r" \(byte (?P<place>\d+)\)| - at `[^`]*`$")
_PUNCTUATION = "a quote, comma or bracket is missing or too many"
_EXCERPT = 20
_NO_NUMBERS = (b"NaN", b"Infinity", b"-Infinity")


def json_value(text: str | bytes, field: str) -> Any:
    """Read JSON text as plain values.

    Args:
        text: The text, bytes as UTF-8.
        field: Name of the whole, for the error.

    Raises:
        BadParam: It is no JSON; says where it breaks.
    """
    octets = _octets(text, field)
    try:
        return msgspec.json.decode(octets)
    except RecursionError as error:
        raise _not_json(field, "it is nested too deeply", cause=_BRACKETS) from error
    except msgspec.DecodeError as error:
        raise _malformed(field, octets, str(error)) from error


def check_members_once(text: str | bytes, field: str) -> None:
    """Refuse an object that has a member twice.

    Args:
        text: What ``json_value`` has read already.
        field: Name of the whole, the begin of the path.

    Raises:
        BadParam: Naming the member by its path.
    """
    try:
        # Numbers do not matter here, and Python minds those of many digits.
        found = json.loads(text, object_pairs_hook=_Members, parse_int=len, parse_float=len)
        twice = next(_twice(found, field), "")
    except RecursionError as error:
        raise _not_json(field, "it is nested too deeply", cause=_BRACKETS) from error
    if twice:
        raise BadParam(
            f"{twice}: the member is given twice",
            field=twice,
            cause="readers of JSON do not agree which of both counts",
            remedy="leave one of them out",
        )


class _Members(dict[str, Any]):
    """An object of JSON that remembers which member came twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs) if len(self) < len(pairs) else {}
        self.twice = [name for name, count in counts.items() if count > 1]


def _twice(value: Any, path: str) -> Iterator[str]:
    match value:
        case _Members():
            yield from (f"{path}.{name}" for name in value.twice)
            for name, inner in value.items():
                yield from _twice(inner, f"{path}.{name}")
        case list():
            for place, inner in enumerate(value):
                yield from _twice(inner, f"{path}[{place}]")
        case _:
            pass


_BRACKETS = "thousands of brackets are open at once"


def _octets(text: str | bytes, field: str) -> bytes:
    try:
        octets = text.encode() if isinstance(text, str) else bytes(text)
    except UnicodeEncodeError as error:
        raise _not_utf8(field, error) from error
    if not octets.strip():
        raise _not_json(field, "it is empty", cause="the file or argument has no content")
    if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _not_json(field, "it is UTF-16", remedy="save it as UTF-8")
    if octets.startswith(codecs.BOM_UTF8):
        raise _not_json(
            field,
            "it begins with a byte order mark",
            cause="an editor has put that there",
            remedy="save it as UTF-8 without byte order mark (BOM)",
        )
    try:
        octets.decode()
    except UnicodeDecodeError as error:
        raise _not_utf8(field, error) from error
    return octets


def _not_utf8(field: str, error: UnicodeError) -> BadParam:
    place = getattr(error, "start", 0)
    return _not_json(
        field,
        f"it is not UTF-8 at byte {place}",
        cause="it was saved in another encoding, such as Latin-1",
        remedy="save it as UTF-8",
    )


def _malformed(field: str, octets: bytes, reason: str) -> BadParam:
    found = _BYTE.search(reason)
    what = _BYTE.sub("", reason).removeprefix("JSON is malformed: ").rstrip(".")
    what = what[:1].lower() + what[1:]
    if found is None or found["place"] is None:
        return _not_json(field, what, cause="" if "out of range" in what else _PUNCTUATION)
    place = int(found["place"])
    line, column = octets.count(b"\n", 0, place) + 1, place - octets.rfind(b"\n", 0, place)
    excerpt = octets[place : place + _EXCERPT].decode(errors="replace").split("\n")[0]
    cause = _PUNCTUATION
    if octets[place:].startswith(_NO_NUMBERS):
        cause = "JSON has no NaN and no Infinity"
    near = f" near {excerpt!r}" if excerpt else ""
    return _not_json(field, f"{what} in line {line}, column {column}{near}", cause=cause)


def _not_json(field: str, what: str, *, cause: str = "", remedy: str = _TOOL) -> BadParam:
    return BadParam(
        f"{field or 'the text'} is not JSON: {what}", field=field, cause=cause, remedy=remedy
    )
