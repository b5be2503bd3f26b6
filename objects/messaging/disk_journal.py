"""The journal on disk: what the channel accepts is written before anybody hears of it."""

from __future__ import annotations

import errno
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from typing_extensions import override

from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.events import JournalStats
from objects.component.clock import Clock, SystemClock
from objects.messaging.chunk import Chunk
from objects.messaging.disk_start import boot_id, read_journal
from objects.messaging.journal_folder import CURSORS, STATE, JournalFolder
from objects.messaging.segment_bodies import State, Times, encode_cursors, encode_state
from objects.messaging.segment_file import SegmentFile
from objects.messaging.segment_series import Create, SegmentSeries
from objects.messaging.segments import Kind, Label
from objects.messaging.storage import Checkpoint, DurableCursor, Recovered, Storage
from objects.messaging.troubles import Troubles

log = logging.getLogger(__name__)

SEGMENT_BYTES = 8 * 1024 * 1024
RETRY_S = 1.0
CURSORS_S = 1.0

_MAY_PASS = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
_EVENTS, _STATE, _CURSORS, _FILES = "events", "state", "cursors", "files"

CheckpointOf: TypeAlias = Callable[[], Checkpoint]


class DiskJournal(Storage):
    """A folder of files to which records are appended.

    Its file ``state`` exists only while every accepted event is on disk: so a restarted channel
    never gives the number of an event that was in memory only to another one.

    Args:
        path: The folder.
        segment_bytes: A new file is begun when events take so much of one.
        sync: Acknowledged events survive the end of the host, too.
        clock: The time.
        create: Makes a file; ``None``: on the disk.
    """

    def __init__(
        self,
        path: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        sync: bool = False,
        clock: Clock | None = None,
        create: Create | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._sync = sync
        self._folder = JournalFolder(path, sync=sync)
        create = create or (lambda path: SegmentFile(path, sync=sync))
        self._files = SegmentSeries(self._folder, segment_bytes, self._clock, create)
        self._epoch = ""
        self._last = self._first_held = 0
        self._unwritten: deque[Chunk] = deque()
        self._checkpoint: CheckpointOf | None = None
        self._durables: Callable[[], list[DurableCursor]] | None = None
        self._is_trusted = False
        self._retry_at = self._cursors_at = float("-inf")
        self._troubles = Troubles(f"the journal in {path}", log)
        self._is_closed = False
        self._damaged: list[str] = []

    @override
    def recover(self) -> Recovered | None:
        try:
            self._open()
            start = read_journal(self._folder, Times.now(self._clock))
            self._damaged = self._folder.damaged()
        except OSError as error:
            self._fail(error)
            return None
        if start is None:
            return None
        self._epoch, self._last = start.recovered.checkpoint.epoch, start.recovered.last
        self._files.adopt(start.contents, self._epoch)
        if not self._can_go_on():
            self._epoch = ""
            self._files.adopt([], "")
            return None
        return start.recovered

    def _open(self) -> None:
        try:
            self._folder.open()
        except OSError as error:
            if error.errno in _MAY_PASS:
                raise
            raise BadParam(
                f"the journal of the event channel cannot be kept in {self._folder.path}: "
                f"{error.strerror}",
                field="journal",
                cause="the folder cannot be made or opened",
                remedy="correct its rights, or set another one as 'journal'",
            ) from error

    def _can_go_on(self) -> bool:
        """Tell whether it can be noted that the epoch goes on, or else that it must not again."""
        self._is_trusted = True
        try:
            self._files.sync_ended()
            self._trust()
        except OSError as error:
            self._fail(error)
            return self._distrust()
        return True

    @override
    def append(self, chunk: Chunk, checkpoint: CheckpointOf) -> None:
        if self._is_closed:
            raise PersistStore(
                "the event channel has ended", remedy="publish again when it is restarted"
            )
        self._checkpoint = checkpoint
        self._last = chunk.last
        self._unwritten.append(chunk)
        if _EVENTS not in self._troubles or self._clock.monotonic() >= self._retry_at:
            self._write()
        else:
            self._distrust()

    @override
    def attend(self, checkpoint: CheckpointOf) -> None:
        self._checkpoint = checkpoint
        if self._clock.monotonic() >= self._retry_at:
            self._write(begin=True)
        if self._durables is not None:
            self.keep(self._durables)
        with suppress(OSError):
            self._damaged = self._folder.damaged()

    def _write(self, *, begin: bool = False) -> None:
        """Write all that is not written; what fails is tried again later."""
        try:
            if begin and not self._files.is_open:
                self._begin()
            while self._unwritten:
                self._write_next()
            if not self._is_trusted and self._epoch:
                self._trust()
        except (OSError, BadParam) as error:
            self._fail(error)
        else:
            if self._troubles.end(_EVENTS):
                log.info("the journal is written again, up to event %d", self._last)

    def _write_next(self) -> None:
        if not self._files.is_open:
            self._begin()
        self._files.append(self._unwritten[0])
        self._unwritten.popleft()
        if self._files.is_full:
            self._begin()

    def _begin(self) -> None:
        """Begin a file; its checkpoint may tell of events that are not written yet."""
        assert self._checkpoint is not None
        is_lost = not self._folder.is_open
        if is_lost:
            self._folder.open()
            self._is_trusted = True  # whatever is in it
        if self._unwritten or is_lost:
            self._distrust()
        checkpoint = self._checkpoint()
        self._epoch = checkpoint.epoch
        self._files.begin(checkpoint)
        # What had to stay as the newest one may go now.
        self._trim()

    def _trust(self, last: int | None = None) -> None:
        state = State(epoch=self._epoch, boot=boot_id(), synced=self._sync, last=last)
        label = Label(kind=Kind.STATE, sequence=last or 0, mark=self._files.mark)
        self._folder.replace(STATE, label, encode_state(state))
        self._is_trusted = True

    def _distrust(self) -> bool:
        """Note that there are events in memory only; tell whether that was possible.

        A name can be removed from a full disk.
        """
        if self._is_trusted:
            try:
                self._folder.remove(self._folder.path / STATE)
            except OSError as error:
                self._troubles.begin(_STATE, "that cannot be noted", error)
                return False
            self._is_trusted = False
        self._troubles.end(_STATE)
        return True

    def _fail(self, error: Exception) -> None:
        self._files.end()
        self._retry_at = self._clock.monotonic() + RETRY_S
        if self._unwritten:
            self._distrust()
        self._troubles.begin(_EVENTS, "events are kept in memory only", error)

    @override
    def trim(self, first_held: int) -> None:
        while self._unwritten and self._unwritten[0].last < first_held:
            self._unwritten.popleft()
        self._first_held = first_held
        self._trim()

    def _trim(self) -> None:
        try:
            self._files.trim(self._first_held)
        except OSError as error:
            self._troubles.begin(_FILES, "an old file cannot be removed", error)
        else:
            self._troubles.end(_FILES)

    @override
    def keep(self, durables: Callable[[], list[DurableCursor]]) -> None:
        self._durables = durables
        if self._epoch and self._clock.monotonic() >= self._cursors_at:
            self._write_cursors(durables())

    def _write_cursors(self, durables: list[DurableCursor]) -> None:
        self._cursors_at = self._clock.monotonic() + CURSORS_S
        label = Label(kind=Kind.CURSORS, sequence=self._last, mark=self._files.mark)
        try:
            self._folder.replace(CURSORS, label, encode_cursors(durables))
        except OSError as error:
            self._troubles.begin(_CURSORS, "durable subscriptions cannot be kept", error)
        else:
            self._durables = None
            self._troubles.end(_CURSORS)

    @override
    def stats(self) -> JournalStats:
        return JournalStats(
            folder=str(self._folder.path),
            segments=self._files.count,
            bytes=self._files.size,
            is_writable=not self._unwritten and _EVENTS not in self._troubles,
            problem=self._troubles.text,
            damaged=self._damaged,
        )

    @override
    def close(self) -> None:
        self._is_closed = True
        if not self._epoch:
            self._folder.close()
            return
        self._write()
        if self._durables is not None:
            self._write_cursors(self._durables())
        if self._unwritten:
            log.error("the newest %d batches are lost: they are not on disk", len(self._unwritten))
        else:
            self._note_end()
        self._files.end()
        self._folder.close()

    def _note_end(self) -> None:
        try:
            self._files.sync()
            self._trust(self._last)
        except OSError as error:
            log.warning("the journal cannot be ended in good order: %s", error)
