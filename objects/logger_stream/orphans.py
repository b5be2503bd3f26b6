"""Events of no active run: kept as evidence, within a bound; wrong run numbers in active runs."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from typing_extensions import override

from idl_like_interfaces.event_files import FileHeader
from idl_like_interfaces.event_logger import StreamConfiguration
from objects.component.clock import Clock
from objects.logger_stream.files.writer import EventFileWriter
from objects.logger_stream.records import Records
from objects.logger_stream.run import ActiveRun
from objects.logger_stream.runs import Strays

log = logging.getLogger(__name__)

ORPHANS: Final = "orphans"
"""Name of the folder, and of the stream in the headers of its files."""

MOST_EVENTS: Final = 10_000
MOST_BYTES: Final = 1 << 30
"""Of one run; what comes then is counted only."""

MOST_RUNS: Final = 1000
"""Wrong run numbers that are told apart; of more runs nothing is kept."""

OTHERS: Final = -1
"""Stands for all further run numbers in the counts."""

MOST_OPEN: Final = 16
"""Files that are open at once, each of two descriptors; the one unused for longest is closed."""

MOST_FILES: Final = 20
"""Of one run and start of the logger; what comes then is counted only."""

MOST_WAITING: Final = 64 << 20
"""Bytes that wait for a disk that hangs; what comes then is counted only."""

MISMATCHES: Final = 3
MISMATCH_WINDOW_S: Final = 10.0
"""So many wrong run numbers within so many seconds are no accident."""

_ID: Final = 65_535


class OrphanListener(Protocol):
    """Who is told of strays; must not wait."""

    def orphans_came(self, run: int, sender: str, path: Path) -> None:
        """The first events of a run that is not active."""

    def mismatch_persists(self, of: ActiveRun, wrong: int, sender: str, ids: list[int]) -> None:
        """Wrong run numbers come again and again; meant for the streams ``ids`` of a run."""


class _Run:
    """Orphans of one run number.

    Attributes:
        busy: Held by whoever works on its file; the rest is guarded by the lock of ``Orphans``.
        writer: Its file, when one is open; for who is busy.
        files: How many were begun.
        count: Events that came.
        kept: Of these in files, or waiting.
        bytes: Of these.
        waiting: Are to be written.
    """

    def __init__(self) -> None:
        self.busy = threading.Lock()
        self.writer: EventFileWriter | None = None
        self.files = self.count = self.kept = self.bytes = 0
        self.waiting: list[Records] = []


class Orphans(Strays):
    """Keeps orphans, each run number in files of its own; any thread may bring some.

    The counts never wait for a disk, and who brings orphans does not wait for a sync.

    Args:
        folder: Where their files go; made when it is needed.
        header: Makes the first record of a file, given the run, the stream and the number of the file.
        clock: The time.
        listener: Is told.
        known: Orphans by run of which an earlier start has told.
    """

    def __init__(
        self,
        folder: Path,
        header: Callable[[int, StreamConfiguration, int], FileHeader],
        clock: Clock,
        listener: OrphanListener,
        known: dict[int, int],
    ) -> None:
        self._folder = folder
        self._header = header
        self._clock = clock
        self._listener = listener
        self._lock = threading.Lock()
        self._told = set(known)
        self._runs: dict[int, _Run] = {}
        # Runs with an open file, the one that was unused for longest first.
        self._open: dict[int, _Run] = {}
        self._waiting = 0
        self._wrong: dict[int, deque[float]] = {}
        for number, count in known.items():
            self._runs[number] = run = _Run()
            # What an earlier start has kept counts: the bound is for the disk.
            run.count, run.kept = count, min(count, MOST_EVENTS)

    @property
    def counts(self) -> dict[int, int]:
        """Orphans by run number."""
        with self._lock:
            return {number: run.count for number, run in self._runs.items()}

    @override
    def take(self, run: int, records: Records, sender: str, *, was_known: bool) -> None:
        with self._lock:
            known = self._count(run, len(records))
            if known is None:
                return
            is_first = run not in self._told
            self._told.add(run)
            self._wait(known, records)
        # Who syncs the file at the moment, or will in a second, writes what waits.
        if known.busy.acquire(blocking=False):
            try:
                self._write(run, known)
            finally:
                known.busy.release()
        self._close_unused()
        if is_first:
            kind = "has ended" if was_known else "was never started here"
            log.error("%s sends events of run %d, which %s", sender, run, kind)
            self._listener.orphans_came(run, sender, self._path(run, 0).parent)

    @override
    def mismatch(self, of: ActiveRun, run: int, records: Records, sender: str) -> None:
        now = self._clock.monotonic()
        with self._lock:
            times = self._wrong.setdefault(of.number, deque(maxlen=MISMATCHES))
            times.extend([now] * min(len(records), MISMATCHES))
            persists = len(times) == MISMATCHES and now - times[0] <= MISMATCH_WINDOW_S
            if persists:
                times.clear()
        log.error("%s, a sender of run %d, sent events of run %d", sender, of.number, run)
        if persists:
            ids = sorted({int(each) for each in records.stream_ids()[1]})
            self._listener.mismatch_persists(of, run, sender, ids)

    def sync(self) -> None:
        """Have what is kept on the disk; may take as long as the disk does."""
        for number, run in self._with_files():
            with run.busy:
                self._write(number, run)
                if run.writer is not None:
                    self._try(number, run.writer.sync)
        self._close_unused()

    def close(self) -> None:
        """Close the files; those that come later go to new ones."""
        for number, run in self._with_files():
            with run.busy:
                self._write(number, run)
                self._close(number, run, "the logger ends")

    def _count(self, number: int, count: int) -> _Run | None:
        """Count events; return where they are kept, None: nowhere. The lock is held."""
        known = self._runs.get(number)
        if known is None:
            others = self._runs.get(OTHERS)
            if len(self._runs) - (others is not None) >= MOST_RUNS:
                if others is None:
                    others = self._runs[OTHERS] = _Run()
                    log.error("of more than %d wrong run numbers nothing is kept", MOST_RUNS)
                others.count += count
                return None
            known = self._runs[number] = _Run()
        known.count += count
        return known

    def _wait(self, run: _Run, records: Records) -> None:
        """Have events written, as far as the bounds allow; the lock is held."""
        fitting = records.head(max(0, MOST_EVENTS - run.kept))
        size = fitting.nbytes
        if not size or run.bytes + size > MOST_BYTES or self._waiting + size > MOST_WAITING:
            return
        run.waiting.append(fitting.own())
        run.kept += len(fitting)
        run.bytes += size
        self._waiting += size

    def _with_files(self) -> list[tuple[int, _Run]]:
        """Return the runs with an open file, or with something to write."""
        with self._lock:
            return [(n, run) for n, run in self._runs.items() if n in self._open or run.waiting]

    def _write(self, number: int, run: _Run) -> None:
        """Write what waits; the run is busy with it."""
        with self._lock:
            batch, run.waiting = run.waiting, []
            self._waiting -= sum(each.nbytes for each in batch)
        if not batch:
            return
        try:
            writer = run.writer or self._begin(number, run)
            if writer is None:
                return
            with self._lock:
                self._open[number] = self._open.pop(number, run)
            for each in batch:
                writer.append(each)
            writer.flush()
        except OSError as error:
            log.error("orphans of run %d are not kept: %s", number, error)

    def _begin(self, number: int, run: _Run) -> EventFileWriter | None:
        """Begin a file; None: the run has had its share, or the disk hangs with too many open."""
        if run.files >= MOST_FILES or len(self._open) >= 2 * MOST_OPEN:
            return None
        run.writer = self._new_file(number)
        run.files += 1
        return run.writer

    def _close_unused(self) -> None:
        """Close files of runs of which nothing came for longest, till there are few enough."""
        with self._lock:
            unused = list(self._open.items())[: max(0, len(self._open) - MOST_OPEN)]
        for number, run in unused:
            if run.busy.acquire(blocking=False):
                try:
                    self._close(number, run, "others were in use")
                finally:
                    run.busy.release()

    def _close(self, number: int, run: _Run, reason: str) -> None:
        """Close the file of a run, which is busy with it."""
        writer, run.writer = run.writer, None
        if writer is None:
            return
        try:
            writer.close(reason)
        except OSError as error:
            # Its descriptors must not be kept; the next start closes it.
            log.error("orphans of run %d are not all on the disk: %s", number, error)
            writer.fail(f"it could not be closed: {error}")
        with self._lock:
            self._open.pop(number, None)

    def _new_file(self, number: int) -> EventFileWriter:
        self._folder.mkdir(parents=True, exist_ok=True)
        sequence = 0
        while True:
            path = self._path(number, sequence)
            try:
                stream = StreamConfiguration(name=ORPHANS, id=_ID)
                return EventFileWriter(path, self._header(number, stream, sequence), self._clock)
            except FileExistsError:
                sequence += 1

    def _path(self, number: int, sequence: int) -> Path:
        return self._folder / f"{ORPHANS}_{number:09}_{sequence:03}.raw"

    def _try(self, number: int, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            log.error("orphans of run %d are not all on the disk: %s", number, error)
