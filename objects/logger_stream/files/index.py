"""The index beside an event file: chunks of entries, one for each flush, each checked.

A chunk, little-endian::

    offset  size  field
         0     4  type: ``D0IC``
         4     2  version: 1
         6     2  reserved: 0
         8     4  n, number of entries
        12     4  check of the first record of the data file, to which it so belongs
        16     8  where its first record begins in the data file (its frame)
        24     8  where its last record ends
        32     8  events before it
        40     8  bytes of the data file that were synced when it was written
        48     4  least event number
        52     4  greatest
        56     4  least luminosity block number
        60     4  greatest
        64     4  CRC-32C of the entries
        68     4  CRC-32C of the 68 bytes before
        72   32n  entries

Entry: u32 size of the record with both lengths, u32 event, u32 luminosity block, u32 check of
the message, u64 sender, u64 sequence. The records of a chunk follow each other without a hole: a
record begins where the sizes of those before it have led.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from crc32c import crc32c

from objects.logger_stream.records import Records

CHUNK_TYPE = b"D0IC"
VERSION = 1
HEAD = struct.Struct("<4sHHIIQQQQIIIII")
HEAD_BYTES = HEAD.size + 4

ENTRY = np.dtype(
    [
        ("size", "<u4"),
        ("event", "<u4"),
        ("lbn", "<u4"),
        ("check", "<u4"),
        ("sender", "<u8"),
        ("sequence", "<u8"),
    ]
)

MOST_ENTRIES = 1 << 20
"""Entries of a chunk: a reader that wants one of them reads at most 32 MiB."""

Entries: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.void]]"
Offsets: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.int64]]"

_CRC = struct.Struct("<I")


class BadIndex(ValueError):
    """Bytes that are no whole chunk, or one that does not belong there; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What the head of a chunk tells.

    Attributes:
        count: Entries.
        begin: Where its first record begins in the data file.
        end: Where its last record ends.
        before: Events before it.
        synced: Bytes of the data file that were synced when it was written.
        events: Least and greatest event number.
        lbns: The same of luminosity blocks.
        entries_at: Where its entries begin in the index file; 0: not read from one.
        crc: Of the entries.
    """

    count: int
    begin: int
    end: int
    before: int
    synced: int
    events: tuple[int, int]
    lbns: tuple[int, int]
    entries_at: int = 0
    crc: int = 0

    @property
    def index_end(self) -> int:
        """Where it ends in the index file."""
        return self.entries_at + self.count * ENTRY.itemsize


def entries_of(records: Records) -> Entries:
    """Return the entries of records."""
    entries: Entries = np.empty(len(records), ENTRY)
    for name in ENTRY.names or ():
        entries[name] = records.index[name]
    return entries


def offsets(entries: Entries, begin: int) -> Offsets:
    """Return where the record of each entry begins, and behind them where the last one ends."""
    ends = np.cumsum(entries["size"], dtype=np.int64)
    return np.concatenate((np.zeros(1, np.int64), ends)) + begin


def describe(entries: Entries, begin: int, before: int, synced: int) -> Chunk:
    """Return the head of the chunk of some entries, one or more."""
    size = int(entries["size"].sum(dtype=np.int64))
    return Chunk(
        count=len(entries),
        begin=begin,
        end=begin + size,
        before=before,
        synced=synced,
        events=(int(entries["event"].min()), int(entries["event"].max())),
        lbns=(int(entries["lbn"].min()), int(entries["lbn"].max())),
    )


def encode_chunk(chunk: Chunk, entries: Entries, file_check: int) -> bytes:
    """Return a chunk as it stands in the index file.

    Args:
        chunk: As ``describe`` returns it.
        entries: Its entries.
        file_check: Check of the first record of the data file.
    """
    body = entries.tobytes()
    head = HEAD.pack(
        CHUNK_TYPE, VERSION, 0, chunk.count, file_check, chunk.begin, chunk.end, chunk.before,
        chunk.synced, *chunk.events, *chunk.lbns, crc32c(body),
    )  # fmt: skip
    return b"".join((head, _CRC.pack(crc32c(head)), body))


def decode_head(index: memoryview, position: int, file_check: int) -> Chunk:
    """Read the head of the chunk that begins at a position of the index file.

    Raises:
        BadIndex: It is none, not whole, or of another data file.
    """
    if position + HEAD_BYTES > len(index):
        raise BadIndex("it ends within the head of a chunk")
    (type_, version, _, count, owner, begin, end, before, synced, *least_and_greatest,
     crc) = HEAD.unpack_from(index, position)  # fmt: skip
    head = index[position : position + HEAD.size]
    if type_ != CHUNK_TYPE or _CRC.unpack_from(index, position + HEAD.size)[0] != crc32c(head):
        raise BadIndex(f"what stands at byte {position} is no head of a chunk")
    if version != VERSION or owner != file_check:
        raise BadIndex(f"the chunk at byte {position} belongs to another file or version")
    chunk = Chunk(
        count=count, begin=begin, end=end, before=before, synced=synced,
        events=(least_and_greatest[0], least_and_greatest[1]),
        lbns=(least_and_greatest[2], least_and_greatest[3]),
        entries_at=position + HEAD_BYTES, crc=crc,
    )  # fmt: skip
    if chunk.index_end > len(index):
        raise BadIndex("it ends within the entries of a chunk")
    return chunk


def read_entries(index: memoryview, chunk: Chunk) -> Entries:
    """Return the entries of a chunk, a view of the index file.

    Raises:
        BadIndex: They are damaged, or do not fit the head.
    """
    body = index[chunk.entries_at : chunk.index_end]
    if crc32c(body) != chunk.crc:
        raise BadIndex(f"the entries at byte {chunk.entries_at} are damaged")
    entries: Entries = np.frombuffer(body, ENTRY)
    size = int(entries["size"].sum(dtype=np.int64))
    if chunk.begin + size != chunk.end:
        raise BadIndex(f"the entries at byte {chunk.entries_at} do not fit their head")
    return entries


def read_heads(
    index: memoryview, file_check: int, data_begin: int, known: Chunk | None = None
) -> tuple[list[Chunk], str]:
    """Return the whole chunks at the begin of an index file, and why there are no more.

    Args:
        index: The index file.
        file_check: Check of the first record of the data file.
        data_begin: Where the first event begins in the data file.
        known: A chunk that was read from this index before: only those behind it are read.

    Returns:
        The chunks, each where the one before ended or behind; what is wrong behind them, or
        an empty text.
    """
    chunks: list[Chunk] = []
    position, end, before = 0, data_begin, 0
    if known is not None:
        position, end, before = known.index_end, known.end, known.before + known.count
    while position < len(index):
        try:
            chunk = decode_head(index, position, file_check)
        except BadIndex as fault:
            return chunks, str(fault)
        if chunk.begin < end or chunk.before != before or chunk.count < 1:
            return chunks, f"the chunk at byte {position} does not continue the one before"
        chunks.append(chunk)
        position, end, before = chunk.index_end, chunk.end, before + chunk.count
    return chunks, ""
