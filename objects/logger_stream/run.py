"""A run in a logger: a frozen copy of the configuration, its streams, its counts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from idl_like_interfaces.event_logger import (
    UNASSIGNED,
    GapNote,
    LoggerConfiguration,
    LoggerRun,
    LoggerRunStart,
    RunState,
    StreamConfiguration,
    StreamStatus,
    WrittenFile,
)
from idl_like_interfaces.waiting import News
from objects.component.clock import Clock
from objects.logger_stream.gaps import latest
from objects.logger_stream.records import Records

log = logging.getLogger(__name__)

_IDS = 1 << 16


class RunStream(Protocol):
    """What a run needs of a stream: one that writes (``stream.Stream``), or only counts.

    Attributes:
        configuration: With all parameters.
        room: Told when there is room in its queue.
        synced: Told when more is durable.
    """

    configuration: StreamConfiguration
    room: News
    synced: News

    @property
    def last_ticket(self) -> int:
        """Ticket of the portion that was taken last; 0: none was."""

    @property
    def durable_ticket(self) -> int:
        """All portions up to this one are synced."""

    def put(self, records: Records) -> int:
        """Take leading records as far as there is room; return how many. Never waits."""

    def note_gap(self, gap: GapNote) -> None:
        """Have its files tell of messages that never came."""

    def begin_end(self, reason: str) -> None:
        """Take nothing more; write what waits and close all files, in its own thread."""

    def begin_abort(self, reason: str) -> None:
        """The same, but try nothing twice: what cannot be written at once is given up."""

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until that is done; return whether it is."""

    def close_files(self, reason: str) -> None:
        """Have the files that are live now closed soon; what comes goes to new ones."""

    def status(self) -> StreamStatus:
        """Return how it stands; never waits."""

    def files(self) -> list[WrittenFile]:
        """Return all its files."""


Make = Callable[[StreamConfiguration], RunStream]


class ActiveRun:
    """A run; its streams are made at once.

    Args:
        start: What it was started with.
        configuration: Complete: every parameter of every stream is said, and every default.
        clock: The time.
        make: Makes a stream of this run.
        changed: Told when it is paused, resumed, or ends.

    Attributes:
        start: As given.
        number: Its number.
        configuration: A copy of the configuration; later ones do not concern it.
        streams: Those that are configured, by id.
        state: Where it stands.
        reason: Why it is paused, aborted or in trouble; empty: all is well.
        aborted: Why it is aborted; None: it is not.
        is_restored: It was taken up after a crash and awaits run control's word.
        started: When.
        ended: When it had ended.
    """

    def __init__(
        self,
        start: LoggerRunStart,
        configuration: LoggerConfiguration,
        clock: Clock,
        make: Make,
        changed: News,
    ) -> None:
        self.start = start
        self.number: int = start.run
        self.configuration = configuration
        self.state = RunState.ACTIVE
        self.reason = ""
        self.aborted: str | None = None
        self.is_restored = False
        self.started: datetime = clock.utc()
        self.ended: datetime | None = None
        self._clock = clock
        self._make = make
        self._changed = changed
        self._lock = threading.Lock()
        self._gaps: list[GapNote] = []
        self._new_gaps: list[GapNote] = []
        self._gap_count = self._events = self._bytes = self._mismatches = 0
        self._unknown: set[int] = set()
        self._unassigned: RunStream | None = None
        self._final: LoggerRun | None = None
        self.streams: dict[int, RunStream] = {}
        try:
            for each in configuration.streams:
                self.streams[each.id] = make(each)
        except BaseException:
            self.abort_streams("the run could not be started")
            raise

    @property
    def is_recording(self) -> bool:
        """Whether its events are written; else they are counted only."""
        return self.start.recording

    @property
    def is_paused(self) -> bool:
        """Whether its events must wait at their senders."""
        return self.state is RunState.PAUSED

    @property
    def counts(self) -> tuple[int, int]:
        """Events that were accepted, and the bytes of their messages."""
        with self._lock:
            return self._events, self._bytes

    @property
    def gap_count(self) -> int:
        """Messages that are missing."""
        return self._gap_count

    @property
    def gaps(self) -> list[GapNote]:
        """Where messages are missing; the latest, and those of unknown length."""
        with self._lock:
            return list(self._gaps)

    @property
    def all_streams(self) -> list[RunStream]:
        """All streams, with the one for unknown ids when there is one."""
        with self._lock:
            last = [] if self._unassigned is None else [self._unassigned]
        return [*self.streams.values(), *last]

    def unassigned(self, ids: Iterable[int]) -> RunStream:
        """Return the stream for events that name these ids, which nobody has configured.

        It is made when it is needed first, unless one of that name is configured; each id is
        warned of once.
        """
        with self._lock:
            new = set(ids) - self._unknown
            self._unknown |= new
            stream = self._unassigned or self._configured(UNASSIGNED)
            if stream is None:
                stream = self._unassigned = self._make(self._for_unknown())
        for each in sorted(new):
            text = "run %d: nobody configured stream %d: its events go to %r"
            log.warning(text, self.number, each, UNASSIGNED)
        return stream

    def restore(self, gaps: Iterable[GapNote], gap_count: int) -> None:
        """Take up what was known of its gaps before a crash."""
        self._gaps = latest([*self._gaps, *gaps])
        self._gap_count = gap_count

    def count(self, events: int, bytes: int) -> None:
        """Take note of events that were accepted, each once in however many streams it is."""
        with self._lock:
            self._events += events
            self._bytes += bytes

    def note_gap(self, gap: GapNote) -> None:
        """Take note of messages that will never come."""
        with self._lock:
            self._gaps = latest([*self._gaps, gap])
            self._new_gaps.append(gap)
            self._gap_count += gap.count
        for stream in self.all_streams:
            stream.note_gap(gap)

    def take_new_gaps(self) -> list[GapNote]:
        """Return the gaps that were noted since this was asked last."""
        with self._lock:
            found, self._new_gaps = self._new_gaps, []
            return found

    def note_mismatches(self, count: int) -> None:
        """Take note of messages of a wrong run number on a sender of this run."""
        with self._lock:
            self._mismatches += count

    def pause(self, reason: str) -> None:
        """Have its events wait at their senders; its files stay open."""
        self.state, self.reason = RunState.PAUSED, reason
        self._changed.tell()

    def resume(self) -> None:
        """Accept events again."""
        self.state, self.reason, self.is_restored = RunState.ACTIVE, "", False
        self._changed.tell()

    def begin_end(self, aborted: str | None = None) -> None:
        """Accept no events any more; ``aborted``: why it is aborted, None: it is not."""
        self.aborted = aborted
        self.state, self.reason, self.is_restored = RunState.ENDING, aborted or "", False
        self._changed.tell()

    def end_streams(self, reason: str) -> None:
        """Write what waits, and close all files; returns when that is done."""
        streams = self.all_streams
        for each in streams:
            each.begin_end(reason)
        for each in streams:
            each.join()

    def finish(self, state: RunState, reason: str = "") -> None:
        """Note that it is ENDED or ABORTED."""
        self.state, self.reason, self.is_restored = state, reason, False
        self.ended = self._clock.utc()
        self._changed.tell()

    def release(self) -> None:
        """Keep of a run that has ended what is told of it, and let its streams go."""
        self._final = self.status()
        with self._lock:
            self.streams, self._unassigned = {}, None

    def abort_streams(self, reason: str) -> None:
        """Close all files at once; returns when that is done."""
        streams = self.all_streams
        for each in streams:
            each.begin_abort(reason)
        for each in streams:
            each.join()

    def files(self) -> list[WrittenFile]:
        """Return all its files."""
        return [file for stream in self.all_streams for file in stream.files()]

    def status(self, events_s: float = 0.0, bytes_s: float = 0.0) -> LoggerRun:
        """Return how it stands; the rates are what the caller has measured."""
        if self._final is not None:
            return self._final
        streams = [each.status() for each in self.all_streams]
        with self._lock:
            return LoggerRun(
                run=self.number,
                state=self.state,
                recording=self.is_recording,
                started=self.started,
                ended=self.ended,
                events=self._events,
                bytes=self._bytes,
                events_s=events_s,
                bytes_s=bytes_s,
                mismatches=self._mismatches,
                gaps=list(self._gaps),
                gap_count=self._gap_count,
                is_restored=self.is_restored,
                streams=streams,
                reason=self.reason,
            )

    def _configured(self, name: str) -> RunStream | None:
        found = (each for each in self.streams.values() if each.configuration.name == name)
        return next(found, None)

    def _for_unknown(self) -> StreamConfiguration:
        # Any id that no configured stream has: it only tells this stream from the others.
        id = next(each for each in reversed(range(_IDS)) if each not in self.streams)
        return StreamConfiguration(name=UNASSIGNED, id=id, parameters=self.configuration.defaults)
