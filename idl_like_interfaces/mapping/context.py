"""What goes with a call besides its arguments: its id, its time, who makes it.

A stub writes it into the annotation ``OBSB``; a servant's thread has it while it executes
the call, so that the calls that it makes itself inherit the deadline.
"""

from __future__ import annotations

import itertools
import secrets
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from idl_like_interfaces.octets import Buffer

MARK = "OBSB"
"""Annotation that says: the sender is one of our stubs."""

_VERSION = 1
_FORM = struct.Struct("!BQQI")
_MOST_MS = 2**32 - 1


@dataclass(frozen=True, slots=True)
class CallMark:
    """The content of the annotation ``OBSB`` of a request.

    On the wire: version (1 octet), caller (8), number (8), milliseconds left (4), all
    big-endian. A receiver ignores octets behind those that it knows; one octet alone is a
    mark without id and deadline.

    Attributes:
        caller: Random number of the stub.
        number: Rises with each call of that stub.
        left_ms: Time until the deadline when it was sent; 0: there is none.
    """

    caller: int
    number: int
    left_ms: int

    def pack(self) -> bytes:
        """Return the annotation."""
        return _FORM.pack(_VERSION, self.caller, self.number, min(self.left_ms, _MOST_MS))

    @classmethod
    def parse(cls, annotation: Buffer) -> Self | None:
        """Read the annotation; ``None`` when it has no id, or is of an unknown version."""
        if len(annotation) < _FORM.size or annotation[0] != _VERSION:
            return None
        _, caller, number, left_ms = _FORM.unpack_from(annotation)
        return cls(caller, number, left_ms)


class CallIds:
    """Makes the marks of the calls of one stub; usable from any thread.

    A receiver remembers numbers that it has not seen. So calls that it does not remember,
    or that may wait for long behind each other, have ids of their own.
    """

    def __init__(self) -> None:
        self._caller = secrets.randbits(64)
        self._numbers = itertools.count(1)

    def mark(self, left_s: float) -> bytes:
        """Return the annotation of the next call."""
        left_ms = int(left_s * 1000)
        if not 0 < left_ms <= _MOST_MS:
            left_ms = min(max(1, left_ms), _MOST_MS)
        return _FORM.pack(_VERSION, self._caller, next(self._numbers), left_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who makes a call.

    Attributes:
        address: Host address of the peer; empty for a call in the same process.
        identity: Common name of its certificate; empty without TLS.
        stated: Alternative names of its certificate that are URIs; one may state a role.
    """

    address: str = ""
    identity: str = ""
    stated: tuple[str, ...] = ()


_NOBODY = Caller()


class _Current(threading.local):
    until: float | None = None
    caller: Caller = _NOBODY


_current = _Current()


def begin_serving(until: float | None, caller: Caller) -> None:
    """Say that this thread executes a call: until when (monotonic; ``None``: any), for whom."""
    _current.until, _current.caller = until, caller


def end_serving() -> None:
    """Say that this thread executes no call any more."""
    _current.until, _current.caller = None, _NOBODY


@contextmanager
def serving(until: float | None, caller: Caller) -> Iterator[None]:
    """Execute a call in this thread (see ``begin_serving``)."""
    before = _current.until, _current.caller
    begin_serving(until, caller)
    try:
        yield
    finally:
        begin_serving(*before)


def current_caller() -> Caller:
    """Return who makes the call that this thread executes."""
    return _current.caller


def time_left(until: float) -> float:
    """Return the seconds until a moment of the monotonic clock; negative when it is past."""
    return until - time.monotonic()


def remaining_s(own_s: float) -> float:
    """Return how long a call of this thread may take: its own deadline, or less.

    A thread that executes a call has no more time than that call has left; the result
    may be zero or less.
    """
    if _current.until is None:
        return own_s
    return min(own_s, _current.until - time.monotonic())
