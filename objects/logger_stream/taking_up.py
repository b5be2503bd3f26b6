"""How a stream goes on with the files that a start of the logger before this one has left."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from idl_like_interfaces.event_logger import FileKind, FileState, WrittenFile
from objects.logger_stream.file_set import NO_ROOM, FileSet
from objects.logger_stream.files.layout import parts_of_name
from objects.logger_stream.files.writer import EventFileWriter
from objects.logger_stream.live_file import LiveFile
from objects.logger_stream.ranges import GARBAGE, last_unit_of, unit_of
from objects.logger_stream.surroundings import LEFT, MISMATCH, Surroundings, Takeover

_GOES_ON = (NO_ROOM, LEFT, MISMATCH)
"""Why files were closed whose ranges were not over."""


def take_up(takeover: Takeover, files: FileSet, around: Surroundings) -> tuple[int, int]:
    """Give the files to the new stream; return the events and bytes that are in them."""
    for file in takeover.finished:
        files.knows(file)
        if _owns_range(file):
            files.ranges.closed_up_to(last_unit_of(file, files.rules))
    _take_up_writers(takeover.writers, files, around)
    described = [*takeover.finished, *(each.describe() for each in takeover.writers)]
    garbage = [each for each in described if each.kind is FileKind.GARBAGE]
    files.garbage = sum(each.events for each in garbage)
    files.begin_at(_next_number(described), len(garbage))
    return sum(each.events for each in described), sum(each.size_bytes for each in described)


def _owns_range(file: WrittenFile) -> bool:
    """Tell whether later events of its range are garbage.

    The range of a file that failed, or was closed before its time, goes on in the next one.
    """
    is_closed = file.state is FileState.CLOSED and file.kind is FileKind.EVENTS
    return is_closed and not file.reason_closed.startswith(_GOES_ON)


def _take_up_writers(
    writers: Iterable[EventFileWriter], files: FileSet, around: Surroundings
) -> None:
    """Go on with files that were not closed: the one with the newest range may be open."""
    ranked = sorted(writers, key=lambda each: (_top(each, files), each.header.sequence))
    events = [each for each in ranked if each.header.kind is FileKind.EVENTS]
    now = around.clock.monotonic()
    for writer in ranked:
        [volume] = around.volumes.of([str(writer.part.parent.parent)])
        if writer.header.kind is not FileKind.EVENTS:
            _adopt(LiveFile(writer, volume, GARBAGE), files)
            continue
        # Of two that were open the older one had become full just before the crash.
        is_end = writer.state is FileState.END or writer is not events[-1]
        top, size = _top(writer, files), writer.size_bytes
        slot = files.ranges.take_up(top, writer.events, size, now, is_end=is_end)
        file = LiveFile(writer, volume, slot.number)
        if is_end:
            file.end(slot.end)
        _adopt(file, files)


def _adopt(file: LiveFile, files: FileSet) -> None:
    # Nobody knows how much of it the system had put on the disk: the first sync does it.
    file.is_dirty = True
    files.adopt(file)


def _top(writer: EventFileWriter, files: FileSet) -> int:
    if not writer.events:
        return -1
    event, lbn = writer.events_range or (0, 0), writer.lbns or (0, 0)
    return unit_of(event[1], lbn[1], files.rules)


def _next_number(files: Iterable[WrittenFile]) -> int:
    """Return the first number behind those of all files."""
    found = [parts_of_name(Path(each.path)) for each in files if each.kind is FileKind.EVENTS]
    return max((parts[2] for parts in found if parts), default=-1) + 1
