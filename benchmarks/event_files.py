"""What an event file costs beside the bytes: writing with index, side-car, CRCs; recovery."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from idl_like_interfaces.event_files import FileHeader
from idl_like_interfaces.event_logger import FileKind, StreamConfiguration
from idl_like_interfaces.event_message import FRAME, EventHeader, encode_event
from objects.component.clock import SystemClock
from objects.logger_stream.files.layout import index_path, part_path
from objects.logger_stream.files.recovery import recover
from objects.logger_stream.files.writer import EventFileWriter
from objects.logger_stream.parsing import parse
from objects.logger_stream.records import Records

_GROUP = "event files"
_PLAIN = "write and fsync of the same bytes"
_BATCH = 4 * 1024 * 1024
_MIB = 1024 * 1024
_SIZES = {"200 B": 200, "1 KiB": 1024, "250 kB": 250_000}
_GOALS = {
    "1 KiB": Goal(of=Measure.VALUE, at_least=100_000),
    "250 kB": Goal(of=Measure.RATIO, at_least=0.8),
}


def measure_event_files(counts: Counts) -> list[Figure]:
    """Write files of events of each size beside plain writing; recover one with index and without."""
    # Not in /tmp, which is in memory on many hosts.
    with tempfile.TemporaryDirectory(prefix=".obsorb-bench-", dir=Path.cwd()) as folder:
        rows = [
            row
            for name, size in _SIZES.items()
            for row in _written(Path(folder), name, size, counts)
        ]
        return [*rows, *_recovered(Path(folder), counts)]


def _written(folder: Path, name: str, size: int, counts: Counts) -> list[Figure]:
    batch = _records(max(1, _BATCH // (size + 68)), size)
    repeats = max(1, counts.event_file_mib * _MIB // batch.nbytes)
    events = repeats * len(batch)

    def plain() -> float:
        return _timed(lambda: _write_plain(folder / "plain", batch, repeats))

    def synced() -> float:
        return _timed(lambda: _write(folder, batch, repeats).fail("the measurement ends"))

    def closed() -> float:
        return _timed(lambda: _write(folder, batch, repeats).close("the measurement ends"))

    theirs, ours, whole = alternate(
        counts.event_file_rounds, [_alone(folder, each) for each in (plain, synced, closed)]
    )
    of_plain = [events / each for each in theirs]
    return [
        figure(
            _GROUP, f"events of {name}, synced", "1/s", [events / each for each in ours],
            peer=_PLAIN, theirs=of_plain, goal=_GOALS.get(name),
        ),
        figure(
            _GROUP, f"events of {name}, closed with SHA-256", "1/s",
            [events / each for each in whole], peer=_PLAIN, theirs=of_plain,
        ),
    ]  # fmt: skip


def _recovered(folder: Path, counts: Counts) -> list[Figure]:
    """Recover a file whose writer was killed, again and again."""
    batch = _records(_BATCH // (1024 + 68), 1024)
    writer = _write(folder, batch, counts.recovered_mib * _MIB // batch.nbytes)
    events = writer.events
    writer.fail("the measurement begins")
    part = part_path(writer.path)

    def with_index() -> float:
        return _timed(lambda: recover(part))

    def without() -> float:
        index_path(part).unlink()
        return _timed(lambda: recover(part))

    theirs, ours = alternate(counts.event_file_rounds, [without, with_index])
    size = part.stat().st_size / 1e9
    return [
        figure(
            _GROUP, f"recovery of {size:.1f} GB, {events} events, with its index", "s", ours,
            peer="without: all is read", theirs=theirs,
        )
    ]  # fmt: skip


def _records(count: int, size: int) -> Records:
    payload = os.urandom(size)
    messages = [
        encode_event(
            EventHeader(run=1, event=number, lbn=1, streams=(1,), sender=1, sequence=number),
            payload,
        )
        for number in range(1, count + 1)
    ]
    framed = (FRAME.pack(len(each)) + each + FRAME.pack(len(each)) for each in messages)
    return parse(b"".join(framed)).records


def _write(folder: Path, batch: Records, repeats: int) -> EventFileWriter:
    header = FileHeader(
        run=1,
        stream=StreamConfiguration(name="all", id=1),
        sequence=0,
        kind=FileKind.EVENTS,
        opened=datetime.now(UTC),
        logger="benchmark",
        incarnation="1",
        host="here",
    )
    writer = EventFileWriter(folder / "all_000000001_000.raw", header, SystemClock())
    for _ in range(repeats):
        writer.append(batch)
    writer.sync()
    return writer


def _write_plain(path: Path, batch: Records, repeats: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        for _ in range(repeats):
            os.write(descriptor, batch.view)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _alone(folder: Path, turn: Callable[[], float]) -> Callable[[], float]:
    """Remove afterwards what was written."""

    def measured() -> float:
        seconds = turn()
        for each in folder.iterdir():
            each.unlink()
        return seconds

    return measured
