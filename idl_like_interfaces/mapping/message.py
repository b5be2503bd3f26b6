"""Messages of Pyro5's protocol as bytes, without any I/O.

A message is a header of 40 octets, annotations, a payload. What Pyro5 itself does with
them is bound to its blocking connections and copies each message twice.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import Pyro5.errors

from idl_like_interfaces.octets import Buffer

HEADER_SIZE = 40

SERPENT, MSGPACK = 1, 4

_HEADER = struct.Struct("!6sBBHHII16sHH")
_ANNOTATION = struct.Struct("!4sI")
_TAG, _MAGIC = b"PYRO\x01\xf6", 0x4DC5
"""The tag ends in the version of the protocol, 502."""

_MARKED = struct.Struct(_HEADER.format + "4sI")
_NO_CORRELATION = bytes(16)

_JOIN_BELOW = 64 * 1024
"""Bytes: to copy a short message into one buffer is cheaper than to send it in parts."""


class Kind:
    """What a message is (Pyro5's message types). Plain numbers, as the flags."""

    CONNECT: Final = 1
    CONNECT_OK: Final = 2
    CONNECT_FAIL: Final = 3
    INVOKE: Final = 4
    RESULT: Final = 5
    PING: Final = 6


class Flag:
    """Pyro5's message flags. Plain numbers: each ``&`` of an ``IntFlag`` costs microseconds."""

    NONE: Final = 0
    EXCEPTION: Final = 1
    COMPRESSED: Final = 2
    ONEWAY: Final = 4
    BATCH: Final = 8
    ITEM_STREAM: Final = 16
    KEEP_SERIALIZED: Final = 32
    CORRELATION_ID: Final = 64


# Each message makes one of each of these; frozen ones take three times as long to make.


@dataclass(slots=True)
class Header:
    """The fixed part of a message; never changed.

    Attributes:
        kind: A ``Kind``, as a number: a stranger may send any.
        serializer: Its number.
        flags: ``Flag`` bits.
        sequence: Number of the call on its connection; the reply has the same.
        data_size: Octets of the payload.
        annotations_size: Octets of all annotations.
    """

    kind: int
    serializer: int
    flags: int
    sequence: int
    data_size: int
    annotations_size: int

    @property
    def size(self) -> int:
        """Octets that follow the header."""
        return self.data_size + self.annotations_size


@dataclass(slots=True)
class Message:
    """A whole message; never changed.

    Attributes:
        header: Its header.
        annotations: By their four letters; views of the received bytes when these are many.
        payload: The rest, likewise.
    """

    header: Header
    annotations: dict[str, Buffer]
    payload: Buffer


def parse_header(octets: Buffer) -> Header:
    """Read the first 40 octets.

    Raises:
        ProtocolError: They are no header of Pyro5.
    """
    tag, kind, serializer, flags, sequence, data, annotations, _, _, magic = _HEADER.unpack_from(
        octets
    )
    if tag != _TAG or magic != _MAGIC:
        text = "this is no message of Pyro5, or one of another version"
        raise Pyro5.errors.ProtocolError(text)
    return Header(kind, serializer, flags, sequence, data, annotations)


def parse_body(header: Header, body: Buffer) -> Message:
    """Cut what follows a header into annotations and payload, without a copy.

    Raises:
        ProtocolError: The lengths of the annotations do not add up.
    """
    view = memoryview(body)
    if not header.annotations_size:
        return Message(header, {}, view)
    annotations: dict[str, Buffer] = {}
    start, end = 0, header.annotations_size
    while start < end:
        data = start + _ANNOTATION.size
        if data > end:
            raise _do_not_add_up()
        letters, length = _ANNOTATION.unpack_from(view, start)
        start = data + length
        if start > end or not letters.isascii():
            raise _do_not_add_up()
        annotations[letters.decode("ascii")] = view[data:start]
    return Message(header, annotations, view[end:])


def parse_short(octets: bytes) -> Message | None:
    """Read octets that are one message, as almost all are; ``None``: they are less, or more.

    Raises:
        ProtocolError: They are no message.
    """
    if len(octets) < HEADER_SIZE:
        return None
    header = parse_header(octets)
    body = HEADER_SIZE + header.annotations_size
    if len(octets) != body + header.data_size:
        return None
    if not header.annotations_size:
        return Message(header, {}, octets[HEADER_SIZE:])
    if header.annotations_size < _ANNOTATION.size:
        raise _do_not_add_up()
    letters, length = _ANNOTATION.unpack_from(octets, HEADER_SIZE)
    if letters != b"OBSB" or length + _ANNOTATION.size != header.annotations_size:
        return parse_body(header, octets[HEADER_SIZE:])
    annotation = octets[HEADER_SIZE + _ANNOTATION.size : body]
    return Message(header, {"OBSB": annotation}, octets[body:])


def _do_not_add_up() -> Exception:
    text = "the annotations do not fill the space that the header gives them"
    return Pyro5.errors.ProtocolError(text)  # type: ignore[no-any-return]


def pack(
    kind: int,
    flags: int,
    sequence: int,
    serializer: int,
    payload: Buffer,
    annotations: Sequence[tuple[bytes, Buffer]] = (),
) -> list[Buffer]:
    """Return a message as the buffers to send one behind the other; one buffer when it is short.

    Annotations are four ASCII letters and the octets of each.
    """
    size = 0
    parts: list[Buffer] = []
    for letters, octets in annotations:
        length = len(octets)
        parts += (_ANNOTATION.pack(letters, length), octets)
        size += _ANNOTATION.size + length
    header = _HEADER.pack(
        _TAG, kind, serializer, flags, sequence,
        len(payload), size, _NO_CORRELATION, 0, _MAGIC,
    )  # fmt: skip
    parts = [header, *parts, payload]
    return [b"".join(parts)] if size + len(payload) < _JOIN_BELOW else parts


def pack_marked(
    kind: int, flags: int, sequence: int, serializer: int, payload: Buffer, mark: bytes
) -> list[Buffer]:
    """As ``pack``, with the annotation ``OBSB`` only, as almost all requests have it."""
    size = len(mark)
    begin = _MARKED.pack(
        _TAG, kind, serializer, flags, sequence,
        len(payload), size + _ANNOTATION.size, _NO_CORRELATION, 0, _MAGIC, b"OBSB", size,
    )  # fmt: skip
    parts: list[Buffer] = [begin, mark, payload]
    return [b"".join(parts)] if len(payload) < _JOIN_BELOW else parts
