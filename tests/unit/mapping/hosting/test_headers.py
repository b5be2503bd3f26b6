"""What is decided from the header of a message, and how far a compressed one is inflated."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest

from idl_like_interfaces.mapping.hosting.headers import Unwelcome, inflated
from idl_like_interfaces.mapping.message import MSGPACK, SERPENT, Flag, Header, Kind, Message
from idl_like_interfaces.mapping.wire import LARGEST_PAYLOAD, LARGEST_SERPENT


def compressed(serializer: int, payload: bytes) -> Message:
    header = Header(
        kind=Kind.INVOKE,
        serializer=serializer,
        flags=Flag.COMPRESSED,
        sequence=1,
        data_size=len(payload),
        annotations_size=0,
    )
    return Message(header, {}, payload)


@pytest.mark.parametrize(
    ("serializer", "most"), [(SERPENT, LARGEST_SERPENT), (MSGPACK, LARGEST_PAYLOAD)]
)
def test_a_bomb_takes_no_more_memory_than_a_message_may_have(serializer: int, most: int) -> None:
    """Of 64 MB in 64 kB no more than the bound is inflated before it is refused."""
    bomb = compressed(serializer, zlib.compress(bytes(64_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(Unwelcome, match=f"inflates to more than {most}"):
            inflated(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * most


def test_what_fits_is_inflated() -> None:
    """It is a message as any other then, without the mark of compression."""
    plain = inflated(compressed(MSGPACK, zlib.compress(b"x" * LARGEST_PAYLOAD)))
    assert plain.payload == b"x" * LARGEST_PAYLOAD
    assert (plain.header.flags, plain.header.data_size) == (0, LARGEST_PAYLOAD)


def test_what_is_not_compressed_is_told() -> None:
    """A mark alone makes no zlib stream."""
    with pytest.raises(Unwelcome, match="is said to be compressed"):
        inflated(compressed(SERPENT, b"plain"))
