"""Batches of framed event messages, as a sender makes them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from crc32c import crc32c

from idl_like_interfaces.event_message import CHECK, FRAME, EventHeader, encode_event

SENDER = 7_700_000_001


def framed(message: bytes) -> bytes:
    """Put a message between its frames."""
    frame = FRAME.pack(len(message))
    return frame + message + frame


def event(
    sequence: int,
    *,
    run: int = 1,
    streams: Sequence[int] = (1,),
    number: int | None = None,
    lbn: int = 1,
    sender: int = SENDER,
    payload: bytes = b"payload",
) -> bytes:
    """Return the message of an event."""
    header = EventHeader(
        run=run, event=sequence if number is None else number, lbn=lbn, streams=tuple(streams),
        sender=sender, sequence=sequence,
    )  # fmt: skip
    return encode_event(header, payload)


def batch(messages: Iterable[bytes]) -> bytes:
    """Return framed messages, one behind the other."""
    return b"".join(map(framed, messages))


def events(first: int, count: int, **more: object) -> bytes:
    """Return a batch of events with rising sequence."""
    return batch(event(first + n, **more) for n in range(count))  # type: ignore[arg-type]


def other(type_: bytes = b"D0MN", body: bytes = b"something else") -> bytes:
    """Return a message of another type."""
    head = type_ + struct.pack("<HH", 1, 0) + body
    return head + CHECK.pack(crc32c(head))


def damaged(message: bytes, at: int = -10) -> bytes:
    """Return a message of which one bit is wrong."""
    octets = bytearray(message)
    octets[at] ^= 0x10
    return bytes(octets)
