"""How records stand in a file: frames, documents, and the names of what belongs together."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TypeVar

import msgspec
from crc32c import crc32c

from idl_like_interfaces.event_files import (
    DAMAGE_TYPE,
    HEADER_TYPE,
    TRAILER_TYPE,
    FileHeader,
    FileTrailer,
)
from idl_like_interfaces.event_message import CHECK, FRAME, HEADER, LARGEST_MESSAGE, VERSION
from idl_like_interfaces.octets import Buffer
from objects.component.atomic import PART_SUFFIX

INDEX_SUFFIX = ".idx"
SIDE_CAR_SUFFIX = ".meta.json"

FRAME_BYTES = 2 * FRAME.size
"""What the two lengths add to a message."""

LEAST_EVENT = HEADER.size + CHECK.size
"""Bytes of an event message without streams and payload."""

DOCUMENT = struct.Struct("<4sHHI")
LEAST_DOCUMENT = DOCUMENT.size + CHECK.size

LARGEST_DOCUMENT = LARGEST_MESSAGE
"""Bytes of a record that is no event."""

DOCUMENT_TYPES = (HEADER_TYPE, TRAILER_TYPE, DAMAGE_TYPE)

T = TypeVar("T")

_NAME = re.compile(
    r"(?P<stream>[A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,63})_(?P<run>\d{9,10})_(?P<sequence>\d{3,}|garbage(?:_\d{3,})?)\.raw"
)


class NoDocument(ValueError):
    """Bytes that are no record of the type that is wanted; the text says what was found."""


def part_path(path: Path) -> Path:
    """Return how a file is called while it is not closed."""
    return path.with_name(path.name + PART_SUFFIX)


def final_path(path: Path) -> Path:
    """Return how a file is called when it is closed, given either name."""
    return path.with_name(path.name.removesuffix(PART_SUFFIX))


def index_path(path: Path) -> Path:
    """Return where the index of a file is, given either name of the file."""
    return path.with_name(final_path(path).name + INDEX_SUFFIX)


def side_car_path(path: Path) -> Path:
    """Return where the side-car of a file is, given either name of the file."""
    return path.with_name(final_path(path).name + SIDE_CAR_SUFFIX)


def parts_of_name(path: Path) -> tuple[str, int, int] | None:
    """Return stream, run and sequence as a file's name tells them; ``None``: it is another name."""
    found = _NAME.fullmatch(final_path(path).name)
    if found is None:
        return None
    sequence = found["sequence"]
    return found["stream"], int(found["run"]), int(sequence) if sequence.isdecimal() else 0


def framed(message: Buffer) -> bytes:
    """Return a message between its lengths."""
    length = FRAME.pack(len(message))
    return b"".join((length, message, length))


def check_of(record: bytes) -> int:
    """Return the check of a framed record."""
    return int(CHECK.unpack_from(record, len(record) - FRAME.size - CHECK.size)[0])


def encode_document(type_: bytes, content: Buffer) -> bytes:
    """Return the framed record of a document."""
    body = DOCUMENT.pack(type_, VERSION, 0, len(content)) + bytes(content)
    return framed(body + CHECK.pack(crc32c(body)))


def encode_header(header: FileHeader) -> bytes:
    """Return the first record of a file."""
    return encode_document(HEADER_TYPE, msgspec.json.encode(header))


def encode_trailer(trailer: FileTrailer) -> bytes:
    """Return the last record of a file."""
    return encode_document(TRAILER_TYPE, msgspec.json.encode(trailer))


def read_document(message: memoryview, type_: bytes, kind: type[T]) -> T:
    """Read a document of a message (without its frame).

    Raises:
        NoDocument: It is none, or damaged.
    """
    if message[:4] != type_:
        raise NoDocument(f"its type is {bytes(message[:4])!r}, not {type_!r}")
    if fault := document_fault(message):
        raise NoDocument(fault)
    try:
        return msgspec.json.decode(message[DOCUMENT.size : -CHECK.size], type=kind)
    except msgspec.DecodeError as error:
        raise NoDocument(f"its document is not as it should be: {error}") from error


def document_fault(message: memoryview) -> str:
    """Say what is wrong with a record that is no event; empty: nothing."""
    if len(message) < LEAST_DOCUMENT:
        return f"{len(message)} bytes are too few"
    _, version, _, length = DOCUMENT.unpack_from(message)
    if version != VERSION:
        return f"its version is {version}, and only {VERSION} is known"
    if LEAST_DOCUMENT + length != len(message):
        return f"a document of {length} bytes does not make {len(message)} bytes"
    return check_fault(message)


def check_fault(message: memoryview) -> str:
    """Say that the CRC at the end of a message does not fit; empty: it does."""
    found = crc32c(message[: -CHECK.size])
    (told,) = CHECK.unpack_from(message, len(message) - CHECK.size)
    return "" if found == told else f"its check is {told:08x}, its bytes have {found:08x}"
