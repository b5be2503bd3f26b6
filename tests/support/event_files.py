"""Event files for tests: a header, events, a file that is closed or was left by a killed writer."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from idl_like_interfaces.event_files import FileHeader
from idl_like_interfaces.event_logger import FileKind, StreamConfiguration
from idl_like_interfaces.event_message import EventHeader, encode_event
from objects.logger_stream.files.writer import EventFileWriter
from objects.logger_stream.parsing import parse
from objects.logger_stream.records import Records
from tests.support.clock import ManualClock
from tests.support.event_batches import batch

RUN = 7
SENDER = 0xABCDEF0123456789


def file_header(**more: object) -> FileHeader:
    """Return the first record of a file."""
    said: dict[str, object] = {
        "run": RUN,
        "stream": StreamConfiguration(name="all", id=1),
        "sequence": 0,
        "kind": FileKind.EVENTS,
        "opened": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "logger": "logger0",
        "incarnation": "one",
        "host": "here",
        "project": {"project": "demo", "operator": "me"},
    }
    return FileHeader(**{**said, **more})  # type: ignore[arg-type]


def payload_of(number: int, size: int) -> bytes:
    """Return the payload that an event of a number has in tests."""
    return (b"%d." % number * (size // 2 + 1))[:size]


def message(number: int, *, size: int = 100, per_lbn: int = 10, sender: int = SENDER) -> bytes:
    """Return the message of an event."""
    header = EventHeader(
        run=RUN, event=number, lbn=1 + (number - 1) // per_lbn, streams=(1, 4), node=3,
        time_ns=1_700_000_000_000_000_000 + number, flags=2, sender=sender, sequence=number,
    )  # fmt: skip
    return encode_event(header, payload_of(number, size))


def some(numbers: Iterable[int], **more: int) -> Records:
    """Return checked records of events."""
    return parse(batch(message(number, **more) for number in numbers)).records


def path_in(folder: Path) -> Path:
    """Return how a file of tests is called."""
    return folder / f"all_{RUN:09d}_000.raw"


def new_writer(folder: Path, flush_bytes: int = 1 << 20, **more: object) -> EventFileWriter:
    """Begin a file."""
    return EventFileWriter(path_in(folder), file_header(**more), ManualClock(), flush_bytes)


def closed_file(folder: Path, count: int = 100, *, size: int = 100, flush_every: int = 10) -> Path:
    """Write a file with the events 1 to ``count``, with a chunk of the index for some each."""
    writer = new_writer(folder)
    for first in range(1, count + 1, flush_every):
        writer.append(some(range(first, min(first + flush_every, count + 1)), size=size))
        writer.flush()
    return Path(writer.close("end of run").path)


def killed(writer: EventFileWriter) -> Path:
    """End a writer as the end of its process does: what waits is lost; return its file."""
    writer._release()
    return writer.part


def left_file(folder: Path, count: int = 50, *, size: int = 100, synced: int = 0) -> Path:
    """Leave a file with events as a killed writer does; the first ones were synced."""
    writer = new_writer(folder)
    if synced:
        writer.append(some(range(1, synced + 1), size=size))
        writer.sync()
    writer.append(some(range(synced + 1, count + 1), size=size))
    writer.flush()
    return killed(writer)


def flip(path: Path, place: int, bit: int = 1) -> None:
    """Change a bit of a file, closed or not."""
    path.chmod(0o644)
    with path.open("r+b") as stream:
        stream.seek(place, os.SEEK_SET if place >= 0 else os.SEEK_END)
        octet = stream.read(1)[0]
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([octet ^ bit]))
