"""Events of no active run are kept within a bound."""

from __future__ import annotations

from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.event_files import FileHeader
from idl_like_interfaces.event_logger import FileKind, StreamConfiguration
from objects.logger_stream import orphans as module
from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.orphans import OrphanListener, Orphans
from objects.logger_stream.parsing import parse
from objects.logger_stream.records import Records
from objects.logger_stream.run import ActiveRun
from tests.support.clock import ManualClock
from tests.support.event_batches import events


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
    """Of more run numbers than that nothing is kept."""
    monkeypatch.setattr(module, "MOST_RUNS", 2)
    orphans = keeper(tmp_path, Told())
    for number in (1, 2, 3):
        orphans.take(number, some(1, run=number), "cr1", was_known=False)
    orphans.close()
    assert orphans.counts == {1: 1, 2: 1}
