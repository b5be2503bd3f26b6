"""Writes one event file: whole records or none, what it holds told beside it at each flush."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

import numpy as np

from idl_like_interfaces.event_files import FileHeader, FileTrailer, SideCar
from idl_like_interfaces.event_logger import FileState, GapNote, WrittenFile
from objects.component.atomic import fsync_folder
from objects.component.clock import Clock
from objects.logger_stream.files.data_file import DataFile
from objects.logger_stream.files.digest import FileDigest
from objects.logger_stream.files.index import Entries, entries_of
from objects.logger_stream.files.index_file import IndexFile
from objects.logger_stream.files.layout import (
    check_of,
    encode_header,
    encode_trailer,
    final_path,
    part_path,
)
from objects.logger_stream.files.recovery import Recovered
from objects.logger_stream.files.sidecar import finish_side_car, replace_side_car
from objects.logger_stream.files.summary import Tally
from objects.logger_stream.records import Records

log = logging.getLogger(__name__)

FLUSH_BYTES = 4 * 1024 * 1024

_TELL_S = 0.25
"""A side-car that is replaced because many bytes came is not replaced again before."""


class EventFileWriter:
    """A file of a stream; for one thread, but its properties may be read from any.

    After an ``OSError`` of ``append``, ``flush``, ``sync`` or ``close`` the file holds whole records only,
    and the same call may be tried again, e.g. when there is room; or what could not be written
    is taken with ``unwritten``, and the file closed as it is, or ended with ``fail``.

    Args:
        path: Of the closed file, without ``.part``; neither of both may exist.
        header: Its first record.
        clock: The time.
        flush_bytes: With so many bytes that wait they are written.

    Attributes:
        path: Of the closed file.
        header: Its first record.
        state: As its side-car tells it: ``OPEN``; whoever makes it ``END`` says so here.

    Raises:
        FileExistsError: There is such a file already.
        OSError: It cannot be made; nothing is left of it.
    """

    def __init__(
        self, path: Path, header: FileHeader, clock: Clock, flush_bytes: int = FLUSH_BYTES
    ) -> None:
        if path.exists():
            raise FileExistsError(17, "there is such an event file already", str(path))
        record = encode_header(header)
        data = DataFile(part_path(path))
        try:
            data.append(record)
            index = IndexFile(path, check_of(record), len(record))
        except OSError:
            data.close()
            with suppress(OSError):
                data.path.unlink()
            raise
        self._begin(header, data, index, Tally())
        self._set(clock, flush_bytes, FileState.OPEN)

    @classmethod
    def resume(
        cls, recovered: Recovered, clock: Clock, flush_bytes: int = FLUSH_BYTES
    ) -> EventFileWriter:
        """Go on with a file that was recovered.

        Raises:
            OSError: It cannot be opened, or its side-car not be replaced.
        """
        data = DataFile(recovered.path, recovered.size)
        try:
            index = IndexFile(
                recovered.path,
                recovered.file_check,
                recovered.size,
                size=recovered.index_size,
                before=recovered.events,
            )
        except OSError:
            data.close()
            raise
        writer = cls.__new__(cls)
        writer._begin(recovered.header, data, index, recovered.tally)  # noqa: SLF001 (its own)
        writer._set(clock, flush_bytes, recovered.state)  # noqa: SLF001 (its own)
        return writer

    def _begin(self, header: FileHeader, data: DataFile, index: IndexFile, tally: Tally) -> None:
        self.path = final_path(data.path)
        self.header = header
        self._data, self._index, self._tally = data, index, tally
        self._digest = FileDigest(data.descriptor)
        self._waiting: list[Records] = []
        self._waiting_events = self._waiting_bytes = 0
        self._trailer: FileTrailer | None = None
        self._problem = ""

    def _set(self, clock: Clock, flush_bytes: int, state: FileState) -> None:
        self._clock = clock
        self._flush_bytes = flush_bytes
        self.state = state
        self._tell()

    @property
    def part(self) -> Path:
        """How it is called while it is not closed."""
        return self._data.path

    @property
    def events(self) -> int:
        """Events that were appended, also those that wait."""
        return self._tally.events + self._waiting_events

    @property
    def size_bytes(self) -> int:
        """Bytes of all records that were appended, frames included."""
        return self._data.size + self._waiting_bytes

    @property
    def written_bytes(self) -> int:
        """Of these handed to the system."""
        return self._data.size

    @property
    def durable_bytes(self) -> int:
        """Of these synced to the disk."""
        return self._data.durable

    @property
    def waiting_bytes(self) -> int:
        """What ``flush`` would write."""
        return self._waiting_bytes

    @property
    def events_range(self) -> tuple[int, int] | None:
        """Least and greatest event number that is written; None: no event is."""
        return self._tally.events_range

    @property
    def lbns(self) -> tuple[int, int] | None:
        """The same of luminosity blocks."""
        return self._tally.lbns

    def append(self, records: Records) -> None:
        """Take records, of which views are kept; they are written when there are enough of them.

        Raises:
            OSError: What waits could not be written, or not all of it.
        """
        if not len(records):
            return
        self._waiting.append(records)
        self._waiting_events += len(records)
        self._waiting_bytes += records.nbytes
        if self._waiting_bytes >= self._flush_bytes:
            self._write()
            self._index.flush(self._data.durable)
            if self._clock.monotonic() - self._told >= _TELL_S:
                self._tell()

    def note_gap(self, gap: GapNote) -> None:
        """Note in trailer and side-car that messages never came while the file was open."""
        self._tally.note(gap)

    def flush(self) -> None:
        """Hand everything to the system, where the end of the process does not matter.

        Raises:
            OSError: Not all could be written.
        """
        self._write()
        self._index.flush(self._data.durable)
        self._tell()

    def sync(self) -> None:
        """Have everything on the disk: what was appended is durable on return.

        Raises:
            OSError: Not all could be written, or it is not sure to be on the disk.
        """
        self._write()
        self._data.sync()
        self._index.flush(self._data.durable)
        self._tell()

    def unwritten(self) -> list[Records]:
        """Return the records that wait or could not be written, and forget them."""
        waiting, self._waiting = self._waiting, []
        self._waiting_events = self._waiting_bytes = 0
        return waiting

    def close(self, reason: str) -> WrittenFile:
        """Write the trailer, have all on the disk, give the file its name; it never changes again.

        Raises:
            OSError: Not all of this was possible; try again, or ``fail``.
        """
        self._write()
        self._index.flush(self._data.durable)
        if self._trailer is None:
            self._trailer = self._end(reason)
        self._data.sync()
        digest = self._digest.finish(self._data.size)
        self._index.finish()
        self.state = FileState.CLOSED
        finish_side_car(self.path, self._side_car(digest))
        self._data.seal()
        if self.path.exists():
            raise FileExistsError(17, "there is such an event file already", str(self.path))
        self.part.rename(self.path)
        fsync_folder(self.path.parent)
        self._release()
        return self.describe(digest)

    def fail(self, reason: str) -> WrittenFile:
        """End the file in ERROR; what is whole in it stays readable, under its ``.part`` name."""
        self.state, self._problem = FileState.ERROR, reason
        try:
            self._index.flush(self._data.durable)
            self._tell()
        except OSError as error:
            log.warning("%s: what is told beside it is not up to date: %s", self.part, error)
        self._release()
        return self.describe()

    def describe(self, digest: str = "") -> WrittenFile:
        """Return what is told of the file."""
        summary = self._tally.summary(self._data.size)
        return WrittenFile(
            path=str(self.path if self.state is FileState.CLOSED else self.part),
            stream=self.header.stream.name,
            kind=self.header.kind,
            state=self.state,
            events=summary.events,
            size_bytes=self._data.size,
            durable_bytes=self._data.durable,
            first_event=summary.first_event,
            last_event=summary.last_event,
            first_lbn=summary.first_lbn,
            last_lbn=summary.last_lbn,
            digest=digest,
            reason_closed=self._trailer.reason_closed if self._trailer else "",
            problem=self._problem,
        )

    def _write(self) -> None:
        """Write what waits.

        Raises:
            OSError: Not all could be written; the rest waits.
        """
        if not self._waiting:
            return
        batch = self._waiting
        entries = np.concatenate([entries_of(each) for each in batch])
        parts = [span for records in batch for span in records.spans()]
        count, error = self._data.write(parts, entries["size"].astype(np.int64))
        self._account(entries[:count])
        self._waiting = _behind(batch, count)
        self._waiting_events -= count
        self._waiting_bytes -= int(entries["size"][:count].sum(dtype=np.int64))
        if error is not None:
            raise error

    def _account(self, entries: Entries) -> None:
        self._tally.add(entries)
        self._index.add(entries)
        self._digest.advance(self._data.size)

    def _end(self, reason: str) -> FileTrailer:
        trailer = FileTrailer(
            summary=self._tally.summary(self._data.size),
            closed=self._clock.utc(),
            reason_closed=reason,
            crc=self._tally.crc,
        )
        self._data.append(encode_trailer(trailer))
        return trailer

    def _tell(self) -> None:
        self._told = self._clock.monotonic()
        replace_side_car(self.path, self._side_car(""))

    def _side_car(self, digest: str) -> SideCar:
        return SideCar(
            file=self.path.name,
            header=self.header,
            summary=self._trailer.summary
            if self._trailer
            else self._tally.summary(self._data.size),
            state=self.state,
            updated=self._clock.utc(),
            trailer=self._trailer,
            digest=digest,
            problem=self._problem,
            durable_bytes=self._data.durable if self.state is FileState.ERROR else None,
        )

    def _release(self) -> None:
        self._digest.stop()
        self._index.close()
        self._data.close()


def _behind(batch: list[Records], count: int) -> list[Records]:
    """Return what is left of records of which so many are written."""
    for number, records in enumerate(batch):
        if count < len(records):
            return [records.tail(count), *batch[number + 1 :]]
        count -= len(records)
    return []
