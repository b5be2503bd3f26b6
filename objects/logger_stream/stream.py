"""A stream of a run: a thread that writes portions of events to files, in order.

Whoever has events puts them into its queue and never waits; how far they are on the disk is
told by tickets. A disk that fails or is full holds up this stream, nobody else: its queue
fills, and ``put`` takes less or nothing until there is room.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.event_logger import (
    GapNote,
    StreamConfiguration,
    StreamStatus,
    WrittenFile,
)
from idl_like_interfaces.waiting import News
from objects.logger_stream.file_set import FileSet, NowhereToWrite
from objects.logger_stream.portions import Portion, Portions
from objects.logger_stream.rates import Rate
from objects.logger_stream.records import Records
from objects.logger_stream.surroundings import Surroundings, Takeover
from objects.logger_stream.taking_up import take_up

log = logging.getLogger(__name__)

HANGS_S: Final = 5.0
"""A step of the thread that takes longer is told in the status: a disk may hang."""

FILES_TOLD: Final = 32

_IDLE_S: Final = 30.0
_LOOK_S: Final = 1.0


class Stream:
    """A stream; begins at once, with a thread of its own.

    Args:
        configuration: With all its parameters.
        around: Where it runs.
        takeover: Files that an earlier start of the logger has left.

    Attributes:
        configuration: As given.
        room: Told when there is room in its queue.
        synced: Told when more portions are durable.
    """

    def __init__(
        self,
        configuration: StreamConfiguration,
        around: Surroundings,
        takeover: Takeover = Takeover(),  # noqa: B008 (never changed)
    ) -> None:
        self.configuration = configuration
        self.room = News()
        self.synced = News()
        self._around = around
        self._clock = around.clock
        self._files = FileSet(configuration, around)
        rules = self._files.rules
        self._rules = rules
        self._portions = Portions(rules.queue_events, rules.queue_bytes, around.clock)
        self._events, self._bytes = take_up(takeover, self._files, around)
        self._gaps: deque[GapNote] = deque()
        self._rate = Rate(around.clock)
        self._written = self._durable = 0
        self._flushed_at = self._synced_at = self._clock.monotonic()
        self._step_since: float | None = None
        self._problem = ""
        self._reason = "end of run"
        self._close_early = ""
        self._is_aborted = self._has_lost = False
        name = f"stream-{configuration.name}-{around.run}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def last_ticket(self) -> int:
        """Ticket of the portion that was taken last; 0: none was."""
        return self._portions.last_ticket

    @property
    def durable_ticket(self) -> int:
        """All portions up to this one are on the disk."""
        return self._durable

    @property
    def is_ended(self) -> bool:
        """Whether its thread has ended: all its files are closed."""
        return not self._thread.is_alive()

    def put(self, records: Records) -> int:
        """Take leading records as far as there is room; return how many. Never waits."""
        return self._portions.put(records)

    def note_gap(self, gap: GapNote) -> None:
        """Have its files tell of messages that never came."""
        self._gaps.append(gap)
        self.wake()

    def begin_end(self, reason: str) -> None:
        """Take nothing more; write what waits and close all files in its thread."""
        if not self._portions.is_ended:
            self._reason = reason
            self._portions.end()
            self.room.tell()

    def begin_abort(self, reason: str) -> None:
        """The same, but try nothing twice: what cannot be written at once is given up."""
        self._is_aborted = True
        self.begin_end(reason)
        self._portions.wake()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; return whether it has ended."""
        self._thread.join(timeout_s)
        return self.is_ended

    def end(self, reason: str) -> None:
        """Take nothing more, write what waits, close all files; returns when that is done."""
        self.begin_end(reason)
        self.join()

    def abort(self, reason: str) -> None:
        """Close all files at once; returns when that is done."""
        self.begin_abort(reason)
        self.join()

    def close_files(self, reason: str) -> None:
        """Have the files that are live now closed soon; what comes goes to new ones."""
        self._close_early = reason
        self._portions.wake()

    def wake(self) -> None:
        """Have it look at the time now, and at its volumes."""
        self._portions.wake()

    def status(self) -> StreamStatus:
        """Return how it stands; never waits."""
        events, octets = self._portions.waiting
        files = self.files()
        events_s, bytes_s = self._rate.of(self._events, self._bytes)
        return StreamStatus(
            name=self.configuration.name,
            id=self.configuration.id,
            events=self._events,
            bytes=self._bytes,
            events_s=events_s,
            bytes_s=bytes_s,
            queue_events=events,
            queue_bytes=octets,
            blocked_s=self._portions.blocked_s,
            garbage=self._files.garbage,
            files=files[-FILES_TOLD:],
            files_total=len(files),
            volume=self._files.volume,
            problem=self.problem,
        )

    def files(self) -> list[WrittenFile]:
        """Return all its files; those that are live at the end."""
        return self._files.describe()

    @property
    def problem(self) -> str:
        """Why it does not write; empty: it does."""
        since = self._step_since
        hangs_s = 0.0 if since is None else self._clock.monotonic() - since
        if hangs_s < HANGS_S or self._problem:
            return self._problem
        return f"writing to {self._files.volume} hangs since {hangs_s:.0f} s"

    def _run(self) -> None:
        try:
            while self._turn():
                pass
            self._end()
        except Exception as error:
            log.exception("stream %s of run %d", self.configuration.name, self._around.run)
            self._break(f"it has ended by a fault of the program: {error!r}")
        finally:
            self.room.tell()
            self.synced.tell()

    def _break(self, problem: str) -> None:
        """Say that it will not write any more, and what that costs."""
        self._portions.end()
        self._trouble(problem)
        waiting, _ = self._portions.waiting
        if waiting:
            self._around.listener.events_lost(self.configuration.name, waiting, problem)
        with suppress(NowhereToWrite):
            self._files.close(problem)

    def _turn(self) -> bool:
        """Write what waits and do what is due; return whether to go on."""
        portions = self._portions.take(self._wait_s())
        self._step_since = self._clock.monotonic()
        while self._gaps:
            self._files.note_gap(self._gaps.popleft())
        for portion in portions:
            self._write(portion)
        self._insist(self._tend)
        self._step_since = None
        return not self._portions.is_over

    def _write(self, portion: Portion) -> None:
        records = portion.records
        self._insist(lambda: self._files.write(records), self._files.drain)
        self._events += len(records)
        self._bytes += records.nbytes
        self._written = portion.ticket
        self._portions.release(records)
        self.room.tell()
        if self._clock.monotonic() >= self._synced_at + self._rules.sync_period_s:
            self._insist(self._tend)

    def _tend(self) -> None:
        now = self._clock.monotonic()
        if self._close_early:
            self._files.close_early(self._close_early)
            self._close_early = ""
        self._files.tend()
        if not self._files.is_dirty:
            self._synced_at = now
            self._set_durable()
        elif now >= self._synced_at + self._rules.sync_period_s:
            self._sync()
        if now >= self._flushed_at + self._rules.flush_period_s:
            self._files.flush()
            self._flushed_at = now

    def _sync(self) -> None:
        self._files.sync()
        self._synced_at = self._flushed_at = self._clock.monotonic()
        self._set_durable()

    def _set_durable(self) -> None:
        if self._durable < self._written and not self._has_lost:
            self._durable = self._written
            self.synced.tell()

    def _end(self) -> None:
        self._step_since = self._clock.monotonic()
        self._insist(lambda: self._files.close(self._reason))
        self._step_since = None
        self._set_durable()

    def _insist(self, action: Callable[[], None], again: Callable[[], None] | None = None) -> None:
        """Do something until it is done, however long no volume can be written."""
        backoff = Backoff()
        while True:
            try:
                action()
            except NowhereToWrite as error:
                self._trouble(str(error))
            else:
                self._recovered()
                return
            if self._is_aborted:
                self._give_up()
                return
            self._step_since = None
            self._portions.pause(backoff.next_s())
            self._step_since = self._clock.monotonic()
            action = again or action

    def _give_up(self) -> None:
        lost = self._files.give_up(self._reason)
        if lost:
            self._has_lost = True
            name = self.configuration.name
            self._around.listener.events_lost(name, lost, self._problem)

    def _trouble(self, problem: str) -> None:
        if problem != self._problem:
            log.error("stream %s of run %d: %s", self.configuration.name, self._around.run, problem)
            self._problem = problem
            self._around.listener.stream_troubled(self.configuration.name, problem)

    def _recovered(self) -> None:
        if self._problem:
            self._problem = ""
            self._around.listener.stream_recovered(self.configuration.name)

    def _wait_s(self) -> float:
        """Return how long there is nothing to do but for new events."""
        if not self._files.live:
            return _IDLE_S
        now = self._clock.monotonic()
        times = [now + _LOOK_S]
        if self._files.is_dirty:
            times.append(self._synced_at + self._rules.sync_period_s)
        if self._files.is_stale:
            times.append(self._flushed_at + self._rules.flush_period_s)
        due = self._files.ranges.next_due()
        if due is not None:
            times.append(due)
        return max(0.0, min(times) - now)
