"""Octets: bulk bytes that ride beside a message and never pass a serializer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from typing_extensions import override

Buffer: TypeAlias = bytes | bytearray | memoryview


def _flat(buffer: Buffer) -> memoryview:
    view = memoryview(buffer)
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")


class Octets:
    """One run of bytes (CORBA's ``sequence<octet>``).

    Attributes:
        view: The bytes, without a copy where the transport allows it. A view of
            a received message keeps the whole message alive: copy what you keep.
    """

    __slots__ = ("view",)

    def __init__(self, buffer: Buffer = b"") -> None:
        self.view = _flat(buffer)

    def __len__(self) -> int:
        return len(self.view)

    def __bytes__(self) -> bytes:
        return bytes(self.view)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Octets) and self.view == other.view

    @override
    def __hash__(self) -> int:
        return hash(bytes(self.view))

    @override
    def __repr__(self) -> str:
        return f"Octets({len(self)} bytes)"


class OctetBlocks:
    """An ordered sequence of runs of bytes, kept in one buffer.

    The buffer and the lengths travel apart, so that a relay passes any number
    of blocks on without touching one of them.

    Attributes:
        buffer: All blocks, one behind the other.
        lengths: The length of each block; their sum is the buffer's length.
    """

    __slots__ = ("buffer", "lengths")

    def __init__(self, buffer: Buffer = b"", lengths: Iterable[int] = ()) -> None:
        self.buffer = _flat(buffer)
        self.lengths = tuple(lengths)
        if sum(self.lengths) != len(self.buffer):
            text = (
                f"the lengths of the blocks add up to {sum(self.lengths)}, "
                f"the buffer has {len(self.buffer)} bytes"
            )
            raise ValueError(text)

    @classmethod
    def of(cls, blocks: Iterable[Buffer]) -> OctetBlocks:
        """Join blocks (this is the one copy that is made of them)."""
        parts = [_flat(block) for block in blocks]
        return cls(b"".join(parts), (len(part) for part in parts))

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[memoryview]:
        start = 0
        for length in self.lengths:
            yield self.buffer[start : start + length]
            start += length

    @override
    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, OctetBlocks)
            and self.lengths == other.lengths
            and self.buffer == other.buffer
        )

    @override
    def __hash__(self) -> int:
        return hash((self.lengths, bytes(self.buffer)))

    @override
    def __repr__(self) -> str:
        return f"OctetBlocks({len(self)} blocks, {len(self.buffer)} bytes)"
