"""The journal: the newest events, bounded, and what is known of those that had to go."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.events import Batch, Gap, GapReason, Priority
from objects.messaging.chunk import Chunk
from objects.messaging.drops import Drops

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
        max_age_s: Seconds since they came; 0: any.
    """

    max_events: int = 100_000
    max_bytes: int = 64 * 1024 * 1024
    max_age_s: float = 0.0


class Pick(NamedTuple):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a reading is to find.

    Attributes:
        filters: Over the topics.
        limit: Most events, at least 1.
        lane: Only this one; ``None``: all.
        drops: What its consumer lost by its own limits, and by the retention;
            ``None``: only the journal knows.
        room: Most bytes of records.
    """

    filters: TopicFilters
    limit: int
    lane: Priority | None = None
    drops: Drops | None = None
    room: int = REPLY_BYTES


class Journal:
    """The chunks of one epoch, oldest first: remembered ones, then held ones."""

    def __init__(self, retention: Retention) -> None:
        self.retention = retention
        self._chunks: list[Chunk] = []
        self._firsts: list[int] = []
        self._oldest_known = self._oldest_held = 0
        self._held_events = self._remembered_events = 0
        self._newest_forgotten_hole = self._newest_damaged = 0
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

    def restore(self, chunks: Iterable[Chunk], after: int, last: int) -> None:
        """Begin with what was read back; where events are missing they are damaged.

        Args:
            chunks: By sequence number.
            after: What came up to here is forgotten.
            last: The newest event that was accepted.
        """
        self.last = after
        for chunk in chunks:
            self._fill(chunk.first - 1)
            self._keep(chunk)
        self._fill(last)

    def _fill(self, upto: int) -> None:
        if self.last < upto:
            self._keep(Chunk.damaged(self.last + 1, upto))

    def append(self, batch: Batch, missing: int = 0, came: float = 0.0) -> Chunk:
        """Number the events of a batch and keep them."""
        chunk = Chunk(
            first=self.last + 1, count=len(batch.records), batch=batch, missing=missing, came=came
        )
        self._keep(chunk)
        return chunk

    def _keep(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._firsts.append(chunk.first)
        self.last = chunk.last
        self._held_events += chunk.count
        self.held_bytes += chunk.size
        if chunk.is_damaged:
            self._newest_damaged = chunk.last

    def evict(self, now: float) -> list[Chunk]:
        """Let go what passes the bounds; return it."""
        bounds, evicted = self.retention, list[Chunk]()
        if not bounds.max_age_s and not self._is_too_much():
            return evicted
        oldest = now - bounds.max_age_s if bounds.max_age_s else float("-inf")
        while self._oldest_held < len(self._chunks) and (
            self._is_too_much() or self._chunks[self._oldest_held].came < oldest
        ):
            chunk = self._chunks[self._oldest_held]
            evicted.append(chunk)
            self._chunks[self._oldest_held] = chunk.without_records()
            self._oldest_held += 1
            self._held_events -= chunk.count
            self.held_bytes -= chunk.size
            self._remembered_events += chunk.count
        if evicted:
            self._forget()
        return evicted

    def _is_too_much(self) -> bool:
        bounds = self.retention
        return self._oldest_held < len(self._chunks) - 1 and (
            self._held_events > bounds.max_events or self.held_bytes > bounds.max_bytes
        )

    def _forget(self) -> None:
        while self._remembered_events > self.retention.max_events:
            chunk = self._chunks[self._oldest_known]
            self._remembered_events -= chunk.count
            self._oldest_known += 1
            if chunk.missing or chunk.is_damaged:
                self._newest_forgotten_hole = chunk.last
        if self._oldest_known > max(_COMPACT_FROM, len(self._chunks) // 2):
            del self._chunks[: self._oldest_known]
            del self._firsts[: self._oldest_known]
            self._oldest_held -= self._oldest_known
            self._oldest_known = 0

    def read(self, wanted: Wanted, after: int) -> Reading:
        """Return what comes behind a position.

        A gap stands only before the first event of a reading: one that is due later
        ends the reading and begins the next.
        """
        start, gaps = self._enter(wanted, after)
        picks: list[Pick] = []
        left, room = wanted.limit, wanted.room
        for chunk in self.between(start, self.last):
            found = _look_into(chunk, wanted, start, has_picks=bool(picks))
            if found is None:
                break
            gaps += found.gaps
            positions, end = found.positions, found.end
            size = chunk.bytes_of(positions) if positions else 0
            if picks and positions and (len(positions) > left or size > room):
                break
            if len(positions) > left:
                positions = positions[:left]
                end = chunk.first + positions[-1]
            left, room = left - len(positions), room - size
            if positions:
                picks.append(Pick(chunk, positions))
            start = end
            if not left or end < chunk.last:
                break
        return Reading(gaps=_merged(gaps), picks=picks, position=start)

    def _enter(self, wanted: Wanted, after: int) -> tuple[int, list[Gap]]:
        """Return where reading begins and what was passed over for it."""
        start = max(after, self.first - 1)
        if start == after:
            return start, []
        gaps: list[Gap] = []
        if wanted.drops is not None:
            ranges = wanted.drops.beginning(after, start, wanted.lane)
            gaps += [each.gap for each in ranges]
            start = max([start, *(each.last for each in ranges)])
        elif count := self.count(wanted.filters, after, start, wanted.lane):
            reason = GapReason.RETENTION
            gaps.append(Gap(reason=reason, count=count, first=after + 1, last=start))
        for chunk in self.between(after, start):
            gaps += _due_before(chunk, wanted, after)
        return start, gaps

    def count(
        self, filters: TopicFilters, after: int, upto: int, lane: Priority | None = None
    ) -> int:
        """Count the matching events in ``after < sequence <= upto``; -1 when not known.

        Damaged ones are not among them: they are told by themselves.
        """
        if after < self._newest_forgotten_hole:
            return -1
        is_all = filters.takes_all and lane is None
        if is_all and after >= self._newest_damaged:
            return max(0, upto - after)
        if not is_all and after + 1 < self.first_known:
            return -1
        forgotten = max(0, min(upto, self.first_known - 1) - after)
        return forgotten + sum(
            len(behind(chunk, filters, after, lane)) - len(behind(chunk, filters, upto, lane))
            for chunk in self.between(after, upto)
        )

    def between(self, after: int, upto: int) -> Iterator[Chunk]:
        """Yield the known chunks that have events in ``after < sequence <= upto``."""
        index = self._index_behind(after)
        while index < len(self._chunks) and self._firsts[index] <= upto:
            yield self._chunks[index]
            index += 1

    def _index_behind(self, after: int) -> int:
        """Return the index of the chunk that holds the first known event behind a position."""
        index = bisect_right(self._firsts, after + 1, lo=self._oldest_known) - 1
        return max(index, self._oldest_known)


class _Found(NamedTuple):
    """What a chunk has for a reading: the gaps before, the events, and up to where."""

    gaps: list[Gap]
    positions: Sequence[int]
    end: int


def _look_into(chunk: Chunk, wanted: Wanted, start: int, *, has_picks: bool) -> _Found | None:
    """Return what a chunk has behind a position; ``None``: a gap is due before it."""
    has_gap = chunk.missing or chunk.is_damaged
    gaps = _due_before(chunk, wanted, start) if has_gap else []
    if gaps and has_picks:
        return None
    positions = behind(chunk, wanted.filters, start, wanted.lane)
    if wanted.drops is None or not len(wanted.drops):
        return _Found(gaps, positions, chunk.last)
    ranges = wanted.drops.beginning(start, chunk.last, wanted.lane)
    positions = wanted.drops.without(chunk, positions, wanted.lane)
    end = chunk.last
    for each in ranges:
        before = [at for at in positions if chunk.first + at < each.first]
        if before or has_picks:
            return _Found(gaps, before, each.first - 1)
        gaps.append(each.gap)
        end = max(end, each.last)
    return _Found(gaps, positions, end)


def behind(
    chunk: Chunk, filters: TopicFilters, after: int, lane: Priority | None = None
) -> Sequence[int]:
    """Return the matching positions in a chunk that lie behind a channel position."""
    if after >= chunk.last:
        return ()
    positions = chunk.matching(filters, lane)
    if after < chunk.first:
        return positions
    return positions[bisect_right(positions, after - chunk.first) :]


def _due_before(chunk: Chunk, wanted: Wanted, after: int) -> list[Gap]:
    """Tell of what never came before a chunk, or is damaged; its topics are unknown."""
    is_known = wanted.filters.takes_all and wanted.lane is None
    if wanted.lane not in (None, Priority.NORMAL):
        return []
    if chunk.is_damaged:
        first = max(chunk.first, after + 1)
        count = chunk.last - first + 1 if is_known else -1
        return [Gap(reason=GapReason.DAMAGED, count=count, first=first, last=chunk.last)]
    if chunk.missing and after < chunk.first:
        count = chunk.missing if is_known else -1
        return [Gap(reason=GapReason.SUPPLIER, count=count, source=chunk.batch.source)]
    return []


def _merged(gaps: list[Gap]) -> list[Gap]:
    """Tell of each reason and supplier once."""
    merged: dict[tuple[GapReason, str], Gap] = {}
    for gap in gaps:
        key = (gap.reason, gap.source)
        before = merged.get(key)
        merged[key] = gap if before is None else _together(before, gap)
    return list(merged.values())


def _together(one: Gap, other: Gap) -> Gap:
    is_unknown = min(one.count, other.count) < 0
    return Gap(
        reason=one.reason,
        source=one.source,
        count=-1 if is_unknown else one.count + other.count,
        first=min(one.first, other.first),
        last=max(one.last, other.last) if one.first and other.first else 0,
    )
