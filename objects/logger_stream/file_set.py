"""The files of one stream in one run: what goes into which, and what is done when one fails.

For one thread; what any thread may ask says so.
"""

from __future__ import annotations

import errno
import itertools
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from idl_like_interfaces.event_logger import (
    FileKind,
    FileState,
    GapNote,
    StreamConfiguration,
    WrittenFile,
)
from objects.component.atomic import PART_SUFFIX
from objects.logger_stream.backlog import Backlog
from objects.logger_stream.live_file import LiveFile, Tail, begin_file
from objects.logger_stream.ranges import GARBAGE, Ranges, Slot, units_of
from objects.logger_stream.records import Records
from objects.logger_stream.rules import Rules
from objects.logger_stream.space import Level
from objects.logger_stream.surroundings import Surroundings
from objects.logger_stream.volumes import NO_ROOM as NO_ROOM_ERRORS
from objects.logger_stream.volumes import choose

log = logging.getLogger(__name__)

NO_ROOM: Final = "no room"
"""Begins the reason of a file that was closed before it was full: its range goes on elsewhere."""

_OF_THE_PROCESS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Errors that are not the disk's: other files are in the way, what was tried is tried again."""

_MOST_GAPS: Final = 1000

_OVERGROWN: Final = 2
"""Of a full file that has so many times its limit it is told."""


class NowhereToWrite(Exception):
    """No volume takes a file now; the text says why. What was to be written is kept."""


class FileSet:
    """The files of a stream.

    Args:
        configuration: Of the stream; with its volumes.
        around: Where it runs.

    Attributes:
        rules: How it is written.
        ranges: Which file owns what.
        garbage: Events that came too late for their file.
    """

    def __init__(self, configuration: StreamConfiguration, around: Surroundings) -> None:
        self.rules = Rules.of(configuration.parameters)
        self.ranges = Ranges(self.rules)
        self.garbage = 0
        self._configuration = configuration
        self._around = around
        self._volumes = around.volumes.of(configuration.parameters.volumes or ["."])
        self._numbers = {False: itertools.count(), True: itertools.count()}
        self._live: dict[int, LiveFile] = {}
        self._finished: list[WrittenFile] = []
        self._backlog = Backlog(self._tell_lost)
        self._gaps: deque[GapNote] = deque(maxlen=_MOST_GAPS)

    @property
    def live(self) -> list[LiveFile]:
        """Files that take events; any thread may ask."""
        return list(self._live.values())

    @property
    def volume(self) -> str:
        """Where it writes; empty: nowhere at the moment."""
        live = self.live
        return str(live[-1].volume.path) if live else ""

    @property
    def is_dirty(self) -> bool:
        """Whether something is not on the disk yet."""
        return bool(self._backlog) or any(each.is_dirty for each in self.live)

    @property
    def is_stale(self) -> bool:
        """Whether something was not handed to the system yet, or not told in a side-car."""
        return any(each.is_stale for each in self.live)

    def describe(self) -> list[WrittenFile]:
        """Return all files, those that take events at the end; any thread may ask."""
        live = self.live
        described = [each.describe() for each in live]
        finished = list(self._finished)
        # One that has just been closed may be among both.
        names = {_name(each) for each in finished[-len(live) - 1 :]}
        return [*finished, *(each for each in described if _name(each) not in names)]

    def note_gap(self, gap: GapNote) -> None:
        """Have it told by the files that take events, else by the next one."""
        self._gaps.append(gap)
        self._tell_gaps()

    def adopt(self, live: LiveFile) -> None:
        """Go on with a file."""
        self._live = {**self._live, live.slot: live}

    def knows(self, file: WrittenFile) -> None:
        """Take note of a file that will not change any more."""
        self._finished.append(file)

    def begin_at(self, number: int, garbage: int) -> None:
        """Have the next files, and those for garbage, these numbers."""
        self._numbers = {False: itertools.count(number), True: itertools.count(garbage)}

    def write(self, records: Records) -> None:
        """Append records to the files to which they belong.

        Raises:
            NowhereToWrite: Not all could be appended; ``drain`` goes on with the rest.
        """
        now = self._around.clock.monotonic()
        index = records.index
        oversized = self.ranges.oversized
        for placement in self.ranges.place(units_of(index, self.rules), index["size"], now):
            rows = placement.rows
            part = records if rows is None else Records(records.view, index[rows])
            if placement.slot == GARBAGE:
                self._note_garbage(len(part))
            self._backlog.put(placement.slot, part)
        if self.ranges.oversized > oversized:
            self._tell_oversized(is_first=not oversized)
        self.drain()
        self._tell_ends()

    def drain(self) -> None:
        """Append what waits for a file.

        Raises:
            NowhereToWrite: Not all could be appended.
        """
        while (found := self._backlog.peek()) is not None:
            slot, part = found
            file = self._live.get(slot) or self._begin(slot)
            self._backlog.pop()
            try:
                file.append(part)
            except OSError as error:
                self._fail(file, error)

    def flush(self) -> None:
        """Hand all to the system.

        Raises:
            NowhereToWrite: Not all could be written.
        """
        for file in self.live:
            if file.is_stale:
                self._try(file, file.flush)
        self.drain()

    def sync(self) -> None:
        """Have all on the disk.

        Raises:
            NowhereToWrite: Not all could be written.
        """
        while self.is_dirty:
            self.drain()
            for file in self.live:
                if file.is_dirty:
                    self._try(file, file.sync)

    def tend(self) -> None:
        """End files that are too old, close those whose time is over, leave volumes that are full.

        Raises:
            NowhereToWrite: Not all could be written.
        """
        now = self._around.clock.monotonic()
        self.ranges.age(now)
        for file in self.live:
            if file.volume.level >= Level.PAUSE:
                self._leave(file)
        self.ranges.due(now)
        present = {GARBAGE, *(slot.number for slot in self.ranges.live)}
        for file in self.live:
            if file.slot not in present:
                self._close(file, file.reason)
        self._tell_ends()
        self.drain()

    def close_early(self, reason: str) -> None:
        """Close the files that are live; what still comes for their ranges begins others.

        Raises:
            NowhereToWrite: Not all could be written.
        """
        self.drain()
        for file in self.live:
            self._close(file, reason)

    def close(self, reason: str) -> None:
        """Close all files.

        Raises:
            NowhereToWrite: Not all could be written; call it again.
        """
        while self._backlog or self._live:
            self.drain()
            for file in self.live:
                self._close(file, file.reason or reason)

    def give_up(self, reason: str) -> int:
        """Forget what could not be written, and end all files; return how many events are lost."""
        lost = self._backlog.give_up()
        for file in self.live:
            written, unwritten, tail = file.give_up(reason)
            lost += sum(len(each) for each in unwritten) + (tail.missing if tail else 0)
            self._retire(file, written)
        return lost

    def _begin(self, number: int) -> LiveFile:
        is_garbage = number == GARBAGE
        kind = FileKind.GARBAGE if is_garbage else FileKind.EVENTS
        while True:
            volume = choose(self._volumes)
            if volume is None:
                raise NowhereToWrite(self._why_not())
            try:
                writer = begin_file(
                    self._around, self._configuration, volume, self._numbers[is_garbage], kind,
                    self.rules.flush_bytes,
                )  # fmt: skip
            except OSError as error:
                if error.errno in _OF_THE_PROCESS:
                    raise NowhereToWrite(str(error)) from error
                log.warning("%s: no file can be begun there: %s", volume.path, error)
                volume.failed(error)
                continue
            file = LiveFile(writer, volume, number)
            self.adopt(file)
            self._tell_gaps()
            self._around.listener.file_opened(file.describe())
            return file

    def _close(self, file: LiveFile, reason: str) -> None:
        try:
            written = file.close(reason)
        except OSError as error:
            self._fail(file, error)
            return
        self._retire(file, written)

    def _try(self, file: LiveFile, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:
            self._fail(file, error)

    def _fail(self, file: LiveFile, error: OSError) -> None:
        """Keep what a file has, and have what it has not written again to another one."""
        if error.errno in _OF_THE_PROCESS:
            raise NowhereToWrite(str(error)) from error  # the file can be tried again
        file.volume.failed(error)
        if error.errno in NO_ROOM_ERRORS and self._close_early(file):
            return
        log.error("%s cannot be written: %s", file.writer.part, error)
        written, unwritten, tail = file.give_up(str(error))
        self._backlog.put_back(file.slot, unwritten)
        if tail is not None:
            self._backlog.put_tail(file.slot, tail)
        self._retire(file, written)

    def _close_early(self, file: LiveFile) -> bool:
        """Close a file in good order because its volume is full; return whether that was done."""
        if file.may_have_lost:
            return False
        self._backlog.put_back(file.slot, file.writer.unwritten())
        file.volume.ballast.free()
        try:
            written = file.close(f"{NO_ROOM} on {file.volume.path}")
        except OSError as error:
            log.warning("%s could not be closed: %s", file.writer.part, error)
            return False
        self._retire(file, written)
        return True

    def _retire(self, file: LiveFile, written: WrittenFile) -> None:
        """Count a file among the finished; what still comes for its slot begins another."""
        self._finished.append(written)
        self._live = {slot: each for slot, each in self._live.items() if each is not file}
        self.ranges.renewed(file.slot, self._around.clock.monotonic())
        listener = self._around.listener
        tell = listener.file_failed if written.state is FileState.ERROR else listener.file_closed
        tell(written)

    def _leave(self, file: LiveFile) -> None:
        """Write no more to a full volume; on one that is nearly full begin nothing new."""
        if file.volume.level >= Level.CLOSE:
            self._close(file, f"{NO_ROOM} on {file.volume.path}")
            return
        present, other = self.ranges.open, choose(self._volumes)
        is_open = present is not None and present.number == file.slot
        if is_open and other is not None and other.level < Level.PAUSE:
            self.ranges.end_open(f"little room on {file.volume.path}")

    def _tell_lost(self, tail: Tail) -> None:
        reason = f"{tail.path}: what was not synced cannot be read back"
        self._around.listener.events_lost(self._configuration.name, tail.missing, reason)

    def _tell_ends(self) -> None:
        for slot in self.ranges.live:
            if slot.end and (file := self._live.get(slot.number)):
                file.end(slot.end)
                self._tell_overgrown(file, slot)

    def _tell_oversized(self, *, is_first: bool) -> None:
        # Whoever sends one sends many: the first is warned of.
        text = "stream %s of run %d: %d events by now were larger than a file may be, %s bytes"
        log.log(
            logging.WARNING if is_first else logging.DEBUG,
            text,
            self._configuration.name,
            self._around.run,
            self.ranges.oversized,
            self.rules.max_bytes,
        )

    def _tell_overgrown(self, file: LiveFile, slot: Slot) -> None:
        """Warn once of a file that goes on growing: one event of a far range makes it own all."""
        limit = self.rules.max_bytes
        if limit is None or slot.bytes <= _OVERGROWN * limit or file.is_told:
            return
        file.is_told = True
        text = "%s has %d times its limit of bytes: all events up to range %d belong to it"
        log.warning(text, file.writer.part, slot.bytes // limit, slot.top)

    def _tell_gaps(self) -> None:
        files = [each for each in self.live if each.slot != GARBAGE]
        while files and self._gaps:
            gap = self._gaps.popleft()
            for each in files:
                each.note_gap(gap)

    def _note_garbage(self, count: int) -> None:
        if not self.garbage:
            text = "stream %s of run %d: events of ranges that are closed go to the garbage file"
            log.warning(text, self._configuration.name, self._around.run)
        self.garbage += count

    def _why_not(self) -> str:
        found = [each.problem or f"{each.path}: too little room" for each in self._volumes]
        return "; ".join(found)


def _name(file: WrittenFile) -> str:
    return file.path.removesuffix(PART_SUFFIX)
