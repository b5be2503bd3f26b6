"""What waits for one consumer: how much, what of it is lost to its limits, what it gets next.

A backlog holds no events. It knows a place in the journal, what there is behind it, and what
of that its consumer will not get.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from typing_extensions import override

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.events import Gap, GapReason
from objects.messaging.chunk import Chunk
from objects.messaging.cursor import Place
from objects.messaging.journal import Journal, Pick, Wanted, behind

Lose = Callable[[Chunk, Sequence[int], GapReason], None]
"""Is told, once, of each event that a consumer will not get: chunk, positions in it, why."""


class Found(NamedTuple):
    """What a consumer gets, and the place behind it."""

    gaps: list[Gap]
    picks: list[Pick]
    place: Place


class Backlog(ABC):
    """What waits for one consumer."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Events."""

    @property
    @abstractmethod
    def waiting_bytes(self) -> int:
        """Size of their records."""

    @abstractmethod
    def parts(self) -> Iterator[tuple[Chunk, Sequence[int]]]:
        """Yield what waits, by chunk."""

    @abstractmethod
    def begin(self, place: Place) -> None:
        """Go on behind a place, wherever it was before."""

    @abstractmethod
    def settle(self) -> None:
        """Note that all that was handed out has arrived; it is not asked for again."""

    @abstractmethod
    def add(self, chunk: Chunk) -> None:
        """Note what has come; a part of what waits may be lost for it."""

    @abstractmethod
    def lose(self, chunk: Chunk) -> None:
        """Note that a chunk is held no longer."""

    @abstractmethod
    def read(self, limit: int) -> Found:
        """Return what comes next, and go on behind it."""


class WholeBacklog(Backlog):
    """Has no limits of its own: what the channel holds waits for its consumer, in order."""

    def __init__(self, journal: Journal, filters: TopicFilters) -> None:
        self._journal = journal
        self._filters = filters
        self._after = 0

    @property
    @override
    def waiting(self) -> int:
        journal = self._journal
        after = max(self._after, journal.first - 1)
        return max(0, journal.count(self._filters, after, journal.last))

    @property
    @override
    def waiting_bytes(self) -> int:
        return sum(
            chunk.bytes_of(behind(chunk, self._filters, self._after))
            for chunk in self._journal.between(self._after, self._journal.last)
            if chunk.size
        )

    @override
    def parts(self) -> Iterator[tuple[Chunk, Sequence[int]]]:
        after = max(self._after, self._journal.first - 1)
        for chunk in self._journal.between(after, self._journal.last):
            if not chunk.is_damaged:
                yield chunk, behind(chunk, self._filters, after)

    @override
    def begin(self, place: Place) -> None:
        self._after = place.sequence

    @override
    def settle(self) -> None:
        """Nothing was noted."""

    @override
    def add(self, chunk: Chunk) -> None:
        """Nothing needs to be noted."""

    @override
    def lose(self, chunk: Chunk) -> None:
        """The journal tells of it."""

    @override
    def read(self, limit: int) -> Found:
        reading = self._journal.read(Wanted(filters=self._filters, limit=limit), self._after)
        self._after = reading.position
        return Found(reading.gaps, reading.picks, Place(reading.position))
