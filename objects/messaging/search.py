"""A search: what a reader looks for behind its position, again and again."""

from __future__ import annotations

from collections.abc import Callable

from idl_like_interfaces.events import Gap, GapReason
from objects.messaging.cursor import Position
from objects.messaging.journal import Reading

_LOST_ALL = Gap(reason=GapReason.NEW_EPOCH, count=-1)


class Search:
    """Reads behind a position; the channel's lock must be held.

    What does not match is passed over only once, however often it looks.

    Args:
        start: The position; one of another epoch has lost all.
        epoch: The epoch of the channel.
        read: Reads the journal behind a sequence number.
    """

    def __init__(self, start: Position, epoch: str, read: Callable[[int], Reading]) -> None:
        self._is_foreign = start.epoch != epoch
        self._after = 0 if self._is_foreign else start.sequence
        self._read = read

    def look(self) -> Reading | None:
        """Return what there is, or nothing."""
        reading = self.read()
        return reading if reading.gaps or reading.picks else None

    def read(self) -> Reading:
        """Return what there is, be it empty."""
        reading = self._read(self._after)
        if self._is_foreign:
            gaps = [_LOST_ALL, *reading.gaps]
            return Reading(gaps=gaps, picks=reading.picks, position=reading.position)
        if not reading.gaps and not reading.picks:
            self._after = reading.position
        return reading
