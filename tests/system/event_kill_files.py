"""Reads event files as their description says, with nothing of the code that writes them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import crc32c

_HEADER = struct.Struct("<4sHHIIIHHQIIQQ")
_DOCUMENT = struct.Struct("<4sHHI")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An event as it stands in a file."""

    run: int
    event: int
    lbn: int
    streams: tuple[int, ...]
    sender: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """An event file.

    Attributes:
        path: Where it is.
        events: Its events in their order.
        header: The document of its first record.
        trailer: That of its last record; empty: it has none.
        faults: What is not as it is described.
    """

    path: Path
    events: list[Found]
    header: dict[str, Any]
    trailer: dict[str, Any]
    faults: list[str]


def read_events(path: Path) -> Contents:
    """Read a whole file."""
    data = path.read_bytes()
    faults: list[str] = []
    events: list[Found] = []
    documents: list[tuple[int, bytes, dict[str, Any]]] = []
    for number, record in enumerate(_records(data, faults)):
        if struct.unpack("<I", record[-4:])[0] != crc32c.crc32c(record[:-4]):
            faults.append(f"record {number} has a wrong check")
        elif record[:4] == b"D0EV":
            events.append(_event(record))
        else:
            kind, _, _, length = _DOCUMENT.unpack_from(record)
            text = record[_DOCUMENT.size : _DOCUMENT.size + length]
            documents.append((number, kind, json.loads(text)))
    kinds = [kind for _, kind, _ in documents]
    if not documents or documents[0][:2] != (0, b"D0FH"):
        faults.append(f"it does not begin with a header: {kinds}")
    trailers = [document for _, kind, document in documents if kind == b"D0FT"]
    headers = [document for _, kind, document in documents if kind == b"D0FH"]
    return Contents(
        path=path,
        events=events,
        header=headers[0] if headers else {},
        trailer=trailers[-1] if trailers else {},
        faults=[f"{path.name}: {each}" for each in faults],
    )


def _records(data: bytes, faults: list[str]) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        record = data[at + 4 : at + 4 + length]
        behind = data[at + 4 + length : at + 8 + length]
        if len(record) < length or behind != data[at : at + 4]:
            faults.append(f"the frame at {at} of {len(data)} does not close")
            return
        yield record
        at += 8 + length


def _event(record: bytes) -> Found:
    head = _HEADER.unpack_from(record)
    _, _, _, run, event, lbn, _, count, _, length, _, sender, sequence = head
    start = _HEADER.size + 2 * count
    return Found(
        run=run,
        event=event,
        lbn=lbn,
        streams=struct.unpack_from(f"<{count}H", record, _HEADER.size),
        sender=sender,
        sequence=sequence,
        payload=record[start : start + length],
    )
