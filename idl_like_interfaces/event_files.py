"""The documents in and beside an event file: its first record, its last one, its side-car.

An event file is a row of framed records (see ``event_message``): first one of type ``D0FH``
with a ``FileHeader``, then events, last one of type ``D0FT`` with a ``FileTrailer``. Records that
are no events look alike, little-endian::

    offset  size  field
         0     4  type: ``D0FH``, ``D0FT`` or ``D0XX``
         4     2  version: 1
         6     2  reserved: 0
         8     4  n, length of the document
        12     n  document: JSON, UTF-8
      12+n     4  CRC-32C of all before

``D0XX`` is laid over bytes that were damaged in the middle of a file, which are its document: so
the records behind it are reached. Readers skip it.
"""

from __future__ import annotations

from typing import Any

from idl_like_interfaces.declare import UtcTime, Value
from idl_like_interfaces.event_logger import FileKind, GapNote, StreamConfiguration

HEADER_TYPE = b"D0FH"
TRAILER_TYPE = b"D0FT"
DAMAGE_TYPE = b"D0XX"


class FileHeader(Value, frozen=True, kw_only=True):
    """First record of an event file.

    Attributes:
        format: Always ``obsorb event file``.
        version: Of the format: 1.
        run: Run number.
        stream: The stream, with all its parameters.
        sequence: Number of the file within run and stream, from 0.
        kind: What it holds.
        opened: When.
        logger: Name of the component that writes.
        incarnation: Its start.
        host: Where.
        comment: Of the begin of the run.
        data_type: Of the run.
        shifter: Who started it.
        project: Project information at its begin (project, operator, flight, context, version).
        remark: What is known to be uncertain of it, e.g. that the project service was away.
    """

    format: str = "obsorb event file"
    version: int = 1
    run: int
    stream: StreamConfiguration
    sequence: int
    kind: FileKind
    opened: UtcTime
    logger: str
    incarnation: str
    host: str
    comment: str = ""
    data_type: str = ""
    shifter: str = ""
    project: dict[str, Any] = {}
    remark: str = ""


class FileSummary(Value, frozen=True, kw_only=True):
    """What a file holds, as its side-car and its trailer tell it.

    Attributes:
        events: Events in it.
        bytes: Bytes of all records so far, frames included.
        first_event: Smallest event number; 0: none.
        last_event: Greatest.
        first_lbn: Begin of its range.
        last_lbn: Its end.
        senders: The greatest sequence of each sender in it, by its incarnation (what its
            messages have as ``sender``) as 16 hexadecimal digits.
        gaps: Messages that never came while it was open.
        recovered: What was cut off after a crash, in words; empty: it was not recovered.
    """

    events: int
    bytes: int
    first_event: int = 0
    last_event: int = 0
    first_lbn: int = 0
    last_lbn: int = 0
    senders: dict[str, int] = {}
    gaps: list[GapNote] = []
    recovered: str = ""


class FileTrailer(Value, frozen=True, kw_only=True):
    """Last record of an event file.

    Attributes:
        summary: What it holds; ``bytes`` without the trailer.
        closed: When.
        reason_closed: Why.
        crc: CRC-32C of the checks of all events, in their order: tells a record that is missing.
    """

    summary: FileSummary
    closed: UtcTime
    reason_closed: str
    crc: int


class SideCar(Value, frozen=True, kw_only=True):
    """Beside each file, ``<name>.meta.json``: replaced at each flush, final when it is closed.

    Attributes:
        file: Name of the file.
        header: Its first record.
        summary: What it holds up to ``summary.bytes``.
        state: ``OPEN``, ``END``, ``CLOSED`` or ``ERROR``.
        updated: When.
        trailer: Its last record; None: it is not closed.
        digest: ``sha256:`` and 64 hexadecimal digits of the closed file; else empty.
        problem: Why it is in ERROR; else empty.
        durable_bytes: Of one in ERROR: what is behind them may not be on the disk, and was written
            to another file; None: nothing is known of that.
    """

    file: str
    header: FileHeader
    summary: FileSummary
    state: str
    updated: UtcTime
    trailer: FileTrailer | None = None
    digest: str = ""
    problem: str = ""
    durable_bytes: int | None = None


class FileFinding(Value, frozen=True, kw_only=True):
    """Something that is not as it should be in or beside an event file.

    Attributes:
        message: What.
        cause: Why, as far as that can be known.
        remedy: What to do.
        is_error: False: no event is in doubt.
    """

    message: str
    cause: str = ""
    remedy: str = ""
    is_error: bool = True


class FileReport(Value, frozen=True, kw_only=True):
    """What a verification of an event file has found.

    Attributes:
        path: The file.
        state: ``OPEN``, ``END``, ``CLOSED`` or ``ERROR``.
        summary: What is in it, counted.
        digest: Of a file with a trailer, computed; else empty.
        findings: What is not as it should be.
    """

    path: str
    state: str
    summary: FileSummary
    digest: str = ""
    findings: list[FileFinding] = []


class FileListing(Value, frozen=True, kw_only=True):
    """An event file in a list.

    Attributes:
        path: The file.
        size_bytes: Its size.
        state: ``OPEN``, ``END``, ``CLOSED`` or ``ERROR``; empty: it is not an event file.
        is_written: A process has it open for writing.
        header: Its first record; None: it cannot be read.
        summary: What it holds, as its trailer or side-car tells, else as its index does.
        digest: As its side-car tells it.
        reason_closed: Why it was closed.
        problem: What is wrong with it; empty: nothing that is seen at once.
    """

    path: str
    size_bytes: int
    state: str = ""
    is_written: bool = False
    header: FileHeader | None = None
    summary: FileSummary | None = None
    digest: str = ""
    reason_closed: str = ""
    problem: str = ""


class FileRecovery(Value, frozen=True, kw_only=True):
    """What a recovery did.

    Attributes:
        path: The file as it is called now.
        events: Events in it.
        size_bytes: Its size.
        cut: What was cut off or is damaged; empty: nothing.
        read_bytes: Bytes that had to be read.
        is_closed: It was closed, too.
        digest: Of the closed file.
    """

    path: str
    events: int
    size_bytes: int
    cut: list[str]
    read_bytes: int
    is_closed: bool = False
    digest: str = ""
