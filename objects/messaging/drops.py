"""What a consumer lost, where, and why: told in the place of the events."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from idl_like_interfaces.events import Gap, GapReason, Priority
from objects.messaging.chunk import Chunk

_MOST = 64
"""Ranges that are kept apart; more of them are put together where that is possible."""


@dataclass(slots=True)
class Range:
    """Events that are lost; of what its consumer wants nothing else lies between them.

    Attributes:
        first: Sequence number of the first.
        last: The same of the last.
        count: How many.
        lane: Of which priority they are; ``None``: of any.
        reason: Why they are lost.
    """

    first: int
    last: int
    count: int
    lane: Priority | None
    reason: GapReason

    @property
    def gap(self) -> Gap:
        """What the consumer is told."""
        return Gap(reason=self.reason, count=self.count, first=self.first, last=self.last)

    def is_of(self, lane: Priority | None) -> bool:
        """Tell whether a reading of a lane tells of it; what is of any, the normal one does."""
        return lane is None or (self.lane or Priority.NORMAL) is lane

    def holds(self, sequence: int, lane: Priority) -> bool:
        """Tell whether an event is among them."""
        return self.first <= sequence <= self.last and self.lane in (None, lane)

    def absorb(self, other: Range) -> None:
        """Take in what is lost behind it."""
        self.last = max(self.last, other.last)
        self.count = -1 if min(self.count, other.count) < 0 else self.count + other.count
        if self.lane is not other.lane:
            self.lane = None


class Drops:
    """The lost ranges of one consumer that it has not acknowledged yet.

    A range is told, whole, in the reading that passes its first event; it grows only while
    nobody has been told of it.
    """

    def __init__(self) -> None:
        self._ranges: list[Range] = []

    def __len__(self) -> int:
        return len(self._ranges)

    def add(self, lost: Range, told_to: int, *, is_next: Callable[[int], bool]) -> None:
        """Note a loss.

        Args:
            lost: What is lost.
            told_to: Ranges that begin up to here have been told.
            is_next: Tells of a sequence number whether its consumer wants nothing between it
                and the loss.
        """
        at = bisect_left(self._ranges, lost.first, key=lambda each: each.first)
        before = self._ranges[at - 1] if at else None
        if (
            before is not None
            and before.first > told_to
            and (before.lane, before.reason) == (lost.lane, lost.reason)
            and is_next(before.last)
        ):
            before.absorb(lost)
        else:
            self._ranges.insert(at, lost)

    def put_together(self, upto: int, told_to: int, lane: Priority | None) -> None:
        """Make few ranges of many.

        Args:
            upto: Up to here nothing waits any more (of the lane).
            told_to: Ranges that begin up to here have been told.
            lane: Only those of this one; ``None``: all.
        """
        if len(self._ranges) < _MOST:
            return
        together: list[Range] = []
        for each in self._ranges:
            before = together[-1] if together else None
            if (
                before is not None
                and before.reason is each.reason
                and told_to < before.first
                and each.last <= upto
                and before.is_of(lane)
                and each.is_of(lane)
            ):
                before.absorb(each)
            else:
                together.append(each)
        self._ranges = together

    def beginning(self, after: int, upto: int, lane: Priority | None = None) -> list[Range]:
        """Return the ranges that begin in ``after < first <= upto``, sorted."""
        ranges = self._ranges
        at = bisect_left(ranges, after + 1, key=lambda each: each.first)
        found = []
        while at < len(ranges) and ranges[at].first <= upto:
            if ranges[at].is_of(lane):
                found.append(ranges[at])
            at += 1
        return found

    def without(
        self, chunk: Chunk, positions: Sequence[int], lane: Priority | None = None
    ) -> Sequence[int]:
        """Leave out the positions in a chunk whose events are lost."""
        touching = [
            each
            for each in self._ranges
            if each.first <= chunk.last
            and each.last >= chunk.first
            and (lane is None or each.lane in (None, lane))
        ]
        if not touching:
            return positions
        return [
            at
            for at in positions
            if not any(each.holds(chunk.first + at, lane or chunk.lane_of(at)) for each in touching)
        ]

    def forget(self, lanes: dict[Priority, int]) -> None:
        """Forget the ranges that end up to the place that is acknowledged in their lane."""
        if self._ranges:
            everywhere = min(lanes.values())
            self._ranges = [
                each
                for each in self._ranges
                if each.last > (everywhere if each.lane is None else lanes[each.lane])
            ]
