"""A journal on disk as a test uses it: who writes, what must be there, disks that fail."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from typing_extensions import override

from idl_like_interfaces.event_quality import QoS
from objects.messaging.chunk import Chunk
from objects.messaging.disk_journal import DiskJournal
from objects.messaging.segment_file import SegmentFile
from objects.messaging.segments import Parts
from objects.messaging.storage import Checkpoint, DurableCursor, Recovered, SupplierAccount
from tests.support.batches import make_batch
from tests.support.clock import ManualClock

EPOCH = "20260102T030405-0000000a"


class Keeper:
    """Writes what a channel would, and remembers it.

    Attributes:
        chunks: All that were appended.
        point: What is told in a checkpoint.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.journal = DiskJournal(folder, clock=self.clock, **settings)
        self.chunks: list[Chunk] = []
        self.durables: list[DurableCursor] = []
        self.epoch = EPOCH

    def recover(self) -> Recovered | None:
        """Begin with what was kept, and go on."""
        found = self.journal.recover()
        self.chunks = list(found.chunks) if found else []
        self.journal.attend(self.point)
        return found

    @property
    def last(self) -> int:
        """The newest event."""
        return self.chunks[-1].last if self.chunks else 0

    def point(self) -> Checkpoint:
        """Tell what the channel would know."""
        latest = {chunk.batch.topics[0]: chunk for chunk in self.chunks}
        return Checkpoint(
            epoch=self.epoch,
            last=self.last,
            suppliers=[
                SupplierAccount(
                    source="obs/test",
                    incarnation="i1",
                    next=self.last + 1,
                    accepted=self.last,
                    duplicates=0,
                    missing=0,
                )
            ],
            topics={"a": self.last},
            latest=sorted(latest.values(), key=lambda chunk: chunk.first),
            durables=self.durables,
        )

    def append(self, *topics: str) -> Chunk:
        """Accept a batch with one event for each topic."""
        batch = make_batch(self.last + 1, topics or ["a"])
        chunk = Chunk(
            first=self.last + 1, count=len(batch.records), batch=batch, came=self.clock.monotonic()
        )
        self.chunks.append(chunk)
        self.journal.append(chunk, self.point)
        return chunk

    def fill(self, batches: int) -> None:
        """Accept batches of three events."""
        for _ in range(batches):
            self.append("a", "b", "a")

    def left(self, name: str = "left") -> Keeper:
        """Return who finds the folder as it would be after a kill -9 now."""
        copy = self.folder.with_name(name)
        shutil.copytree(self.folder, copy)
        return Keeper(copy)


def durable(name: str, sequence: int, epoch: str = EPOCH) -> DurableCursor:
    """A durable subscription."""
    return DurableCursor(name=name, topics=["**"], qos=QoS(), cursor=f"{epoch}:{sequence}")


class Disk:
    """Has room for so many bytes, and then is full; ``None``: for any number.

    Attributes:
        room: So many.
        may_create: New files can be made.
        files: All that were made.
    """

    def __init__(self, room: int | None = None) -> None:
        self.room = room
        self.may_create = True
        self.files: list[FullFile] = []

    def create(self, path: Path) -> SegmentFile:
        """Make a file on it."""
        self.files.append(FullFile(path, self))
        return self.files[-1]


class FullFile(SegmentFile):
    """A file on such a disk."""

    def __init__(self, path: Path, disk: Disk) -> None:
        if disk.room == 0 or not disk.may_create:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        super().__init__(path, sync=False)
        self._disk = disk

    @override
    def write(self, parts: Parts) -> None:
        joined = b"".join(parts)
        room = self._disk.room
        if room is None or room >= len(joined):
            super().write([joined])
            self._disk.room = None if room is None else room - len(joined)
            return
        super().write([joined[:room]])
        self._disk.room = 0
        raise OSError(errno.ENOSPC, "No space left on device")


def same(found: Sequence[Chunk], wanted: Sequence[Chunk]) -> bool:
    """Compare chunks but for when they came, which is rounded."""
    return [_facts(each) for each in found] == [_facts(each) for each in wanted]


def _facts(chunk: Chunk) -> tuple[Any, ...]:
    return chunk.first, chunk.count, chunk.batch, chunk.missing


def segments(folder: Path) -> list[Path]:
    """Return the files of a journal, the oldest first."""
    return sorted(folder.glob("*.events"))


def change(path: Path, how: Callable[[bytearray], None]) -> None:
    """Spoil a file."""
    content = bytearray(path.read_bytes())
    how(content)
    path.write_bytes(content)
