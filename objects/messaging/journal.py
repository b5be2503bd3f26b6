"""The journal: the newest events, bounded, and what is known of those that had to go."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from idl_like_interfaces.events import Batch, Gap, GapReason
from objects.messaging.chunk import Chunk
from objects.messaging.glob import TopicFilters

REPLY_BYTES = 2 * 1024 * 1024
"""A reading ends before the chunk that would pass this (messages are bounded by 4 MiB)."""

_COMPACT_FROM = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What the journal holds at most; the newest chunk stays whatever its size.

    Attributes:
        max_events: Events. So many evicted ones are remembered without their records, so
            that a gap can say how many of them matched.
        max_bytes: Bytes of the records.
    """

    max_events: int = 100_000
    max_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The matching events of a chunk, by their positions in it."""

    chunk: Chunk
    positions: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a consumer gets: the gaps, then the events, up to a position.

    Attributes:
        gaps: What is missing before the first event.
        picks: The events.
        position: Sequence number up to which this accounts for every event.
    """

    gaps: list[Gap]
    picks: list[Pick]
    position: int


class Journal:
    """The chunks of one epoch, oldest first: remembered ones, then held ones."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._chunks: list[Chunk] = []
        self._firsts: list[int] = []
        self._oldest_known = self._oldest_held = 0
        self._held_events = self._remembered_events = 0
        self._newest_forgotten_hole = 0
        self.held_bytes = 0
        self.last = 0

    @property
    def first(self) -> int:
        """Sequence number of the oldest event held; ``last + 1`` when there is none."""
        return self._first_of(self._oldest_held)

    @property
    def first_known(self) -> int:
        """Sequence number of the oldest event whose topic is still known."""
        return self._first_of(self._oldest_known)

    def _first_of(self, index: int) -> int:
        return self._firsts[index] if index < len(self._firsts) else self.last + 1

    def append(self, batch: Batch, missing: int = 0) -> Chunk:
        """Number the events of a batch and keep them; evict what passes the bounds."""
        count = len(batch.records)
        chunk = Chunk(first=self.last + 1, count=count, batch=batch, missing=missing)
        self._chunks.append(chunk)
        self._firsts.append(chunk.first)
        self.last = chunk.last
        self._held_events += count
        self.held_bytes += chunk.size
        self._evict()
        return chunk

    def _evict(self) -> None:
        bounds = self._retention
        while self._oldest_held < len(self._chunks) - 1 and (
            self._held_events > bounds.max_events or self.held_bytes > bounds.max_bytes
        ):
            chunk = self._chunks[self._oldest_held]
            self._chunks[self._oldest_held] = chunk.without_records()
            self._oldest_held += 1
            self._held_events -= chunk.count
            self.held_bytes -= chunk.size
            self._remembered_events += chunk.count
        self._forget()

    def _forget(self) -> None:
        while self._remembered_events > self._retention.max_events:
            chunk = self._chunks[self._oldest_known]
            self._remembered_events -= chunk.count
            self._oldest_known += 1
            if chunk.missing:
                self._newest_forgotten_hole = chunk.first
        if self._oldest_known > max(_COMPACT_FROM, len(self._chunks) // 2):
            del self._chunks[: self._oldest_known]
            del self._firsts[: self._oldest_known]
            self._oldest_held -= self._oldest_known
            self._oldest_known = 0

    def read(self, filters: TopicFilters, after: int, limit: int, max_queue: int = 0) -> Reading:
        """Return what comes behind a position.

        A gap stands only before the first event of a reading: one that is due later
        ends the reading and begins the next.

        Args:
            filters: What is wanted.
            after: The position.
            limit: Most events, at least 1.
            max_queue: Only so many matching events may wait; 0: any number.
        """
        start, gaps = self._enter(filters, after, max_queue)
        picks: list[Pick] = []
        room, size = limit, 0
        for chunk in self._between(start, self.last):
            if chunk.missing and start < chunk.first:
                if picks:
                    break
                gaps.append(_supplier_gap(chunk, filters))
            positions = _behind(chunk, filters, start)
            size += chunk.size if positions else 0
            if picks and (len(positions) > room or (positions and size > REPLY_BYTES)):
                break
            positions, is_whole = positions[:room], len(positions) <= room
            room -= len(positions)
            if positions:
                picks.append(Pick(chunk=chunk, positions=positions))
            start = chunk.last if is_whole else chunk.first + positions[-1]
            if not room:
                break
        return Reading(gaps=_merged(gaps), picks=picks, position=start)

    def _enter(self, filters: TopicFilters, after: int, max_queue: int) -> tuple[int, list[Gap]]:
        """Return where reading begins and what was passed over for it."""
        gaps: list[Gap] = []
        start = max(after, self.first - 1)
        if start > after:
            gaps += self._passed_over(filters, after, start, GapReason.RETENTION)
        if max_queue:
            behind = self._behind_overflow(filters, start, max_queue)
            if behind > start:
                gaps += self._passed_over(filters, start, behind, GapReason.DROP_OLDEST)
                start = behind
        return start, gaps

    def _behind_overflow(self, filters: TopicFilters, after: int, max_queue: int) -> int:
        """Return the position behind which at most ``max_queue`` events match."""
        room = max_queue
        for chunk in reversed(self._chunks[self._index_behind(after) :]):
            positions = _behind(chunk, filters, after)
            if len(positions) > room:
                return chunk.first + positions[len(positions) - room - 1]
            room -= len(positions)
        return after

    def _passed_over(
        self, filters: TopicFilters, after: int, upto: int, reason: GapReason
    ) -> list[Gap]:
        count = self.count(filters, after, upto)
        gaps = [Gap(reason=reason, count=count, first=after + 1, last=upto)] if count else []
        return gaps + [
            _supplier_gap(chunk, filters)
            for chunk in self._between(after, upto)
            if chunk.missing and chunk.first > after
        ]

    def count(self, filters: TopicFilters, after: int, upto: int) -> int:
        """Count the matching events in ``after < sequence <= upto``; -1 when not known."""
        if after < self._newest_forgotten_hole:
            return -1
        if filters.takes_all:
            return max(0, upto - after)
        if after + 1 < self.first_known:
            return -1
        return sum(
            len(_behind(chunk, filters, after)) - len(_behind(chunk, filters, upto))
            for chunk in self._between(after, upto)
        )

    def _between(self, after: int, upto: int) -> Iterator[Chunk]:
        """Yield the known chunks that have events in ``after < sequence <= upto``."""
        index = self._index_behind(after)
        while index < len(self._chunks) and self._firsts[index] <= upto:
            yield self._chunks[index]
            index += 1

    def _index_behind(self, after: int) -> int:
        """Return the index of the chunk that holds the first known event behind a position."""
        index = bisect_right(self._firsts, after + 1, lo=self._oldest_known) - 1
        return max(index, self._oldest_known)


def _behind(chunk: Chunk, filters: TopicFilters, after: int) -> Sequence[int]:
    """Return the matching positions in a chunk that lie behind a channel position."""
    if after >= chunk.last:
        return ()
    positions = chunk.matching(filters)
    if after < chunk.first:
        return positions
    return positions[bisect_right(positions, after - chunk.first) :]


def _supplier_gap(chunk: Chunk, filters: TopicFilters) -> Gap:
    """Tell of what a supplier never sent; its topics, and so its matches, are unknown."""
    count = chunk.missing if filters.takes_all else -1
    return Gap(reason=GapReason.SUPPLIER, count=count, source=chunk.batch.source)


def _merged(gaps: list[Gap]) -> list[Gap]:
    """Tell of each supplier once."""
    merged: dict[tuple[GapReason, str], Gap] = {}
    for gap in gaps:
        key = (gap.reason, gap.source)
        before = merged.get(key)
        if before is not None:
            unknown = min(gap.count, before.count) < 0
            count = -1 if unknown else gap.count + before.count
            gap = Gap(reason=gap.reason, count=count, source=gap.source)  # noqa: PLW2901
        merged[key] = gap
    return list(merged.values())
