"""A backlog with limits, or with an order of its own: what is lost is decided when events come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from typing_extensions import override

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.event_quality import Order, Overflow, QoS
from idl_like_interfaces.events import Gap, GapReason, Priority
from objects.messaging.backlog import Backlog, Found, Lose
from objects.messaging.chunk import LANES, Chunk
from objects.messaging.cursor import Place
from objects.messaging.drops import Drops, Range
from objects.messaging.journal import REPLY_BYTES, Journal, Pick, Wanted, behind


@dataclass(slots=True)
class _Lane:
    """What waits of one priority.

    Attributes:
        base: Behind this sequence number it waits.
        cut: Of what is not behind this one nothing waits: it was taken, or is lost.
        waiting: Events.
        bytes: Size of their records.
    """

    base: int = 0
    cut: int = 0
    waiting: int = 0
    bytes: int = 0


class LimitedBacklog(Backlog):
    """Follows ``drop_oldest``, ``drop_newest`` and ``block``, in either order.

    Args:
        journal: Holds the events.
        filters: What the consumer wants.
        qos: The effective one.
        lose: Is told of each loss.
        drops: What it has lost already, under another quality of service.

    Attributes:
        is_quarantined: It blocks no longer, and loses instead.
    """

    def __init__(
        self,
        journal: Journal,
        filters: TopicFilters,
        qos: QoS,
        lose: Lose,
        drops: Drops | None = None,
    ) -> None:
        self._journal = journal
        self._filters = filters
        self._qos = qos
        self._lose = lose
        self._lanes = {lane: _Lane() for lane in LANES}
        self.drops = drops or Drops()
        self.is_quarantined = False

    @property
    @override
    def waiting(self) -> int:
        return sum([lane.waiting for lane in self._lanes.values()])

    @property
    @override
    def waiting_bytes(self) -> int:
        return sum([lane.bytes for lane in self._lanes.values()])

    @override
    def parts(self) -> Iterator[tuple[Chunk, Sequence[int]]]:
        after = min(lane.cut for lane in self._lanes.values())
        for chunk in self._journal.between(after, self._journal.last):
            if not chunk.is_damaged:
                for priority in chunk.lanes:
                    yield chunk, self._waiting_in(chunk, priority)

    def has_room(self, events: int, size: int) -> bool:
        """Tell whether so much more may wait; for who has read all anything may come."""
        waiting = self.waiting
        return not waiting or (
            waiting + events <= self._qos.max_queue
            and self.waiting_bytes + size <= self._qos.max_bytes
        )

    def quarantine(self) -> None:
        """Block no longer, until all that waits is read."""
        self.is_quarantined = True
        self._shrink()

    @override
    def begin(self, place: Place) -> None:
        journal = self._journal
        for lane, base in zip(LANES, place.in_lanes, strict=True):
            self._lanes[lane] = _Lane(base=base, cut=base)
        self.settle()
        first = min(place.in_lanes)
        if first + 1 < journal.first_known:
            self._lose_forgotten(first, journal.first_known - 1)
        held = journal.first
        for chunk in journal.between(first, journal.last):
            if chunk.first < held:
                self._pass_over(chunk)
            else:
                self.add(chunk)

    @override
    def settle(self) -> None:
        self.drops.forget({lane: each.base for lane, each in self._lanes.items()})

    def _lose_forgotten(self, after: int, upto: int) -> None:
        """Note what the journal has forgotten: nobody knows of which lane, or how many, it was."""
        furthest_behind = min(self._lanes, key=lambda lane: self._lanes[lane].base)
        lane = None if self._is_even else furthest_behind
        for each in [*self.drops.beginning(after, upto), None]:
            end = upto if each is None else each.first - 1
            # Where some lanes are further nobody knows how many of these were read already.
            count = -1 if lane else self._journal.count(self._filters, after, end)
            if count and after < end:
                lost = Range(after + 1, end, count, lane, GapReason.RETENTION)
                self.drops.add(lost, after, is_next=lambda _: False)
                self._lose(Chunk.damaged(after + 1, end), range(max(0, count)), lost.reason)
            after = max(after, end if each is None else each.last)

    @override
    def add(self, chunk: Chunk) -> None:
        for priority in reversed(chunk.lanes):
            positions = self._waiting_in(chunk, priority)
            if positions and self._qos.overflow is Overflow.DROP_NEWEST:
                positions = self._admitted(chunk, priority, positions)
            if positions:
                self._book(priority, len(positions), chunk.bytes_of(positions))
        self._shrink()

    @override
    def lose(self, chunk: Chunk) -> None:
        for priority in chunk.lanes:
            positions = self._waiting_in(chunk, priority)
            if positions:
                self._book(priority, -len(positions), -chunk.bytes_of(positions))
        self._pass_over(chunk)

    def _pass_over(self, chunk: Chunk) -> None:
        for priority in chunk.lanes:
            positions = self._waiting_in(chunk, priority)
            if positions:
                self._note(chunk, positions, priority, GapReason.RETENTION)
            self._lanes[priority].cut = max(self._lanes[priority].cut, chunk.last)

    def _waiting_in(self, chunk: Chunk, priority: Priority) -> Sequence[int]:
        """Return the positions of what waits in a chunk, of one priority."""
        positions = behind(chunk, self._filters, self._lanes[priority].cut, priority)
        return self.drops.without(chunk, positions, priority) if len(self.drops) else positions

    def _book(self, priority: Priority, events: int, size: int) -> None:
        lane = self._lanes[priority]
        lane.waiting += events
        lane.bytes += size

    def _note(
        self, chunk: Chunk, positions: Sequence[int], priority: Priority, reason: GapReason
    ) -> None:
        """Note a loss, behind all that was lost or taken of its priority before."""
        told_to = self._lanes[priority].base
        for run in self._runs(chunk, positions):
            first, last = chunk.first + run[0], chunk.first + run[-1]
            lost = Range(first, last, len(run), priority, reason)
            self.drops.add(lost, told_to, is_next=partial(self._is_none, upto=first - 1))
        self._lose(chunk, positions, reason)
        self._put_together(priority)

    def _runs(self, chunk: Chunk, positions: Sequence[int]) -> list[Sequence[int]]:
        """Split positions where the consumer wants something else between them."""
        if not chunk.batch.priorities:
            return [positions]
        own, runs = set(positions), list[list[int]]()
        is_new = True
        for at in chunk.matching(self._filters):
            if at not in own:
                is_new = True
            elif is_new:
                runs.append([at])
                is_new = False
            else:
                runs[-1].append(at)
        return list(runs)

    def _is_none(self, after: int, *, upto: int) -> bool:
        return not self._journal.count(self._filters, after, upto)

    def _put_together(self, priority: Priority) -> None:
        if self._qos.order is Order.PRIORITY:
            lane = self._lanes[priority]
            self.drops.put_together(lane.cut, lane.base, priority)
            return
        lanes = self._lanes.values()
        upto = min((each.cut for each in lanes if each.waiting), default=self._journal.last)
        self.drops.put_together(upto, max(each.base for each in lanes), None)

    def _admitted(
        self, chunk: Chunk, priority: Priority, positions: Sequence[int]
    ) -> Sequence[int]:
        """Return the positions for which there is room; the rest is lost."""
        room = self._qos.max_bytes - self.waiting_bytes
        lengths = chunk.batch.records.lengths
        count = 0
        for at in positions[: max(0, self._qos.max_queue - self.waiting)]:
            room -= lengths[at]
            if room < 0 and (count or self.waiting):
                break
            count += 1
        if count < len(positions):
            self._note(chunk, positions[count:], priority, GapReason.DROP_NEWEST)
        return positions[:count]

    def _shrink(self) -> None:
        """Lose the oldest of the least urgent events until the limits hold."""
        if self._qos.overflow is Overflow.BLOCK and not self.is_quarantined:
            return
        for priority in LANES:
            while self._is_too_much and self._lanes[priority].waiting:
                self._lose_oldest(priority)

    @property
    def _is_too_much(self) -> bool:
        waiting = self.waiting
        return waiting > 1 and (
            waiting > self._qos.max_queue or self.waiting_bytes > self._qos.max_bytes
        )

    def _lose_oldest(self, priority: Priority) -> None:
        """Lose the oldest events of one priority, as many as must go of one chunk."""
        lane = self._lanes[priority]
        for chunk in self._journal.between(lane.cut, self._journal.last):
            positions = self._waiting_in(chunk, priority)
            if positions:
                positions = positions[: self._excess(chunk, positions)]
                self._book(priority, -len(positions), -chunk.bytes_of(positions))
                is_block = self._qos.overflow is Overflow.BLOCK
                reason = GapReason.QUARANTINE if is_block else GapReason.DROP_OLDEST
                self._note(chunk, positions, priority, reason)
                lane.cut = chunk.first + positions[-1]
                return
            lane.cut = chunk.last
        # What is counted and cannot be found has gone: so that nobody looks for it for ever.
        lane.waiting = lane.bytes = 0

    def _excess(self, chunk: Chunk, positions: Sequence[int]) -> int:
        events = self.waiting - self._qos.max_queue
        size = self.waiting_bytes - self._qos.max_bytes
        lengths = chunk.batch.records.lengths
        count = 0
        for at in positions:
            if events <= count and size <= 0:
                break
            size -= lengths[at]
            count += 1
        return min(count, self.waiting - 1)

    @override
    def read(self, limit: int) -> Found:
        is_in_order = self._qos.order is Order.FIFO and self._is_even
        found = self._in_order(limit) if is_in_order else self._most_urgent(limit)
        if not self.waiting:
            self.is_quarantined = False
        return found

    @property
    def _is_even(self) -> bool:
        return len({lane.base for lane in self._lanes.values()}) == 1

    def _in_order(self, limit: int) -> Found:
        wanted = Wanted(filters=self._filters, limit=limit, drops=self.drops)
        reading = self._journal.read(wanted, self._lanes[Priority.NORMAL].base)
        for priority in LANES:
            self._advance(priority, reading.position)
        self._take(reading.picks)
        return Found(reading.gaps, reading.picks, Place(reading.position))

    def _most_urgent(self, limit: int) -> Found:
        gaps: list[Gap] = []
        picks: list[Pick] = []
        room = REPLY_BYTES
        for priority in reversed(LANES):
            wanted = Wanted(
                filters=self._filters, limit=limit, lane=priority, drops=self.drops, room=room
            )
            reading = self._journal.read(wanted, self._lanes[priority].base)
            self._advance(priority, reading.position)
            self._take(reading.picks)
            gaps, picks = [*gaps, *reading.gaps], [*picks, *reading.picks]
            limit -= sum(len(pick.positions) for pick in reading.picks)
            room -= sum(pick.chunk.bytes_of(pick.positions) for pick in reading.picks)
            if limit <= 0 or room <= 0 or reading.position < self._journal.last:
                break
        bases = tuple(self._lanes[lane].base for lane in LANES)
        return Found(gaps, picks, Place.of_lanes(bases))

    def _advance(self, priority: Priority, base: int) -> None:
        lane = self._lanes[priority]
        lane.base, lane.cut = base, max(lane.cut, base)

    def _take(self, picks: list[Pick]) -> None:
        for pick in picks:
            chunk = pick.chunk
            for priority in chunk.lanes:
                positions = pick.positions
                if chunk.batch.priorities:
                    positions = [at for at in positions if chunk.lane_of(at) is priority]
                self._book(priority, -len(positions), -chunk.bytes_of(positions))
