"""Events of no active run are kept within a bound."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from typing_extensions import override

from idl_like_interfaces.event_files import FileHeader
from idl_like_interfaces.event_logger import FileKind, StreamConfiguration
from objects.logger_stream import orphans as module
from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.housekeeping import Housekeeping
from objects.logger_stream.orphans import OrphanListener, Orphans
from objects.logger_stream.parsing import parse
from objects.logger_stream.records import Records
from objects.logger_stream.run import ActiveRun
from tests.support.clock import ManualClock
from tests.support.event_batches import events
from tests.support.event_logger import TestedLogger


class Told(OrphanListener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    @override
    def orphans_came(self, run: int, sender: str, path: Path) -> None:
        self.runs.append(run)

    @override
    def mismatch_persists(self, of: ActiveRun, wrong: int, sender: str, ids: list[int]) -> None:
        raise AssertionError(wrong)


def some(count: int, run: int = 9, first: int = 1) -> Records:
    """Return events."""
    return parse(events(first, count, run=run)).records


def keeper(folder: Path, told: Told, known: dict[int, int] | None = None) -> Orphans:
    """Return one that keeps orphans below a folder."""
    clock = ManualClock()

    def header(run: int, stream: StreamConfiguration, number: int) -> FileHeader:
        return FileHeader(
            run=run, stream=stream, sequence=number, kind=FileKind.ORPHAN, opened=clock.utc(),
            logger="obs/logger0", incarnation="x", host="here",
        )  # fmt: skip

    return Orphans(folder, header, clock, told, known or {})


def kept(folder: Path) -> list[int]:
    """Return the numbers of the events that were kept."""
    found = []
    for path in sorted(folder.glob("*.raw")):
        with EventFile(path) as file:
            found += [event.header.event for event in file]
    return found


def descriptors() -> int:
    """Return how many the process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_too_much_is_counted_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once."""
    monkeypatch.setattr(module, "MOST_EVENTS", 7)
    told = Told()
    orphans = keeper(tmp_path, told)
    for first in (1, 6, 11):
        orphans.take(9, some(5, first=first), "cr1", was_known=False)
    orphans.close()
    assert orphans.counts == {9: 15}
    assert kept(tmp_path) == [1, 2, 3, 4, 5, 6, 7]
    assert told.runs == [9]


def test_bytes_are_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A portion that does not fit is counted."""
    monkeypatch.setattr(module, "MOST_BYTES", some(3).nbytes)
    orphans = keeper(tmp_path, Told())
    orphans.take(9, some(3), "cr1", was_known=True)
    orphans.take(9, some(1, first=4), "cr1", was_known=True)
    orphans.close()
    assert (orphans.counts, kept(tmp_path)) == ({9: 4}, [1, 2, 3])


def test_an_earlier_start_has_told_already(tmp_path: Path) -> None:
    """Its files stay, the next one has another number."""
    counts: dict[int, int] = {}
    for start in (1, 2):
        told = Told()
        orphans = keeper(tmp_path, told, counts)
        orphans.take(9, some(2), "cr1", was_known=False)
        orphans.close()
        assert told.runs == ([9] if start == 1 else [])
        counts = orphans.counts
    assert counts == {9: 4}
    assert [path.name for path in sorted(tmp_path.glob("*.raw"))] == [
        "orphans_000000009_000.raw",
        "orphans_000000009_001.raw",
    ]


def test_a_misguided_source_cannot_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more run numbers than that nothing is kept, but all is counted, also by the next start."""
    monkeypatch.setattr(module, "MOST_RUNS", 2)
    counts: dict[int, int] = {}
    for _ in range(2):
        orphans = keeper(tmp_path, Told(), counts)
        for number in (1, 2, 3, 4):
            orphans.take(number, some(1, run=number), "cr1", was_known=False)
        orphans.close()
        counts = orphans.counts
    assert counts == {1: 2, 2: 2, module.OTHERS: 4}
    assert len(kept(tmp_path)) == 4


@pytest.mark.spec("D32")
def test_many_wrong_run_numbers_do_not_use_up_the_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of all but a few are closed, with all their events."""
    monkeypatch.setattr(module, "MOST_OPEN", 4)
    before = descriptors()
    orphans = keeper(tmp_path, Told())
    for _ in range(2):
        for number in range(1, 31):
            orphans.take(number, some(2, run=number), "cr1", was_known=False)
    assert descriptors() <= before + 2 * 4
    assert len(list(tmp_path.glob("*.raw.part"))) == 4
    orphans.close()
    assert descriptors() == before
    assert len(kept(tmp_path)) == 30 * 2 * 2
    assert orphans.counts == dict.fromkeys(range(1, 31), 4)


def test_one_run_number_does_not_fill_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers that take turns get a bounded number of files."""
    monkeypatch.setattr(module, "MOST_OPEN", 1)
    monkeypatch.setattr(module, "MOST_FILES", 3)
    orphans = keeper(tmp_path, Told())
    for _ in range(5):
        for number in (1, 2):
            orphans.take(number, some(1, run=number), "cr1", was_known=False)
    orphans.close()
    assert len(list(tmp_path.glob("*.raw"))) == 6
    assert orphans.counts == {1: 5, 2: 5}


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Event, Event]]:
    """Have each sync of orphans hang; yield what tells that one does, and what ends that."""
    hangs, goes_on, real = Event(), Event(), os.fdatasync

    def sync(descriptor: int) -> None:
        if "orphans_" in os.readlink(f"/proc/self/fd/{descriptor}"):  # noqa: PTH115 (not a file)
            hangs.set()
            assert goes_on.wait(60)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", sync)
    yield hangs, goes_on
    goes_on.set()


def test_nobody_waits_for_a_sync_that_hangs(tmp_path: Path, hanging: tuple[Event, Event]) -> None:
    """Counts are told and events come meanwhile, and are written afterwards."""
    hangs, goes_on = hanging
    orphans = keeper(tmp_path, Told())
    orphans.take(9, some(2), "cr1", was_known=False)
    syncing = Thread(target=orphans.sync)
    syncing.start()
    assert hangs.wait(60)
    orphans.take(9, some(2, first=3), "cr1", was_known=False)
    assert orphans.counts == {9: 4}
    goes_on.set()
    syncing.join()
    orphans.close()
    assert kept(tmp_path) == [1, 2, 3, 4]


def test_what_waits_for_a_disk_that_hangs_is_bounded(
    tmp_path: Path, hanging: tuple[Event, Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes then is counted only."""
    hangs, goes_on = hanging
    monkeypatch.setattr(module, "MOST_WAITING", some(2).nbytes)
    orphans = keeper(tmp_path, Told())
    orphans.take(9, some(1), "cr1", was_known=False)
    syncing = Thread(target=orphans.sync)
    syncing.start()
    assert hangs.wait(60)
    for first in (2, 3, 4, 5):
        orphans.take(9, some(1, first=first), "cr1", was_known=False)
    goes_on.set()
    syncing.join()
    orphans.close()
    assert (orphans.counts, kept(tmp_path)) == ({9: 5}, [1, 2, 3])


def test_marks_do_not_wait_for_orphans(tmp_path: Path, hanging: tuple[Event, Event]) -> None:
    """What a logger does each second goes on while the disk of orphans hangs."""
    hangs, goes_on = hanging
    orphans = keeper(tmp_path, Told())
    orphans.take(9, some(2), "cr1", was_known=False)
    syncing = Thread(target=orphans.sync)
    syncing.start()
    assert hangs.wait(60)
    with TestedLogger(tmp_path / "root") as logger:
        core = logger.configured(1).component.core
        core.orphans = orphans
        Housekeeping(core).look()
        assert core.memory.orphans == {9: 2}
        goes_on.set()
        syncing.join()
