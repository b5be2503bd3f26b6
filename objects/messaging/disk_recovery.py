"""What a journal's files still tell: all that can be read of them, and what is missing."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from pathlib import Path

from objects.messaging.chunk import Chunk
from objects.messaging.segment_bodies import (
    Times,
    UnreadableBody,
    decode_checkpoint,
    decode_chunk,
)
from objects.messaging.segments import Kind, Record, mark_of, scan
from objects.messaging.storage import Checkpoint

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Content:
    """What one file tells.

    Attributes:
        path: Of the file.
        size: Bytes.
        mark: Of the epoch; ``None``: nothing in it can be read.
        checkpoint: From its begin; ``None``: it cannot be read.
        chunks: In order.
        faults: What is damaged, in words.
        torn: Where a record begins that was not finished.
    """

    path: Path
    size: int = 0
    mark: int | None = None
    checkpoint: Checkpoint | None = None
    chunks: list[Chunk] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    torn: int | None = None

    @property
    def last(self) -> int:
        """Sequence number of the newest event in it; 0: there is none."""
        return self.chunks[-1].last if self.chunks else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What all files of one epoch tell.

    Attributes:
        checkpoint: The newest.
        chunks: All that can be read, each once, in order.
        forgotten: Events up to this one were held no longer.
        contents: By file, the oldest first.
        foreign: Files of other epochs.
    """

    checkpoint: Checkpoint
    chunks: list[Chunk]
    forgotten: int
    contents: list[Content]
    foreign: list[Content]

    @property
    def last(self) -> int:
        """Sequence number of the newest event that is told of."""
        return max(self.checkpoint.last, self.chunks[-1].last if self.chunks else 0)

    def holes(self, last: int) -> Iterator[tuple[int, int]]:
        """Yield first and last number of the events that are missing up to one."""
        ends = [(0, self.forgotten), *((each.first, each.last) for each in self.chunks)]
        for (_, before), (first, _) in pairwise([*ends, (last + 1, last + 1)]):
            if first > before + 1:
                yield before + 1, first - 1


def read_segment(path: Path, times: Times) -> Content:
    """Read a file, whatever became of it."""
    content = Content(path=path)
    try:
        data = path.read_bytes()
    except OSError as error:
        content.faults.append(f"it cannot be read: {error.strerror}")
        return content
    found = scan(data)
    content.size, content.torn = len(data), found.torn
    content.faults += [f"{each.reason}, at byte {each.begin}" for each in found.damages]
    _take(content, found.records, times)
    if content.checkpoint is None and not content.faults and content.mark is not None:
        content.faults.append("it does not begin with a checkpoint")
    return content


def _take(content: Content, records: list[Record], times: Times) -> None:
    """Sort the records of one epoch into what they tell."""
    latest: list[Chunk] = []
    for record in records:
        content.mark = record.label.mark if content.mark is None else content.mark
        try:
            _take_one(content, record, latest, times)
        except UnreadableBody as fault:
            content.faults.append(f"{fault}, before byte {record.end}")


def _take_one(content: Content, record: Record, latest: list[Chunk], times: Times) -> None:
    if record.label.mark != content.mark:
        raise UnreadableBody("a record of another epoch")
    match record.label.kind:
        case Kind.CHECKPOINT:
            content.checkpoint = decode_checkpoint(record, latest)
        case Kind.LATEST:
            latest.append(decode_chunk(record, times))
        case Kind.EVENTS:
            content.chunks.append(decode_chunk(record, times))
        case _:
            pass  # what a later version may write


def combine(contents: list[Content]) -> Found | None:
    """Put together what the files tell; ``None``: no checkpoint can be read.

    The newest checkpoint says which epoch counts.
    """
    checkpoints = [each.checkpoint for each in contents if each.checkpoint is not None]
    if not checkpoints:
        return None
    newest = checkpoints[-1]
    mark = mark_of(newest.epoch)
    own = [each for each in contents if each.mark in (mark, None)]
    chunks = _in_order(own)
    first = chunks[0].first if chunks else newest.last + 1
    oldest = next(each for each in own if each.mark is not None).checkpoint
    return Found(
        checkpoint=newest,
        chunks=chunks,
        forgotten=first - 1 if oldest is None else min(oldest.last, first - 1),
        contents=own,
        foreign=[each for each in contents if each not in own],
    )


def _in_order(contents: list[Content]) -> list[Chunk]:
    """Return all chunks; what was written a second time after a failure only once."""
    chunks: list[Chunk] = []
    last = 0
    for content in contents:
        for chunk in content.chunks:
            if chunk.first > last:
                chunks.append(chunk)
                last = chunk.last
            elif chunk.last > last:
                content.faults.append(f"the numbers {chunk.first} to {chunk.last} overlap others")
    return chunks


def judge_ends(found: Found, last: int) -> None:
    """Call a file damaged behind whose last record events are missing.

    The newest may end within a record: it was being written when the channel was killed. An older
    one may, too, if the disk failed and the event was written into the next.
    """
    for content in found.contents[:-1]:
        if content.mark is None and not content.faults:
            content.faults.append("nothing in it can be read")
    missing = dict(found.holes(last))
    end = found.forgotten
    for content, following in zip_longest(found.contents, found.contents[1:]):
        begin = content.checkpoint.last if content.checkpoint else 0
        end = content.last or max(end, begin)
        if content.faults or end + 1 not in missing:
            continue
        # The next one begins with what was known when this one ended.
        if following is None or (following.checkpoint and following.checkpoint.last > end):
            content.faults.append(f"the events {end + 1} to {missing[end + 1]} should follow")


def cut_torn(content: Content) -> None:
    """Cut off the record with which the channel was killed; a damaged file stays as it is."""
    if content.faults or (content.torn is None and content.size):
        return
    cut_at = content.torn or 0
    log.warning(
        "%s: %d batches are kept; the last record was not finished, and its %d bytes are cut",
        content.path,
        len(content.chunks),
        content.size - cut_at,
    )
    try:
        if cut_at:
            os.truncate(content.path, cut_at)
        else:
            content.path.unlink()
    except OSError as error:
        log.warning("%s cannot be cut, and is read as if it were: %s", content.path, error)
    else:
        content.size = cut_at
