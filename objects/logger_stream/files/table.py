"""Which events a file holds and where: from its index as far as that agrees, else from the data."""

from __future__ import annotations

import mmap
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from idl_like_interfaces.event_message import EVENT_TYPE, FRAME
from objects.logger_stream.files.frames import Data, chain, type_of
from objects.logger_stream.files.index import (
    BadIndex,
    Chunk,
    Entries,
    Offsets,
    describe,
    offsets,
    read_entries,
    read_heads,
)
from objects.logger_stream.files.layout import FRAME_BYTES, index_path
from objects.logger_stream.files.scan import Damage, Other, Piece, Progress, Whole, scan

_CACHED = 4
"""Chunks whose entries are kept: neighbours are asked for together."""


def map_file(path: Path) -> Data:
    """Return the bytes of a file, not read before they are looked at.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        if not stream.seek(0, 2):
            return b""
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def read_index(path: Path) -> Data:
    """Return the bytes of the index of a data file; none when there is none that can be read."""
    try:
        return map_file(index_path(path))
    except OSError:
        return b""


@dataclass(slots=True)
class Section:
    """Events that follow each other without a hole.

    Attributes:
        chunk: What they are, in short.
        entries: Theirs; None: they are read from the index when they are wanted.
    """

    chunk: Chunk
    entries: Entries | None = None


@dataclass(slots=True)
class Table:
    """The events of a file in order.

    Attributes:
        data: The file.
        index: Its index file.
        sections: The events.
        others: Records that are no events.
        damages: Bytes that are no whole records.
        faults: What is wrong with the index.
        end: How far the file was looked at.
        tail: What stands behind that, no whole record (yet); None: nothing.
    """

    data: Data
    index: Data
    end: int
    sections: list[Section] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    tail: Damage | None = None
    _cache: OrderedDict[int, tuple[Entries, Offsets]] = field(default_factory=OrderedDict)

    @property
    def events(self) -> int:
        """How many there are."""
        return (
            self.sections[-1].chunk.before + self.sections[-1].chunk.count if self.sections else 0
        )

    def entries(self, number: int) -> tuple[Entries, Offsets]:
        """Return the entries of a section, and where their records begin and the last one ends."""
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        section = self.sections[number]
        entries = self._read(section) if section.entries is None else section.entries
        found = entries, offsets(entries, section.chunk.begin)
        self._cache[number] = found
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return found

    def _read(self, section: Section) -> Entries:
        try:
            return read_entries(memoryview(self.index), section.chunk)
        except BadIndex as fault:
            self.faults.append(str(fault))
            entries = list(self._scanned(section.chunk))
            if sum(map(len, entries)) != section.chunk.count:
                raise
            section.entries = np.concatenate(entries)
            return section.entries

    def _scanned(self, chunk: Chunk) -> Iterator[Entries]:
        for piece in scan(self.data, chunk.begin, chunk.end):
            if isinstance(piece, Whole):
                yield piece.entries

    def grow(self, index: Data, data: Data, file_check: int) -> None:
        """Take what has come to a file of which nothing but its index was taken so far."""
        self.index, self.data = index, data
        self.faults.clear()
        self.adopt(file_check, len(data))

    def forget(self) -> None:
        """Keep nothing of the file any more."""
        self._cache.clear()
        self.sections.clear()
        self.data = self.index = b""

    def section_of(self, number: int) -> int:
        """Return in which section an event is, by its number from 0."""
        low, high = 0, len(self.sections)
        while high - low > 1:
            middle = (low + high) // 2
            if self.sections[middle].chunk.before <= number:
                low = middle
            else:
                high = middle
        return low

    def extend(self, end: int, progress: Progress | None = None) -> None:
        """Look at the data from where it was looked at before up to an end.

        What is not whole yet at the end is looked at again the next time.
        """
        self.tail = None
        for piece in scan(self.data, self.end, end, progress):
            if isinstance(piece, Damage) and piece.end == end:
                self.tail = piece
                return
            self._take(piece)
            self.end = piece.end

    def _take(self, piece: Piece) -> None:
        match piece:
            case Whole():
                chunk = describe(piece.entries, piece.begin, self.events, 0)
                self.sections.append(Section(chunk, piece.entries))
            case Other():
                self.others.append(piece)
            case Damage():
                self.damages.append(piece)

    def _fault(self, chunk: Chunk, end: int, *, is_whole: bool) -> str:
        """Say why a chunk is not believed; empty: it is."""
        if not is_in(self.data, chunk, end):
            return f"it tells of events up to byte {chunk.end}, which do not stand there"
        if is_whole:
            try:
                read_entries(memoryview(self.index), chunk)
            except BadIndex as fault:
                return str(fault)
        return ""

    def adopt(self, file_check: int, end: int, trusted: int | None = None) -> None:
        """Take from the index what agrees with the data up to an end, behind what was taken before.

        Args:
            file_check: Check of the first record of the file.
            end: Where the events end at most.
            trusted: Bytes of the file that are on the disk for sure; what the index tells of
                those behind is not taken, but for what it knows to be synced. None: all is.
        """
        known = self.sections[-1].chunk if self.sections else None
        chunks, fault = read_heads(memoryview(self.index), file_check, self.end, known)
        if fault:
            self.faults.append(fault)
        if trusted is not None:
            surely = max([trusted, *(chunk.synced for chunk in chunks)])
            chunks = [chunk for chunk in chunks if chunk.end <= surely]
        for chunk in chunks:
            fault = self._fault(chunk, end, is_whole=trusted is not None)
            if fault:
                self.faults.append(fault)
                break
            for piece in scan(self.data, self.end, chunk.begin):  # what is in a hole
                self._take(piece)
            self.sections.append(Section(chunk))
            self.end = chunk.end


def is_in(data: Data, chunk: Chunk, end: int) -> bool:
    """Tell whether events begin and end in the data where a chunk says so.

    The two records are not read whole: of large events that would be a good part of the file.
    """
    if chunk.end > end:
        return False
    starts, _ = chain(data, chunk.begin, chunk.end, 1)
    last = chunk.end - FRAME_BYTES - int.from_bytes(data[chunk.end - FRAME.size : chunk.end], "big")
    if not starts or last < chunk.begin:
        return False
    _, stop = chain(data, last, chunk.end, 1)
    return stop == chunk.end and type_of(data, chunk.begin) == type_of(data, last) == EVENT_TYPE
