"""The event message: what a collector/router sends, byte for byte what an event file holds.

A message is one run of bytes, little-endian, at most ``LARGEST_MESSAGE`` of them::

    offset  size  field
         0     4  type: ``D0EV``
         4     2  version: 1
         6     2  flags
         8     4  run number
        12     4  event number, per run from 1
        16     4  luminosity block number
        20     2  node of the level-3 farm
        22     2  m, number of stream ids
        24     8  time, nanoseconds since 1970 UTC
        32     4  n, length of the payload
        36     4  reserved: 0
        40     8  sender: what this start of a sender chose for itself at random, not 0
        48     8  sequence: its messages counted from 1
        56    2m  stream ids
     56+2m     n  payload
    56+2m+n    4  CRC-32C (Castagnoli) of all before

Messages of other types begin alike with four letters of type; what follows is theirs.
A *framed* message stands between its length, twice, as 32-bit big-endian number: so files can
be read forwards and backwards (FORTRAN's unformatted records). Source: D0 data logger design,
sections 2.5, 4.3 and 4.4 of the specification; sender, sequence, and the check at the end are ours.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Final

from crc32c import crc32c
from msgspec import Struct

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.octets import Buffer

EVENT_TYPE: Final = b"D0EV"
VERSION: Final = 1

HEADER: Final = struct.Struct("<4sHHIIIHHQIIQQ")
"""The fixed part of the header, 56 bytes."""

CHECK: Final = struct.Struct("<I")
FRAME: Final = struct.Struct(">I")

LARGEST_PAYLOAD: Final = 3 * 1024 * 1024
"""Bytes: a message must fit into one call."""

MOST_STREAMS: Final = 1024
"""Stream ids of one event."""

LARGEST_MESSAGE: Final = HEADER.size + 2 * MOST_STREAMS + LARGEST_PAYLOAD + CHECK.size

_U16 = 1 << 16
_U32 = 1 << 32
_U64 = 1 << 64


class EventHeader(Struct, frozen=True, kw_only=True):
    """What a message says of its event.

    Attributes:
        run: Run number.
        event: Event number, per run from 1.
        lbn: Luminosity block number.
        streams: Ids of the streams to which it was assigned.
        node: Node of the level-3 farm.
        time_ns: Nanoseconds since 1970 UTC.
        flags: Free for the facility.
        sender: What this start of the sender chose for itself.
        sequence: Number of the message among those of the sender, from 1.
    """

    run: int
    event: int
    lbn: int = 0
    streams: tuple[int, ...] = ()
    node: int = 0
    time_ns: int = 0
    flags: int = 0
    sender: int = 0
    sequence: int = 0


class Malformed(ValueError):
    """Bytes that are no whole event message; the text says what was found."""


def encode_event(header: EventHeader, payload: Buffer) -> bytes:
    """Return the message of an event.

    Raises:
        BadParam: A number does not fit its field, or the payload is too long.
    """
    return b"".join(_parts(header, payload))


def frame_event(header: EventHeader, payload: Buffer) -> bytes:
    """Return the message of an event between its frames; the payload is copied once.

    Raises:
        BadParam: A number does not fit its field, or the payload is too long.
    """
    head, view, check = _parts(header, payload)
    frame = FRAME.pack(len(head) + len(view) + len(check))
    return b"".join((frame, head, view, check, frame))


@cache
def _ids(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}H")


def _parts(header: EventHeader, payload: Buffer) -> tuple[bytes, Buffer, bytes]:
    view = payload if isinstance(payload, bytes) else memoryview(payload).cast("B")
    streams, length = header.streams, len(view)
    if length > LARGEST_PAYLOAD or len(streams) > MOST_STREAMS:
        _check(header, length)
    try:
        # Packing refuses what does not fit; only what went wrong is looked at field by field.
        head = HEADER.pack(
            EVENT_TYPE, VERSION, header.flags, header.run, header.event, header.lbn, header.node,
            len(streams), header.time_ns, length, 0, header.sender, header.sequence,
        ) + _ids(len(streams)).pack(*streams)  # fmt: skip
    except struct.error:
        _check(header, length)
        raise
    return head, view, CHECK.pack(crc32c(view, crc32c(head)))


def parse_event(message: Buffer) -> tuple[EventHeader, memoryview]:
    """Return header and payload of a message; the payload is a view of it.

    Raises:
        Malformed: It is no whole event message, or its check fails.
    """
    view = memoryview(message).cast("B")
    if len(view) < HEADER.size + CHECK.size:
        raise Malformed(f"{len(view)} bytes are fewer than a header has")
    (type_, version, flags, run, event, lbn, node, streams, time_ns, length, _, sender,
     sequence) = HEADER.unpack_from(view)  # fmt: skip
    if type_ != EVENT_TYPE:
        raise Malformed(f"type {type_!r} is not {EVENT_TYPE!r}")
    if version != VERSION:
        raise Malformed(f"version {version} is not known, only {VERSION}")
    start = HEADER.size + 2 * streams
    if start + length + CHECK.size != len(view):
        text = f"{streams} streams and a payload of {length} do not make {len(view)} bytes"
        raise Malformed(text)
    found, told = crc32c(view[: -CHECK.size]), CHECK.unpack_from(view, len(view) - CHECK.size)[0]
    if found != told:
        raise Malformed(f"its check is {told:08x}, its bytes have {found:08x}")
    ids = struct.unpack_from(f"<{streams}H", view, HEADER.size)
    header = EventHeader(
        run=run, event=event, lbn=lbn, streams=ids, node=node, time_ns=time_ns,
        flags=flags, sender=sender, sequence=sequence,
    )  # fmt: skip
    return header, view[start : start + length]


def _check(header: EventHeader, length: int) -> None:
    fields = {
        "run": (header.run, _U32),
        "event": (header.event, _U32),
        "lbn": (header.lbn, _U32),
        "node": (header.node, _U16),
        "time_ns": (header.time_ns, _U64),
        "flags": (header.flags, _U16),
        "sender": (header.sender, _U64),
        "sequence": (header.sequence, _U64),
        "the number of streams": (len(header.streams), MOST_STREAMS + 1),
        "the length of the payload": (length, LARGEST_PAYLOAD + 1),
    } | {f"streams[{n}]": (each, _U16) for n, each in enumerate(header.streams)}
    for field, (value, bound) in fields.items():
        if not 0 <= value < bound:
            raise BadParam(
                f"{field} is {value}", field=field, remedy=f"give a number from 0 to {bound - 1}"
            )
