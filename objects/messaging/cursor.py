"""Cursors: where a consumer is in the stream, as a text that it keeps."""

from __future__ import annotations

import re
from dataclasses import dataclass

from typing_extensions import override

from idl_like_interfaces.clients.topics import shortened
from idl_like_interfaces.events import InvalidCursor

NEW = "new"
OLDEST = "oldest"

_POSITION = re.compile(r"(?P<epoch>[!-~]{1,128}):(?P<sequence>[0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The place behind one event.

    Attributes:
        epoch: The channel's epoch.
        sequence: The event; 0 is before the first.
    """

    epoch: str
    sequence: int

    @override
    def __str__(self) -> str:
        return f"{self.epoch}:{self.sequence}"


def parse_cursor(text: str) -> Position:
    """Read a cursor other than ``new`` and ``oldest``.

    Raises:
        InvalidCursor: It has not the form ``EPOCH:SEQUENCE``.
    """
    found = _POSITION.fullmatch(text)
    if found is None:
        raise InvalidCursor(
            f"{shortened(text)!r} is not a cursor",
            cursor=shortened(text),
            cause="a cursor is 'new', 'oldest' or EPOCH:SEQUENCE as the channel gave it",
            remedy="begin with 'new' or 'oldest', then give the cursor of the reply before",
        )
    return Position(epoch=found["epoch"], sequence=int(found["sequence"]))


def refuse_future(position: Position, last: int) -> None:
    """Refuse a cursor that this epoch cannot have given.

    Raises:
        InvalidCursor: It lies behind the newest event.
    """
    if position.sequence > last:
        raise InvalidCursor(
            f"cursor {position} lies behind the newest event, {last}",
            cursor=str(position),
            cause="it was changed on its way, or is of another channel",
            remedy="begin again with 'new' or 'oldest'",
        )
