"""Events of no active run: kept as evidence, within a bound; wrong run numbers in active runs."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
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
    """Orphans of one run number."""

    def __init__(self) -> None:
        self.writer: EventFileWriter | None = None
        self.count = self.kept = self.bytes = 0


class Orphans(Strays):
    """Keeps orphans, one file a run number; any thread may bring some.

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
            known = self._runs.get(run)
            if known is None:
                if len(self._runs) >= MOST_RUNS:
                    return
                known = self._runs[run] = _Run()
            known.count += len(records)
            is_first = run not in self._told
            self._told.add(run)
            self._keep(run, known, records)
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
        """Have what is kept on the disk."""
        with self._lock:
            for number, run in self._runs.items():
                if run.writer is not None:
                    self._try(number, run.writer.sync)

    def close(self) -> None:
        """Close the files; those that come later go to new ones."""
        with self._lock:
            for number, run in self._runs.items():
                writer, run.writer = run.writer, None
                if writer is not None:
                    self._try(number, partial(writer.close, "the logger ends"))

    def _keep(self, number: int, run: _Run, records: Records) -> None:
        fitting = records.head(max(0, MOST_EVENTS - run.kept))
        if not len(fitting) or run.bytes + fitting.nbytes > MOST_BYTES:
            return
        try:
            writer = run.writer = run.writer or self._open(number)
            writer.append(fitting.own())
            writer.flush()
        except OSError as error:
            log.error("orphans of run %d are not kept: %s", number, error)
            return
        run.kept += len(fitting)
        run.bytes += fitting.nbytes

    def _open(self, number: int) -> EventFileWriter:
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
