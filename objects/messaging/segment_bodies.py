"""What stands in the bodies of the journal's records: msgpack, and behind it octets unopened."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from idl_like_interfaces.events import Batch, Priority
from idl_like_interfaces.octets import OctetBlocks
from objects.component.clock import Clock
from objects.messaging.chunk import Chunk
from objects.messaging.segments import Parts, Record
from objects.messaging.storage import Checkpoint, DurableCursor, SupplierAccount

_LENGTH = struct.Struct("<I")
_NS = 1_000_000_000

T = TypeVar("T")


class UnreadableBody(ValueError):
    """The body has no sense, although its CRC fits."""


class _Events(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A batch without its records, and what the channel knows of it."""

    source: str
    incarnation: str
    first: int
    topics: list[str]
    topic_of: list[int] = []
    lengths: tuple[int, ...]
    lost: int = 0
    priorities: list[Priority] = []
    missing: int = 0
    came_ns: int = 0


class _Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint without the newest events, each of which has a record of its own."""

    epoch: str
    last: int
    suppliers: list[SupplierAccount] = []
    topics: dict[str, int] = {}
    durables: list[DurableCursor] = []
    latest: int = 0


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How the journal was left; it exists only while all accepted events are on disk.

    Attributes:
        epoch: Of the channel.
        boot: This start of the host.
        synced: What was acknowledged survives the end of the host.
        last: The newest event, when it was closed in good order.
    """

    epoch: str
    boot: str
    synced: bool
    last: int | None = None


class _Cursors(msgspec.Struct, frozen=True, kw_only=True):
    durables: list[DurableCursor]


_encoder = msgspec.msgpack.Encoder()
_decoders = {
    body: msgspec.msgpack.Decoder(body) for body in (_Events, _Checkpoint, State, _Cursors)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Turns the monotonic seconds of a process into nanoseconds since 1970 UTC, and back."""

    monotonic: float
    utc_ns: int

    @classmethod
    def now(cls, clock: Clock) -> Times:
        """Compare the two at this moment."""
        return cls(monotonic=clock.monotonic(), utc_ns=round(clock.utc().timestamp() * _NS))

    def to_utc_ns(self, monotonic: float) -> int:
        """Return when that was."""
        return self.utc_ns - round((self.monotonic - monotonic) * _NS)

    def to_monotonic(self, utc_ns: int) -> float:
        """Return when that was; what seems to be still to come (a clock was set back): now."""
        return self.monotonic - max(0.0, (self.utc_ns - utc_ns) / _NS)


def encode_chunk(chunk: Chunk, times: Times) -> Parts:
    """Return the body of a chunk's record; the octets are not copied."""
    batch = chunk.batch
    description = _encoder.encode(
        _Events(
            source=batch.source,
            incarnation=batch.incarnation,
            first=batch.first,
            topics=batch.topics,
            topic_of=batch.topic_of,
            lengths=batch.records.lengths,
            lost=batch.lost,
            priorities=batch.priorities,
            missing=chunk.missing,
            came_ns=times.to_utc_ns(chunk.came),
        )
    )
    return [_LENGTH.pack(len(description)), description, batch.records.buffer]


def decode_chunk(record: Record, times: Times) -> Chunk:
    """Read a chunk; it does not keep the file's content alive.

    Raises:
        UnreadableBody: It is none.
    """
    body = record.body
    if len(body) < _LENGTH.size:
        raise UnreadableBody("the body is too short")
    begin = _LENGTH.size + _LENGTH.unpack_from(body)[0]
    found = _decode(body[_LENGTH.size : begin], _Events)
    try:
        records = OctetBlocks(bytes(body[begin:]), found.lengths)
    except ValueError as error:
        raise UnreadableBody(str(error)) from error
    batch = Batch(
        source=found.source,
        incarnation=found.incarnation,
        first=found.first,
        topics=found.topics,
        topic_of=found.topic_of,
        records=records,
        lost=found.lost,
        priorities=found.priorities,
    )
    return Chunk(
        first=record.label.sequence,
        count=len(records),
        batch=batch,
        missing=found.missing,
        came=times.to_monotonic(found.came_ns),
    )


def encode_checkpoint(checkpoint: Checkpoint) -> Parts:
    """Return the body of a checkpoint's record; its newest events follow in others."""
    body = _Checkpoint(
        epoch=checkpoint.epoch,
        last=checkpoint.last,
        suppliers=checkpoint.suppliers,
        topics=checkpoint.topics,
        durables=checkpoint.durables,
        latest=len(checkpoint.latest),
    )
    return [_encoder.encode(body)]


def decode_checkpoint(record: Record, latest: list[Chunk]) -> Checkpoint:
    """Read a checkpoint.

    Args:
        record: Its record.
        latest: What was read of the records behind it.

    Raises:
        UnreadableBody: It is none.
    """
    found = _decode(record.body, _Checkpoint)
    return Checkpoint(
        epoch=found.epoch,
        last=found.last,
        suppliers=found.suppliers,
        topics=found.topics,
        latest=latest,
        durables=found.durables,
    )


def encode_state(state: State) -> Parts:
    """Return the body of the record that tells how the journal was left."""
    return [_encoder.encode(state)]


def decode_state(record: Record) -> State:
    """Read how the journal was left.

    Raises:
        UnreadableBody: The record tells something else.
    """
    return _decode(record.body, State)


def encode_cursors(durables: list[DurableCursor]) -> Parts:
    """Return the body of the record of all durable subscriptions."""
    return [_encoder.encode(_Cursors(durables=durables))]


def decode_cursors(record: Record) -> list[DurableCursor]:
    """Read the durable subscriptions.

    Raises:
        UnreadableBody: The record tells something else.
    """
    return _decode(record.body, _Cursors).durables


def _decode(body: memoryview, kind: type[T]) -> T:
    try:
        value: T = _decoders[kind].decode(body)  # type: ignore[index,assignment]
    except msgspec.DecodeError as error:
        raise UnreadableBody(str(error)) from error
    return value
