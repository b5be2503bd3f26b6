"""Streams without files: they hold what they were given, and let it go when they are told."""

from __future__ import annotations

import threading

from typing_extensions import override

from idl_like_interfaces.event_logger import (
    LoggerConfiguration,
    LoggerRunStart,
    StreamConfiguration,
    StreamStatus,
    WrittenFile,
)
from idl_like_interfaces.waiting import News
from objects.logger_stream.records import Records
from objects.logger_stream.run import ActiveRun, RunStream
from objects.logger_stream.runs import Runs, Strays
from tests.support.clock import ManualClock


class HeldStream(RunStream):
    """Takes as many records as it has room for.

    Attributes:
        room_left: So many records it takes; none goes before ``free``.
        portions: What it took.
    """

    def __init__(self, configuration: StreamConfiguration) -> None:
        self.configuration = configuration
        self.room, self.synced = News(), News()
        self.room_left = 1_000_000
        self.portions: list[Records] = []
        self.is_synced_at_once = True
        self._lock = threading.Lock()
        self._last = self._durable = 0
        self._is_ended = False

    @property
    @override
    def last_ticket(self) -> int:
        return self._last

    @property
    @override
    def durable_ticket(self) -> int:
        return self._durable

    @override
    def put(self, records: Records) -> int:
        with self._lock:
            count = 0 if self._is_ended else min(self.room_left, len(records))
            if count:
                self.room_left -= count
                self.portions.append(records.head(count))
                self._last += 1
                if self.is_synced_at_once:
                    self._durable = self._last
            return count

    def free(self, room: int) -> None:
        """Have room for so many records more."""
        with self._lock:
            self.room_left += room
        self.room.tell()

    def sync(self) -> None:
        """Make durable all that it has."""
        self._durable = self._last
        self.synced.tell()

    @property
    def sequences(self) -> list[int]:
        """The sequences of all records that it has."""
        return [int(each) for part in self.portions for each in part.index["sequence"]]

    @property
    def numbers(self) -> list[int]:
        """Their event numbers."""
        return [int(each) for part in self.portions for each in part.index["event"]]

    @override
    def begin_end(self, reason: str) -> None:
        self._is_ended = True
        self.room.tell()
        self.synced.tell()

    @override
    def begin_abort(self, reason: str) -> None:
        self.begin_end(reason)

    @override
    def join(self, timeout_s: float | None = None) -> bool:
        return self._is_ended

    @override
    def status(self) -> StreamStatus:
        return StreamStatus(name=self.configuration.name, id=self.configuration.id)

    @override
    def files(self) -> list[WrittenFile]:
        return []


class KnownStrays(Strays):
    """Keeps what belongs to no run.

    Attributes:
        taken: Run, sender and count of what was given.
        mismatches: Run of the sender, run of the events, count.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[int, str, int]] = []
        self.mismatches: list[tuple[int, int, int]] = []

    @override
    def take(self, run: int, records: Records, sender: str, *, was_known: bool) -> None:
        self.taken.append((run, sender, len(records)))

    @override
    def mismatch(self, of: ActiveRun, run: int, records: Records, sender: str) -> None:
        self.mismatches.append((of.number, run, len(records)))


class HeldRuns:
    """The runs of a logger that writes nothing.

    Attributes:
        runs: As the intake wants them.
        strays: What belongs to no run.
        clock: The time.
    """

    def __init__(self) -> None:
        self.strays = KnownStrays()
        self.runs = Runs(self.strays)
        self.clock = ManualClock()

    def start(self, number: int, ids: tuple[int, ...] = (1, 2)) -> ActiveRun:
        """Begin a run with streams of these ids, named ``s<id>``."""
        streams = [StreamConfiguration(name=f"s{id}", id=id) for id in ids]
        run = ActiveRun(
            LoggerRunStart(run=number), LoggerConfiguration(streams=streams), self.clock,
            HeldStream, self.runs.changed,
        )  # fmt: skip
        self.runs.add(run)
        return run

    def stream(self, run: int, id: int) -> HeldStream:
        """Return a stream of an active run."""
        found = self.runs.get(run).streams[id]
        assert isinstance(found, HeldStream)
        return found

    def unassigned(self, run: int) -> HeldStream:
        """Return the stream for unknown ids, which must have been needed."""
        found = self.runs.get(run).all_streams[-1]
        assert isinstance(found, HeldStream)
        assert found.configuration.name == "unassigned"
        return found
