"""Frames in the bytes of a file: a chain of them, what stands in them, and where one begins again."""

from __future__ import annotations

import re
import struct
from mmap import mmap
from typing import TypeAlias

import numpy as np

from idl_like_interfaces.event_message import (
    EVENT_TYPE,
    FRAME,
    LARGEST_MESSAGE,
    VERSION,
    Malformed,
    parse_event,
)
from objects.logger_stream.files.index import ENTRY, Entries, entries_of
from objects.logger_stream.files.layout import (
    DOCUMENT_TYPES,
    FRAME_BYTES,
    LEAST_DOCUMENT,
    LEAST_EVENT,
    document_fault,
)
from objects.logger_stream.parsing import Frames, examine

Data: TypeAlias = "mmap | bytes"
Places: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.int64]]"

_BEGINS = re.compile(b"D0(?:EV|FT|XX)")
_LENGTHS = struct.Struct("<4sHHIIIHHQI")


def chain(data: Data, begin: int, end: int, most: int) -> tuple[list[int], int]:
    """Follow frames whose two lengths agree, at most so many.

    Returns:
        Where each of them begins, and where the last one ends.
    """
    read, position = FRAME.unpack_from, begin
    starts: list[int] = []
    while position + FRAME_BYTES <= end and len(starts) < most:
        (length,) = read(data, position)
        stop = position + FRAME_BYTES + length
        if not LEAST_DOCUMENT <= length <= LARGEST_MESSAGE or stop > end:
            break
        if read(data, stop - FRAME.size)[0] != length:
            break
        starts.append(position)
        position = stop
    return starts, position


def chain_back(data: Data, begin: int, end: int) -> int:
    """Follow frames backwards from an end; return where the earliest of them begins."""
    read, position = FRAME.unpack_from, end
    while position - FRAME_BYTES >= begin:
        (length,) = read(data, position - FRAME.size)
        start = position - FRAME_BYTES - length
        if not LEAST_DOCUMENT <= length <= LARGEST_MESSAGE or start < begin:
            break
        if read(data, start)[0] != length:
            break
        position = start
    return position


def judge(data: Data, starts: Places, ends: Places) -> tuple[Entries, Places]:
    """Read the events of frames, and tell which of them are whole.

    Returns:
        The entry of each, of no meaning for those that are no whole event; the places of these.
    """
    frames = Frames(starts=starts, sizes=ends - starts, end=int(ends[-1]), problem="")
    parsed = examine(memoryview(data), frames)
    entries: Entries = np.zeros(len(starts), ENTRY)
    entries[parsed.places] = entries_of(parsed.records)
    return entries, np.flatnonzero(entries["size"] == 0)


def fault_of(data: Data, start: int, end: int) -> str:
    """Say what is wrong with the message of a frame; empty: it is a document, and whole."""
    with memoryview(data) as view, view[start + FRAME.size : end - FRAME.size] as message:
        type_ = bytes(message[:4])
        if type_ == EVENT_TYPE:
            try:
                parse_event(message)
            except Malformed as fault:
                return str(fault)
            return ""
        if type_ not in DOCUMENT_TYPES:
            return f"a record of type {type_!r}, which does not belong into an event file"
        return document_fault(message)


def type_of(data: Data, start: int) -> bytes:
    """Return the four letters of type of the message in a frame."""
    return bytes(data[start + FRAME.size : start + FRAME.size + 4])


def frame_at(data: Data, start: int, end: int) -> int:
    """Return where the frame ends that begins there and holds a whole message; 0: none does."""
    starts, stop = chain(data, start, end, 1) if start >= 0 else ([], 0)
    return stop if starts and not fault_of(data, start, stop) else 0


def claimed_end(data: Data, start: int, end: int) -> int:
    """Return where the event that begins there says that it ends; 0: it contradicts itself.

    Length and header must tell the same, so it can be believed although its end is missing.
    """
    if start + FRAME.size + _LENGTHS.size > end:
        return 0
    length: int = FRAME.unpack_from(data, start)[0]
    type_, version, *_, streams, _, payload = _LENGTHS.unpack_from(data, start + FRAME.size)
    agrees = length == LEAST_EVENT + 2 * streams + payload
    if type_ != EVENT_TYPE or version != VERSION or not agrees or length > LARGEST_MESSAGE:
        return 0
    return start + FRAME_BYTES + length


def search(data: Data, begin: int, end: int) -> int:
    """Return where the next whole record begins, at or behind a place; the end: there is none."""
    position = begin + FRAME.size
    while found := _BEGINS.search(data, position, end):
        start = found.start() - FRAME.size
        if frame_at(data, start, end):
            return start
        position = found.start() + 1
    return end
