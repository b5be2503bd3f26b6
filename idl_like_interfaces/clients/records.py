"""Event bodies: encoded once by the supplier, decoded by whoever reads them."""

from __future__ import annotations

import base64
import math
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.events import EventRecord, Priority
from idl_like_interfaces.first_use import ready
from idl_like_interfaces.octets import OctetBlocks

UNDECODABLE = "IDL:obsorb/events/Undecodable:1.0"
"""Repository id that a reader gives to a record that it cannot decode (body ``None``)."""

LARGEST_RECORD = 3 * 1024 * 1024
"""Bytes: a message of 4 MiB must have room for a record and all around it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(EventRecord)

# How an extension "time" begins in msgpack. Looking for one costs much less than making every
# body plain beforehand; where other bytes look the same, the plain form is made for nothing.
_TIMES = (b"\xd6\xff", b"\xd7\xff", b"\xc7\x0c\xff")

# All of them have it, and most records have not: looking for one octet costs least of all.
# As a number: ``in`` takes octets for a number first, fails, and costs five times as much.
_IN_TIMES = 0xFF

# The record's parts as a tuple cost less than a struct, and a reader takes them apart at once.
_ALL_DECODER = msgspec.msgpack.Decoder(list[tuple[int, str, Any]])
_ARRAY = b"\xdd"  # and four octets that count

T = TypeVar("T")


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event as a consumer gets it.

    Attributes:
        epoch: The channel's epoch.
        sequence: Number in that epoch.
        topic: Its topic.
        source: Its supplier, e.g. ``obs/ocm``.
        incarnation: Start of the supplier.
        source_sequence: Number in the supplier's incarnation.
        time_ns: When it happened, ns since 1970 UTC.
        repository_id: Type of the body; may be empty.
        body: Plain values.
        priority: How urgent it is.
    """

    epoch: str
    sequence: int
    topic: str
    source: str
    incarnation: str
    source_sequence: int
    time_ns: int
    repository_id: str
    body: Any
    priority: Priority = Priority.NORMAL

    @property
    def time(self) -> datetime:
        """When it happened, UTC."""
        return to_time(self.time_ns)

    def as_(self, type_: type[T]) -> T:
        """Read the body as a declared struct; fields that it does not know are passed over.

        Raises:
            BadParam: The body is not of that type.
        """
        try:
            return msgspec.convert(_known(self.body, type_), ready(type_))
        except msgspec.ValidationError as error:
            raise BadParam(
                f"the body of event {self.sequence} on {self.topic} is no {type_.__name__}: {error}",
                field="body",
                cause="the supplier sends another type, or another version of it, on this topic",
                remedy=f"see what {self.source} sends (its repository id: {self.repository_id!r})",
            ) from error


def _known(body: Any, type_: type) -> Any:
    """Leave out what a newer supplier may have added."""
    if not isinstance(body, dict) or not hasattr(type_, "__struct_fields__"):
        return body
    names = {each.encode_name for each in msgspec.structs.fields(type_)}
    return {name: value for name, value in body.items() if name in names}


def encode_record(time_ns: int, body: Any, repository_id: str = "") -> bytes:
    """Encode a record.

    Args:
        time_ns: When it happened, ns since 1970 UTC.
        body: A declared struct or plain values; times become ISO texts.
        repository_id: Type of the body.

    Raises:
        BadParam: The body has no plain form, or is larger than 3 MiB.
    """
    try:
        record = _ENCODER.encode(EventRecord(time_ns, repository_id, body))
        if _IN_TIMES in record and any(begin in record for begin in _TIMES):
            plain = msgspec.to_builtins(body, builtin_types=(bytes,))
            record = _ENCODER.encode(EventRecord(time_ns, repository_id, plain))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadParam(
            f"the body of the event cannot travel: {error}",
            field="body",
            remedy="give a declared struct or plain values (dict, list, str, number, bool, None)",
        ) from error
    if len(record) > LARGEST_RECORD:
        raise BadParam(
            f"the body of the event has {len(record)} bytes, the most are {LARGEST_RECORD}",
            field="body",
            remedy="write bulk data to a file and announce the file",
        )
    return record


def decode_record(encoded: memoryview | bytes) -> EventRecord:
    """Read a record; one of 1970 and ``UNDECODABLE`` for what is none."""
    try:
        return _DECODER.decode(encoded)
    except (msgspec.DecodeError, RecursionError):
        return EventRecord(0, UNDECODABLE, None)


def decode_records(blocks: OctetBlocks) -> list[tuple[int, str, Any]]:
    """Read many records together, which costs half as much as one by one.

    Returns:
        Of each its time, repository id and body, see ``decode_record``.
    """
    whole = b"".join((_ARRAY, len(blocks).to_bytes(4, "big"), blocks.buffer))
    try:
        return _ALL_DECODER.decode(whole)
    except (msgspec.DecodeError, RecursionError):
        # One of them is none: the others must not suffer from it.
        read = map(decode_record, blocks)
        return [(each.time_ns, each.repository_id, each.body) for each in read]


def to_time(time_ns: int) -> datetime:
    """Return the UTC time of a record, to the microsecond."""
    return _EPOCH + timedelta(0, 0, time_ns // 1000)


def to_wire(body: Any) -> Any:
    """Return a decoded body as any serializer carries it: no NaN, no bytes, text keys."""
    match body:
        case dict():
            return {str(key): to_wire(value) for key, value in body.items()}
        case list():
            return [to_wire(value) for value in body]
        case _:
            return _scalar_to_wire(body)


def _scalar_to_wire(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return str(value)
