"""The annex of a message: its octets, laid one behind the other, past any serializer.

In the plain values an ``Octets`` stands as ``{"octets@": [start, length]}`` and an
``OctetBlocks`` as ``{"octets@": [start, [length, ...]]}``; ``start`` counts from the begin
of the annex.
"""

from __future__ import annotations

import base64
from typing import Any

from idl_like_interfaces.octets import Buffer, OctetBlocks, Octets

PLACEHOLDER = "octets@"


class Annex:
    """Collects the octets of a message that is being encoded."""

    __slots__ = ("_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[memoryview] = []
        self._size = 0

    def lay(self, value: Any) -> dict[str, list[Any]]:
        """Lay octets in and return what stands for them (an ``enc_hook`` of msgspec)."""
        match value:
            case Octets():
                return self._lay(value.view, len(value))
            case OctetBlocks():
                return self._lay(value.buffer, list(value.lengths))
            case _:
                text = f"objects of type {type(value).__name__} cannot travel"
                raise NotImplementedError(text)

    def _lay(self, view: memoryview, lengths: int | list[int]) -> dict[str, list[Any]]:
        start, self._size = self._size, self._size + len(view)
        self._parts.append(view)
        return {PLACEHOLDER: [start, lengths]}

    def clear(self) -> None:
        """Begin again."""
        self._parts.clear()
        self._size = 0

    def joined(self) -> Buffer | None:
        """Return all octets in one buffer, without a copy when there is one part."""
        if not self._parts:
            return None
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


def read_octets(wanted: type, found: Any, annex: Buffer | None) -> Any:
    """Read octets from the annex, or as a stock client sends them."""
    match found:
        case {"octets@": [int(start), int(length)]} if wanted is Octets:
            return Octets(_cut(annex, start, length))
        case {"octets@": [int(start), [*lengths]]} if wanted is OctetBlocks:
            return OctetBlocks(_cut(annex, start, sum(lengths)), lengths)
        case list() | tuple() if wanted is OctetBlocks:
            return OctetBlocks.of([_inline_octets(each) for each in found])
        case _ if wanted is Octets:
            return Octets(_inline_octets(found))
        case _:
            text = f"Expected octets, got `{type(found).__name__}`"
            raise ValueError(text)


def _cut(annex: Buffer | None, start: int, length: int) -> memoryview:
    view = memoryview(annex if annex is not None else b"")
    if start < 0 or length < 0 or start + length > len(view):
        text = f"Octets {start}..{start + length} lie outside the annex of {len(view)} bytes"
        raise ValueError(text)
    return view[start : start + length]


def _inline_octets(found: Any) -> Buffer:
    match found:
        case bytes() | bytearray() | memoryview():
            return found
        case {"data": str(text), "encoding": "base64"}:
            return base64.b64decode(text, validate=True)
        case _:
            text = f"Expected octets, got `{type(found).__name__}`"
            raise ValueError(text)
