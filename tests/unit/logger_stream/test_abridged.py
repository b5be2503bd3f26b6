"""A status fits into a message, however many streams and files there are."""

from __future__ import annotations

from datetime import UTC, datetime

from idl_like_interfaces.event_logger import (
    FileState,
    LoggerRun,
    RunState,
    StreamStatus,
    WrittenFile,
)
from objects.logger_stream.abridged import abridge

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def run(number: int, streams: int, files: int, *, is_over: bool = False) -> LoggerRun:
    """Return a run with so many streams of so many files."""
    written = [
        WrittenFile(path=f"/{n}", stream="s", state=FileState.CLOSED, events=1, size_bytes=1)
        for n in range(files)
    ]
    each = [
        StreamStatus(name=f"s{n}", id=n, files=written, files_total=files) for n in range(streams)
    ]
    state = RunState.ENDED if is_over else RunState.ACTIVE
    ended = NOW if is_over else None
    return LoggerRun(run=number, state=state, started=NOW, ended=ended, streams=each)


def test_the_latest_files_of_active_runs_are_told() -> None:
    """As many of each stream; their number is that of all."""
    first, last = abridge([run(2, 4, 32), run(1, 4, 32, is_over=True)], most_files=40)
    assert [[file.path for file in each.files] for each in first.streams] == [
        [f"/{n}" for n in range(22, 32)]
    ] * 4
    assert [(len(each.files), each.files_total) for each in last.streams] == [(0, 32)] * 4


def test_what_is_short_stays_as_it_is() -> None:
    """Nothing is left out without need."""
    runs = [run(1, 2, 3)]
    assert abridge(runs) == runs


def test_streams_of_active_runs_go_first() -> None:
    """Of more streams than fit those of runs that have ended are left out."""
    told = abridge([run(3, 3, 9), run(2, 3, 0), run(1, 3, 0, is_over=True)], 2, 5)
    assert [len(each.streams) for each in told] == [3, 2, 0]
    assert not any(each.files for each in told[0].streams)
