"""Cursors: where a consumer is in the stream, as a text that it keeps."""

from __future__ import annotations

import re
from dataclasses import dataclass

from typing_extensions import override

from idl_like_interfaces.clients.topics import shortened
from idl_like_interfaces.event_errors import InvalidCursor
from objects.messaging.chunk import LANES

NEW = "new"
OLDEST = "oldest"
LATEST = "latest"

_POSITION = re.compile(
    r"(?P<epoch>[!-~]{1,128}):(?P<sequence>[0-9]{1,18})"
    r"(?:~(?P<told>[0-9]{1,18})|\.(?P<normal>[0-9]{1,18})\.(?P<high>[0-9]{1,18}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the stream of one epoch.

    Attributes:
        sequence: All events up to this one are behind, or, with ``lanes``, all of the lowest.
        lanes: Who reads the most urgent first is elsewhere in each lane; empty: everywhere here.
        told: The newest events of the topics are being told, those up to ``sequence``;
            they have been up to this one. ``None``: that is over.
    """

    sequence: int
    lanes: tuple[int, ...] = ()
    told: int | None = None

    @property
    def in_lanes(self) -> tuple[int, ...]:
        """The place in each lane."""
        return self.lanes or (self.sequence,) * len(LANES)

    @property
    def furthest(self) -> int:
        """The newest event that is behind."""
        return max(self.lanes, default=self.sequence)

    @classmethod
    def of_lanes(cls, lanes: tuple[int, ...]) -> Place:
        """Return the place that is made up of those in the lanes."""
        return cls(lanes[0], () if len(set(lanes)) == 1 else lanes)

    @override
    def __str__(self) -> str:
        if self.told is not None:
            return f"{self.sequence}~{self.told}"
        return ".".join(map(str, self.lanes or (self.sequence,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place, and the epoch of the channel that it is in."""

    epoch: str
    place: Place

    @override
    def __str__(self) -> str:
        return f"{self.epoch}:{self.place}"


def parse_cursor(text: str) -> Position:
    """Read a cursor other than ``new``, ``oldest`` and ``latest``.

    Raises:
        InvalidCursor: It has not the form of one.
    """
    found = _POSITION.fullmatch(text)
    if found is None:
        raise InvalidCursor(
            f"{shortened(text)!r} is not a cursor",
            cursor=shortened(text),
            cause="a cursor is 'new', 'oldest', 'latest' or EPOCH:SEQUENCE as the channel gave it",
            remedy="begin with one of the three words, then give the cursor of the reply before",
        )
    sequence = int(found["sequence"])
    if found["told"]:
        return Position(epoch=found["epoch"], place=Place(sequence, told=int(found["told"])))
    if found["high"]:
        lanes = (sequence, int(found["normal"]), int(found["high"]))
        return Position(epoch=found["epoch"], place=Place.of_lanes(lanes))
    return Position(epoch=found["epoch"], place=Place(sequence))


def refuse_future(position: Position, last: int) -> None:
    """Refuse a cursor that this epoch cannot have given.

    Raises:
        InvalidCursor: It lies behind the newest event.
    """
    if position.place.furthest > last:
        raise InvalidCursor(
            f"cursor {position} lies behind the newest event, {last}",
            cursor=str(position),
            cause="it was changed on its way, or is of another channel",
            remedy="begin again with 'new', 'latest' or 'oldest'",
        )
