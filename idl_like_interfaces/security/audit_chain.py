"""The form of the audit log: lines of JSON, each sealed with a hash over the one before.

A line is one JSON object whose last two members are ``prev``, the hash of the line before,
and ``hash``, the SHA-256 of the line itself up to ``,"hash"``. So a line is judged by its
octets alone; nothing depends on how JSON could be written otherwise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

ORIGIN = "0" * 64
"""What stands for the hash before the very first line."""

_SEAL = b',"hash":"'
_HASH = 64


class Kind(StrEnum):
    """What a line tells."""

    START = "start"
    CALL = "call"
    DENIED = "denied"
    COUNT = "count"
    STOP = "stop"


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the log; what it has not to tell is left out.

    Attributes:
        seq: Number within the chain, from 1.
        time: UTC.
        what: What it tells.
        process: Which program writes.
        incarnation: This start of it.
        caller: Name in the caller's certificate, ``local``, or its address.
        address: Of the caller's host.
        role: What the caller was when it called.
        object: Name of the object.
        operation: Name of the operation.
        outcome: ``ok`` or the repository id of an error.
        missing: Lines that could not be written before this one.
        counted: Calls since the line before that were only counted, by operation; ``denied``
            are denials beyond the rate that is recorded one by one.
        torn: Octets of an unfinished line before this one.
        torn_hash: SHA-256 of them.
        prev: Hash of the line before.
    """

    seq: int
    time: str
    what: Kind
    process: str
    incarnation: str = ""
    caller: str = ""
    address: str = ""
    role: str = ""
    object: str = ""
    operation: str = ""
    outcome: str = ""
    missing: int = 0
    counted: dict[str, int] = {}
    torn: int = 0
    torn_hash: str = ""
    prev: str


class Sealed(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line as it stands in a file."""

    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: number and hash of its last line."""

    seq: int = 0
    hash: str = ORIGIN


def seal(record: Record) -> tuple[bytes, Head]:
    """Return the line of a record, with its end, and the new head of the chain."""
    content = msgspec.json.encode(record)[:-1]
    digest = hashlib.sha256(content).hexdigest()
    return content + _SEAL + digest.encode() + b'"}\n', Head(record.seq, digest)


def unseal(line: bytes) -> Sealed:
    """Read a whole line.

    Raises:
        ValueError: It is no line of this form, or its hash is not of its content.
    """
    content, seal_, rest = line.rpartition(_SEAL)
    if not seal_ or len(rest) != _HASH + len(b'"}\n') or not rest.endswith(b'"}\n'):
        message = "it is no record"
        raise ValueError(message)
    if hashlib.sha256(content).hexdigest() != rest[:_HASH].decode("ascii", "replace"):
        message = "its content is not what its hash was made of"
        raise ValueError(message)
    try:
        return msgspec.json.decode(line, type=Sealed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"it is no record: {error}"
        raise ValueError(message) from error


def torn_mark(octets: bytes) -> dict[str, Any]:
    """Return the members that tell of an unfinished line."""
    return {"torn": len(octets), "torn_hash": hashlib.sha256(octets).hexdigest()} if octets else {}
