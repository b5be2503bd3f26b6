"""From bytes to checked records: frames, headers, checks; all but the CRC without a loop per event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from crc32c import crc32c

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_message import (
    CHECK,
    EVENT_TYPE,
    FRAME,
    HEADER,
    LARGEST_MESSAGE,
    VERSION,
    Malformed,
    parse_event,
)
from idl_like_interfaces.octets import Buffer
from objects.logger_stream.records import INDEX, Mask, Records

_LEAST: Final = HEADER.size + CHECK.size
_FRAMES: Final = 2 * FRAME.size
_TOLD: Final = 8
"""Of so many damaged messages of a batch it is said what was found."""

_HEADER: Final = np.dtype(
    [
        ("type", "<u4"), ("version", "<u2"), ("flags", "<u2"), ("run", "<u4"), ("event", "<u4"),
        ("lbn", "<u4"), ("node", "<u2"), ("streams", "<u2"), ("time", "<u8"), ("length", "<u4"),
        ("reserved", "<u4"), ("sender", "<u8"), ("sequence", "<u8"),
    ]
)  # fmt: skip
_EVENT: Final = int.from_bytes(EVENT_TYPE, "little")

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Where the whole framed messages at the begin of some bytes are.

    Attributes:
        starts: Where the leading frame of each begins.
        sizes: Bytes of each, with both frames.
        end: Behind the last whole one.
        problem: What was found there; empty: the bytes end there.
    """

    starts: Places
    sizes: Places
    end: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What is in some framed messages.

    Attributes:
        records: The events whose form and check are right, in order.
        places: Which message each of them was, from 0.
        count: Messages of all kinds.
        skipped: Those of other types, by type.
        damaged: Those that are no whole events.
        others: Which those of both kinds were, with their type; empty: they are damaged.
        found: What was found of the first of these.
    """

    records: Records
    places: Places
    count: int
    skipped: Counter[str]
    damaged: int
    others: list[tuple[int, str]]
    found: list[str]


def find_frames(octets: Buffer, begin: int = 0, largest: int = LARGEST_MESSAGE) -> Frames:
    """Walk along the frames from ``begin`` on, up to the first that does not fit.

    Args:
        octets: Framed messages, one behind the other.
        begin: Where the first begins.
        largest: A message has no more bytes.
    """
    view = memoryview(octets).cast("B")
    starts: list[int] = []
    step = starts.append
    unpack, size = FRAME.unpack_from, len(view)
    at, last = begin, size - _FRAMES
    while at <= last:
        (length,) = unpack(view, at)
        behind = at + length + _FRAMES
        if behind > size or length > largest:
            break
        step(at)
        at = behind
    return _agreeing(view, np.array([*starts, at], np.int64), largest)


def _agreeing(view: memoryview, bounds: Places, largest: int) -> Frames:
    """Keep the frames up to the first whose two lengths differ; say what ended them."""
    starts, ends = bounds[:-1], bounds[1:]
    if not len(starts):
        return Frames(
            starts=starts, sizes=starts.copy(), end=int(bounds[0]),
            problem=_what_follows(view, int(bounds[0]), largest),
        )  # fmt: skip
    wrong = np.flatnonzero(_big_endian(view, ends - FRAME.size) != ends - starts - _FRAMES)
    if len(wrong):
        row = int(wrong[0])
        at, end = int(starts[row]), int(ends[row])
        (behind,) = FRAME.unpack_from(view, end - FRAME.size)
        problem = (
            f"the message at byte {at} has {end - at - _FRAMES} bytes by the frame before it, "
            f"and {behind} by the one behind it"
        )
        return Frames(starts=starts[:row], sizes=(ends - starts)[:row], end=at, problem=problem)
    at = int(bounds[-1])
    return Frames(
        starts=starts, sizes=ends - starts, end=at, problem=_what_follows(view, at, largest)
    )


def _what_follows(view: memoryview, at: int, largest: int) -> str:
    left = len(view) - at
    if not left:
        return ""
    if left < _FRAMES:
        return f"the last {left} bytes are fewer than two frames have"
    (length,) = FRAME.unpack_from(view, at)
    if length > largest:
        return f"the frame at byte {at} tells {length} bytes, a message has {largest} at most"
    return f"the frame at byte {at} tells {length} bytes, only {left - _FRAMES} are there"


def _big_endian(view: memoryview, places: Places) -> Places:
    octets = np.frombuffer(view, np.uint8)
    value = np.zeros(len(places), np.int64)
    for number in range(FRAME.size):
        value = (value << 8) | octets[places + number]
    return value


def parse(octets: Buffer, most: int | None = None) -> Parsed:
    """Parse framed messages; the records are views of the bytes.

    Args:
        octets: Framed messages, one behind the other.
        most: How many there may be.

    Raises:
        BadParam: The frames do not fit the bytes, or are too many; the text says what was found.
    """
    frames = find_frames(octets)
    if frames.problem:
        raise BadParam(
            f"no row of framed messages: {frames.problem}",
            field="messages",
            remedy="write the length before and behind each message, 32 bits, big-endian",
        )
    if most is not None and len(frames.starts) > most:
        raise BadParam(
            f"{len(frames.starts)} messages in one batch",
            field="messages",
            remedy=f"send at most {most} at once",
        )
    return examine(octets, frames)


def examine(octets: Buffer, frames: Frames) -> Parsed:
    """Look into framed messages: take out what is of another type, or damaged."""
    view = memoryview(octets).cast("B")
    long = frames.sizes >= _LEAST + _FRAMES
    heads = _heads(view, frames.starts[long])
    good = np.zeros(len(long), np.bool_)
    ends = frames.sizes[long] - _FRAMES
    whole = HEADER.size + 2 * heads["streams"].astype(np.int64) + heads["length"] + CHECK.size
    good[long] = (heads["type"] == _EVENT) & (heads["version"] == VERSION) & (whole == ends)
    index = _index(frames, heads[good[long]], good)
    sound = _checked(view, index)
    places = np.flatnonzero(good)[sound]
    good[np.flatnonzero(good)[~sound]] = False
    others, found = _others(view, frames, good)
    skipped = Counter(type_ for _, type_ in others if type_)
    return Parsed(
        records=Records(view, index[sound]), places=places, count=len(good), skipped=skipped,
        damaged=len(others) - skipped.total(), others=others, found=found,
    )  # fmt: skip


def _heads(view: memoryview, starts: Places) -> npt.NDArray[np.void]:
    if not len(starts):
        return np.empty(0, _HEADER)
    # A window at each byte: those of the headers are copied, whatever they are aligned to.
    windows: npt.NDArray[np.void] = np.ndarray(
        (len(view) - HEADER.size + 1,), _HEADER, view, strides=(1,)
    )
    return windows[starts + FRAME.size]


def _index(frames: Frames, heads: npt.NDArray[np.void], good: Mask) -> npt.NDArray[np.void]:
    index = np.empty(len(heads), INDEX)
    index["start"] = frames.starts[good]
    index["size"] = frames.sizes[good]
    for name in ("run", "event", "lbn", "streams", "sender", "sequence"):
        index[name] = heads[name]
    return index


def _checked(view: memoryview, index: npt.NDArray[np.void]) -> Mask:
    """Fill the checks in; tell which are right."""
    begins = index["start"] + FRAME.size
    ends = index["start"] + index["size"] - FRAME.size - CHECK.size
    pairs = zip(begins.tolist(), ends.tolist(), strict=True)
    found = np.fromiter((crc32c(view[a:b]) for a, b in pairs), np.int64, len(index))
    told = np.zeros(len(index), np.int64)
    if len(index):
        octets = np.frombuffer(view, np.uint8)
        for number in range(CHECK.size):
            told |= octets[ends + number].astype(np.int64) << (8 * number)
    index["check"] = told
    return np.equal(found, told)


def _others(
    view: memoryview, frames: Frames, good: Mask
) -> tuple[list[tuple[int, str]], list[str]]:
    others: list[tuple[int, str]] = []
    found: list[str] = []
    for row in np.flatnonzero(~good).tolist():
        start = int(frames.starts[row]) + FRAME.size
        message = view[start : start + int(frames.sizes[row]) - _FRAMES]
        type_ = bytes(message[: len(EVENT_TYPE)])
        is_other = len(type_) == len(EVENT_TYPE) and type_ != EVENT_TYPE
        others.append((row, _type_name(type_) if is_other else ""))
        if not is_other and len(found) < _TOLD:
            found.append(f"message {row}: {_what_is_wrong(message)}")
    return others, found


def _type_name(octets: bytes) -> str:
    text = octets.decode("latin-1")
    return text if text.isascii() and text.isprintable() else octets.hex()


def _what_is_wrong(message: memoryview) -> str:
    try:
        header, _ = parse_event(message)
    except Malformed as error:
        return str(error)
    return f"event {header.event} changed while it was read"
