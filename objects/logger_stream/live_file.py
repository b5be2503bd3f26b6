"""One file of a stream that is being written, with what its stream must know of it."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import structs

from idl_like_interfaces.event_logger import (
    FileKind,
    FileState,
    GapNote,
    StreamConfiguration,
    WrittenFile,
)
from idl_like_interfaces.event_message import LARGEST_MESSAGE
from objects.logger_stream.files.writer import EventFileWriter
from objects.logger_stream.parsing import examine, find_frames
from objects.logger_stream.records import Records
from objects.logger_stream.surroundings import Surroundings
from objects.logger_stream.volumes import NO_ROOM, Volume

log = logging.getLogger(__name__)

_STEP: Final = 2 * LARGEST_MESSAGE
"""Bytes that are read back at once; more than any message has."""

_MOST_NAMES: Final = 10_000


class LiveFile:
    """A file that takes events.

    Args:
        writer: Writes it.
        volume: Where it is.
        slot: Of the ranges, or ``GARBAGE``.

    Attributes:
        writer: Writes it.
        volume: Where it is.
        slot: As given.
        reason: Why it is full; empty: it is not.
        is_dirty: Something was appended that is not synced.
        is_told: It was warned of its size.
        is_stale: Something was appended that is not flushed, or its state has changed.
    """

    def __init__(self, writer: EventFileWriter, volume: Volume, slot: int) -> None:
        self.writer = writer
        self.volume = volume
        self.slot = slot
        self.reason = ""
        self.is_dirty = self.is_stale = self.is_told = False
        self._durable_events = 0

    def append(self, records: Records) -> None:
        """Append records.

        Raises:
            OSError: They could not all be written.
        """
        self.is_dirty = self.is_stale = True
        with self.volume.turn:
            self.writer.append(records)

    def flush(self) -> None:
        """Hand all to the system.

        Raises:
            OSError: Not all could be written.
        """
        with self.volume.turn:
            self.writer.flush()
        self.is_stale = False
        self.volume.worked()

    def sync(self) -> None:
        """Have all on the disk.

        Raises:
            OSError: Not all is.
        """
        with self.volume.turn:
            self.writer.sync()
        self._durable_events = self.writer.events
        self.is_dirty = self.is_stale = False
        self.volume.worked()

    def close(self, reason: str) -> WrittenFile:
        """Close it; on a full volume with the room of the ballast.

        Raises:
            OSError: It could not be closed in good order.
        """
        try:
            return self._close(reason)
        except OSError as error:
            # What was not synced at the first attempt may be lost although a second one succeeds.
            if error.errno not in NO_ROOM or self.may_have_lost:
                raise
            self.volume.failed(error)
            self.volume.ballast.free()
            return self._close(reason)

    def note_gap(self, gap: GapNote) -> None:
        """Have it tell of messages that never came."""
        self.writer.note_gap(gap)
        self.is_stale = True

    def end(self, reason: str) -> None:
        """Have its side-car tell that it is full."""
        self.reason = reason
        if self.writer.state is FileState.OPEN:
            self.writer.state = FileState.END
            self.is_stale = True

    def give_up(self, reason: str) -> tuple[WrittenFile, list[Records], Tail | None]:
        """End it in ERROR.

        Returns:
            What is told of it, as far as that is sure to be on the disk; what was not written;
            and what was written but is not sure to be there.
        """
        is_unsure = self.may_have_lost
        unwritten = self.writer.unwritten()
        if not is_unsure:
            with suppress(OSError):
                self.writer.sync()
        tail = None
        if self.writer.durable_bytes < self.writer.written_bytes:
            tail = self._tail()
            reason += (
                f"; what is behind byte {tail.begin} does not count: it may not be on the disk"
            )
        written = self.writer.fail(reason)
        if tail is not None:
            # The rest will be told of another file; nothing is counted twice.
            written = structs.replace(written, events=self._durable_events, size_bytes=tail.begin)
        return written, unwritten, tail

    def describe(self) -> WrittenFile:
        """Return what is told of it; any thread may ask. It is not CLOSED before all of that is done."""
        writer = self.writer
        first_event, last_event = writer.events_range or (0, 0)
        first_lbn, last_lbn = writer.lbns or (0, 0)
        return WrittenFile(
            path=str(writer.part),
            stream=writer.header.stream.name,
            kind=writer.header.kind,
            state=FileState.END if writer.state is FileState.CLOSED else writer.state,
            events=writer.events,
            size_bytes=writer.size_bytes,
            durable_bytes=writer.durable_bytes,
            first_event=first_event,
            last_event=last_event,
            first_lbn=first_lbn,
            last_lbn=last_lbn,
        )

    def _close(self, reason: str) -> WrittenFile:
        self.sync()
        with self.volume.turn:
            return self.writer.close(reason)

    @property
    def may_have_lost(self) -> bool:
        """Whether a sync failed: the system may have dropped what it could not write."""
        writer = self.writer
        return not writer.waiting_bytes and writer.durable_bytes < writer.written_bytes

    def _tail(self) -> Tail:
        writer = self.writer
        begin, end = writer.durable_bytes, writer.written_bytes
        return Tail(writer.part, begin, end, writer.events - self._durable_events)


class Tail:
    """The end of a file that is not sure to be on the disk: it may still be read.

    Args:
        path: The file.
        begin: Where the tail begins: at a frame.
        end: Where it ends.
        events: That are in it.

    Attributes:
        path: As given.
        begin: As given.
        missing: Events that were not read (yet).
    """

    def __init__(self, path: Path, begin: int, end: int, events: int) -> None:
        self.begin = begin
        self.missing = events
        self.path = path
        self._end = end

    def read(self) -> Iterator[Records]:
        """Yield the events in it, checked; ends early when it cannot be read."""
        try:
            with self.path.open("rb", buffering=0) as file:
                for records in self._pieces(file.fileno()):
                    self.missing -= len(records)
                    yield records
        except OSError as error:
            log.warning("%s: its end cannot be read: %s", self.path, error)

    def _pieces(self, descriptor: int) -> Iterator[Records]:
        at = self.begin
        while at < self._end:
            piece = os.pread(descriptor, min(_STEP, self._end - at), at)
            frames = find_frames(piece)
            if not frames.end:
                return
            yield examine(piece, frames).records
            at += frames.end


def begin_file(
    around: Surroundings,
    configuration: StreamConfiguration,
    volume: Volume,
    numbers: Iterator[int],
    kind: FileKind,
    flush_bytes: int,
) -> EventFileWriter:
    """Begin a file of a stream, under the next number that is free.

    Raises:
        OSError: It cannot be made.
    """
    folder = volume.path / f"{around.run:09d}"
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(_MOST_NAMES):
        number = next(numbers)
        path = folder / file_name(configuration.name, around.run, number, kind)
        header = around.header(configuration, number, kind)
        try:
            with volume.turn:
                return EventFileWriter(path, header, around.clock, flush_bytes)
        except FileExistsError:
            log.warning("%s is there already", path)
    raise FileExistsError(errno.EEXIST, "there are too many files of this name", str(folder))


def file_name(stream: str, run: int, number: int, kind: FileKind) -> str:
    """Return the name of a file: ``all_000000007_000.raw``."""
    if kind is not FileKind.GARBAGE:
        return f"{stream}_{run:09d}_{number:03d}.raw"
    return f"{stream}_{run:09d}_garbage{f'_{number:03d}' if number else ''}.raw"
