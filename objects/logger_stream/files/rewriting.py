"""Damaged places in a file: covered with a record that readers skip, or left out in a new file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from idl_like_interfaces.event_files import DAMAGE_TYPE, FileHeader
from idl_like_interfaces.event_logger import FileKind, StreamConfiguration
from idl_like_interfaces.event_message import CHECK, FRAME, parse_event
from objects.component.atomic import fsync_folder
from objects.component.clock import Clock
from objects.logger_stream.files.content import read_first
from objects.logger_stream.files.data_file import DataFile
from objects.logger_stream.files.frames import Data
from objects.logger_stream.files.layout import (
    DOCUMENT,
    FRAME_BYTES,
    LARGEST_DOCUMENT,
    LEAST_DOCUMENT,
    encode_document,
    encode_header,
    index_path,
    parts_of_name,
)
from objects.logger_stream.files.scan import Damage, Whole, scan
from objects.logger_stream.files.table import map_file

_LEAST = FRAME_BYTES + LEAST_DOCUMENT
"""Bytes of the smallest record that can be laid over something."""

_LARGEST = FRAME_BYTES + LARGEST_DOCUMENT
_STEP = 8 * 1024 * 1024


def can_cover(damage: Damage) -> bool:
    """Tell whether there is room for a record over a damaged place."""
    return damage.end - damage.begin >= _LEAST


def covers(data: Data, damage: Damage) -> Iterator[tuple[int, bytes]]:
    """Yield records to be laid over a damaged place, and where; what stands there is in them."""
    begin = damage.begin
    while begin < damage.end:
        left = damage.end - begin
        size = min(left, _LARGEST)
        if 0 < left - size < _LEAST:
            size -= _LEAST
        # The first and last bytes make room for the record's own.
        kept = data[begin + FRAME.size + DOCUMENT.size : begin + size - CHECK.size - FRAME.size]
        yield begin, encode_document(DAMAGE_TYPE, kept)
        begin += size


def write_anew(file: DataFile, header: FileHeader | None, clock: Clock) -> list[str]:
    """Write a file anew with nothing but a first record and its whole events.

    Args:
        file: The file, locked; it is another one on return.
        header: What to write when the first record is damaged; None: what can be known.
        clock: The time.

    Returns:
        What is not in it, in words.

    Raises:
        OSError: It could not be written; the old one is as it was.
    """
    path = file.path
    data = map_file(path)
    first = read_first(data)
    cut: list[str] = []
    record = bytes(data[: first.end])
    if first.header is None:
        record = encode_header(header or _stand_in(path, data, clock))
        source = "as the side-car or the logger has it" if header else "with what could be known"
        cut.append(f"{first.fault}: another one was written, {source}")
    new = path.with_name(f".{path.name}.whole")
    try:
        with new.open("wb") as stream:
            stream.write(record)
            for piece in scan(data, first.end, len(data)):
                if isinstance(piece, Whole):
                    for place in range(piece.begin, piece.end, _STEP):
                        stream.write(data[place : min(place + _STEP, piece.end)])
                elif isinstance(piece, Damage):
                    cut.append(f"left out: {piece.text}")
            stream.flush()
            os.fsync(stream.fileno())
        index_path(path).unlink(missing_ok=True)  # it tells places of the old one
        new.replace(path)
        fsync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    return cut


def _stand_in(path: Path, data: Data, clock: Clock) -> FileHeader:
    """Return a header with what name and events of a file tell."""
    stream, run, sequence = parts_of_name(path) or ("unknown", 0, 0)
    if not run:
        run = _run_of(data)
    return FileHeader(
        run=run,
        stream=StreamConfiguration(name=stream, id=0),
        sequence=sequence,
        kind=FileKind.EVENTS,
        opened=clock.utc(),
        logger="",
        incarnation="",
        host="",
        remark="the first record was lost: name and run are from the file's name or events, "
        "the stream's id and parameters and what else stood there are not known",
    )


def _run_of(data: Data) -> int:
    """Return the run number of the first whole event; 0: there is none."""
    for piece in scan(data, 0, len(data)):
        if isinstance(piece, Whole):
            end = piece.begin + int(piece.entries["size"][0])
            header, _ = parse_event(data[piece.begin + FRAME.size : end - FRAME.size])
            return header.run
    return 0
