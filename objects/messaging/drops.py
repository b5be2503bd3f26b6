"""What a consumer lost, where, and why: told in the place of the events."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

from idl_like_interfaces.events import Gap, GapReason, Priority
from objects.messaging.chunk import Chunk


@dataclass(slots=True)
class Range:
    """All matching events of a lane between two sequence numbers, both included, are lost."""

    first: int
    last: int
    count: int
    lane: Priority
    reason: GapReason

    @property
    def gap(self) -> Gap:
        """What the consumer is told."""
        return Gap(reason=self.reason, count=self.count, first=self.first, last=self.last)


class Drops:
    """The lost ranges of one consumer that it has not acknowledged yet.

    A range is told in the reading that passes its first event. So it grows only while nobody
    has been told of it.
    """

    def __init__(self) -> None:
        self._ranges: list[Range] = []
        self._growing: dict[Priority, Range] = {}

    def __len__(self) -> int:
        return len(self._ranges)

    def add(self, lost: Range, told_to: int) -> None:
        """Note a loss.

        Args:
            lost: Behind all that was lost or taken of its lane before.
            told_to: Ranges that begin up to here have been told.
        """
        before = self._growing.get(lost.lane)
        if before is not None and before.reason is lost.reason and before.first > told_to:
            before.last, before.count = lost.last, before.count + lost.count
        else:
            insort(self._ranges, lost, key=lambda each: each.first)
            self._growing[lost.lane] = lost

    def interrupt(self, lane: Priority) -> None:
        """Note that an event of a lane was not lost: what is lost next is another range."""
        self._growing.pop(lane, None)

    def beginning(self, after: int, upto: int, lane: Priority | None = None) -> list[Range]:
        """Return the ranges that begin in ``after < first <= upto``, sorted."""
        return [
            each
            for each in self._ranges
            if after < each.first <= upto and (lane is None or each.lane is lane)
        ]

    def without(
        self, chunk: Chunk, positions: Sequence[int], lane: Priority | None = None
    ) -> Sequence[int]:
        """Leave out the positions in a chunk whose events are lost."""
        touching = [
            each
            for each in self._ranges
            if each.first <= chunk.last
            and each.last >= chunk.first
            and (lane is None or each.lane is lane)
        ]
        for each in touching:
            positions = [
                at
                for at in positions
                if not each.first <= chunk.first + at <= each.last
                or (lane or chunk.lane_of(at)) is not each.lane
            ]
        return positions

    def forget(self, lanes: dict[Priority, int]) -> None:
        """Forget the ranges that end up to the place that is acknowledged in their lane."""
        if self._ranges:
            self._ranges = [each for each in self._ranges if each.last > lanes[each.lane]]
            kept = set(map(id, self._ranges))
            self._growing = {lane: each for lane, each in self._growing.items() if id(each) in kept}
