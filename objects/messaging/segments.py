"""The frame of the journal's files: records that tell where they stand, each with two CRCs.

A record is a header of 40 bytes and a body. The header has a CRC of its own, so that its length
can be trusted when only the body is damaged, and its position in the file, so that a record
that is carried in the body of another one is never taken for one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

MAGIC = b"OBEJ"
VERSION = 1

_HEADER = struct.Struct("<4sHHQQIII")
_CRC = struct.Struct("<I")
_WHOLE = struct.Struct(_HEADER.format + "I")
HEADER_BYTES = _WHOLE.size

Parts: TypeAlias = Sequence[bytes | memoryview]


class Kind(IntEnum):
    """What a record holds; one of another kind is passed over."""

    CHECKPOINT = 1
    EVENTS = 2
    LATEST = 3
    STATE = 4
    CURSORS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What stands in the header beside lengths and CRCs.

    Attributes:
        kind: Of the body.
        sequence: Number of its first event, or of the newest that it counts.
        mark: Of the epoch, see ``mark_of``.
    """

    kind: int
    sequence: int
    mark: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record that is whole and undamaged; ``end`` is the position behind it."""

    label: Label
    body: memoryview
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Bytes from ``begin`` to ``end`` that are no record."""

    begin: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a file holds.

    Attributes:
        records: In order.
        damages: What lies between them.
        torn: Where a record begins that was not finished; ``None``: all were.
    """

    records: list[Record] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    torn: int | None = None


class _Torn(ValueError):
    """The file ends within a record."""


class _Damaged(ValueError):
    """Something else stands where a record should begin, or its body is not what it was.

    Attributes:
        end: Where the next one begins, if the header can be trusted; else 0.
    """

    def __init__(self, reason: str, end: int = 0) -> None:
        super().__init__(reason)
        self.end = end


def mark_of(epoch: str) -> int:
    """Return the number by which a record tells its epoch."""
    return zlib.crc32(epoch.encode())


def frame(label: Label, body: Parts, position: int) -> list[bytes | memoryview]:
    """Put a header before a body.

    Args:
        label: For the header.
        body: The parts of the body, which are not joined.
        position: In the file, of the record's first byte.
    """
    crc = length = 0
    for part in body:
        crc = zlib.crc32(part, crc)
        length += len(part)
    header = _HEADER.pack(
        MAGIC, VERSION, label.kind, position, label.sequence, label.mark, length, crc
    )
    return [header, _CRC.pack(zlib.crc32(header)), *body]


def scan(data: bytes) -> Scan:
    """Find all records of a file, whatever became of it."""
    view, found, position, torn = memoryview(data), Scan(), 0, None
    while position < len(data) and torn is None:
        try:
            record = _read(view, position)
        except _Torn:
            torn = position
        except _Damaged as fault:
            end = fault.end or _next_header(data, position + 1)
            found.damages.append(Damage(begin=position, end=end, reason=str(fault)))
            position = end
        else:
            found.records.append(record)
            position = record.end
    return Scan(records=found.records, damages=found.damages, torn=torn)


def _read(view: memoryview, position: int) -> Record:
    """Read the record that begins at a position.

    Raises:
        _Torn: The file ends within it.
        _Damaged: It is none, or no more what it was.
    """
    begin = position + HEADER_BYTES
    if begin > len(view):
        raise _Torn
    header = _header_at(view, position)
    if header is None:
        # A file system may have lengthened the file before it wrote what belongs there.
        raise _Damaged("no header where one should be") if any(view[position:]) else _Torn
    version, label, length, crc = header
    end = begin + length
    if end > len(view):
        raise _Torn
    if version != VERSION:
        raise _Damaged(f"a record of format version {version}, not {VERSION}", end)
    body = view[begin:end]
    if zlib.crc32(body) != crc:
        raise _Damaged("the CRC of a body does not fit", end)
    return Record(label=label, body=body, end=end)


def _header_at(view: memoryview, position: int) -> tuple[int, Label, int, int] | None:
    """Return version, label, length and CRC of the body; ``None``: no header stands there."""
    magic, version, kind, at, sequence, mark, length, body_crc, crc = _WHOLE.unpack_from(
        view, position
    )
    if magic != MAGIC or at != position:
        return None
    if zlib.crc32(view[position : position + _HEADER.size]) != crc:
        return None
    return version, Label(kind=kind, sequence=sequence, mark=mark), length, body_crc


def _next_header(data: bytes, start: int) -> int:
    """Return where the next header begins that can be trusted; the end of the file: there is none."""
    view = memoryview(data)
    while (start := data.find(MAGIC, start)) >= 0:
        if len(data) - start >= HEADER_BYTES and _header_at(view, start) is not None:
            return start
        start += 1
    return len(data)
