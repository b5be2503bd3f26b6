"""The files of a journal, one behind the other: the newest grows, the oldest go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from objects.component.clock import Clock
from objects.messaging.chunk import Chunk
from objects.messaging.disk_recovery import Content
from objects.messaging.journal_folder import JournalFolder
from objects.messaging.segment_bodies import Times, encode_checkpoint, encode_chunk
from objects.messaging.segment_file import SegmentFile
from objects.messaging.segments import Kind, Label, Parts, mark_of
from objects.messaging.storage import Checkpoint

Create: TypeAlias = Callable[[Path], SegmentFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """A file; ``last`` is its newest event, 0 when there is none."""

    path: Path
    size: int
    last: int


class SegmentSeries:
    """Each file begins with a checkpoint, and ends when events take a number of bytes in it.

    Args:
        folder: Where the files are.
        segment_bytes: That number.
        clock: The time.
        create: Makes a file.

    Attributes:
        mark: Of the epoch.
    """

    def __init__(
        self, folder: JournalFolder, segment_bytes: int, clock: Clock, create: Create
    ) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._clock = clock
        self._create = create
        self._ended: list[_Segment] = []
        self._writer: SegmentFile | None = None
        self._head_bytes = self._last = 0
        self.mark = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a file that grows."""
        return self._writer is not None

    @property
    def is_full(self) -> bool:
        """Whether the next event belongs into a new file."""
        writer = self._writer
        return writer is not None and writer.size - self._head_bytes >= self._segment_bytes

    @property
    def count(self) -> int:
        """Files."""
        return len(self._ended) + self.is_open

    @property
    def size(self) -> int:
        """Bytes of all files."""
        writer = self._writer  # another thread may end it
        return sum(each.size for each in self._ended) + (writer.size if writer else 0)

    def adopt(self, contents: list[Content], epoch: str) -> None:
        """Begin with files that were found."""
        self.mark = mark_of(epoch)
        self._ended = [
            _Segment(path=each.path, size=each.size, last=each.last)
            for each in contents
            if each.size or each.faults
        ]

    def begin(self, checkpoint: Checkpoint) -> None:
        """Begin a file.

        Raises:
            OSError: It was not possible; there is none that grows.
        """
        self.end()
        self.mark = mark_of(checkpoint.epoch)
        writer = self._create(self._folder.next_segment())
        try:
            writer.append_all(self._head(checkpoint))
            self._folder.sync_names()
        except OSError:
            writer.close()
            with suppress(OSError):
                writer.path.unlink()
            raise
        self._writer, self._head_bytes, self._last = writer, writer.size, 0

    def _head(self, checkpoint: Checkpoint) -> Iterator[tuple[Label, Parts]]:
        label = Label(kind=Kind.CHECKPOINT, sequence=checkpoint.last, mark=self.mark)
        yield label, encode_checkpoint(checkpoint)
        times = Times.now(self._clock)
        for chunk in checkpoint.latest:
            label = Label(kind=Kind.LATEST, sequence=chunk.first, mark=self.mark)
            yield label, encode_chunk(chunk, times)

    def append(self, chunk: Chunk) -> None:
        """Write a chunk into the file that grows.

        Raises:
            OSError: It was not possible; nothing grows any more.
        """
        assert self._writer is not None
        label = Label(kind=Kind.EVENTS, sequence=chunk.first, mark=self.mark)
        try:
            self._writer.append(label, encode_chunk(chunk, Times.now(self._clock)))
        except OSError:
            self.end()
            raise
        self._last = chunk.last

    def end(self) -> None:
        """Let the newest file grow no more."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        self._ended.append(_Segment(path=writer.path, size=writer.size, last=self._last))
        writer.close()

    def sync(self) -> None:
        """Have the newest file on the medium.

        Raises:
            OSError: It is not sure to be there.
        """
        if self._writer is not None:
            self._writer.sync()

    def sync_ended(self) -> None:
        """Have the files that grow no more on the medium, if the new ones shall be.

        Raises:
            OSError: One is not sure to be there.
        """
        self._folder.sync_files([each.path for each in self._ended])

    def trim(self, first_held: int) -> None:
        """Remove the oldest files in which no event is held any more; the newest one stays.

        Raises:
            OSError: One of them could not be removed.
        """
        while self.count > 1 and self._ended and self._ended[0].last < first_held:
            self._folder.remove(self._ended[0].path)
            del self._ended[0]
