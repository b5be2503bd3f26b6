"""The first use of a struct type, one thread at a time.

msgspec learns a struct type when it reads one for the first time. It makes the result known
before it is complete, since a type may contain itself; a second thread that reads the same
type just then reads memory that is not there, and the process dies (seen with 0.22: the
product maker was killed by it at a start with two acquisitions to go on with).
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_lock = threading.RLock()
_ready: set[Any] = set()


def ready(type_: T) -> T:
    """Return a type that may be read by several threads at once from here on."""
    try:
        if type_ in _ready:
            return type_
    except TypeError:
        _learn(type_)  # not hashable, so it is not remembered; what it consists of is known then
        return type_
    _learn(type_)
    _ready.add(type_)
    return type_


def all_ready() -> None:
    """Have all struct types learnt that there are; to be called before threads are started."""
    open_: list[type] = [msgspec.Struct]
    while open_:
        found: list[type] = open_.pop().__subclasses__()
        open_ += found
        for each in found:
            ready(each)


def _learn(type_: object) -> None:
    with _lock:
        try:
            msgspec.msgpack.Decoder(type_)
        except (TypeError, NameError):
            # It cannot be read at all, or not yet; who tries will be told.
            return
