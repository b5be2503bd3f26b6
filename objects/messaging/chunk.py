"""A chunk: one accepted batch, kept and handed on as a whole wherever that is possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import msgspec

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.events import Batch, Delivery, Priority
from idl_like_interfaces.octets import OctetBlocks
from objects.messaging.batches import with_topics_of

LANES = tuple(Priority)
"""The priorities, the least urgent first: what waits of one priority is a lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Consecutive events of one supplier, numbered by the channel.

    Attributes:
        first: Channel sequence number of the first event.
        count: How many.
        batch: The events; once evicted from the journal, without their records.
        missing: Events of this supplier that are missing just before.
        came: When (monotonic seconds of the channel).
        is_damaged: The events were accepted, but could not be read back; nothing else is known.
    """

    first: int
    count: int
    batch: Batch
    missing: int = 0
    came: float = 0.0
    is_damaged: bool = False

    @classmethod
    def damaged(cls, first: int, last: int) -> Chunk:
        """Stand for events that cannot be read back."""
        nothing = Batch(source="", incarnation="", first=1, topics=[], records=OctetBlocks())
        return cls(first=first, count=last - first + 1, batch=nothing, is_damaged=True)

    @property
    def last(self) -> int:
        """Channel sequence number of the last event."""
        return self.first + self.count - 1

    @property
    def size(self) -> int:
        """Bytes of the records."""
        return len(self.batch.records.buffer)

    @property
    def lanes(self) -> Sequence[Priority]:
        """The lanes that its events may be in."""
        priorities = self.batch.priorities
        return [lane for lane in LANES if lane in priorities] if priorities else (Priority.NORMAL,)

    def without_records(self) -> Chunk:
        """Return what must be known of the chunk when its events are gone."""
        return replace(self, batch=msgspec.structs.replace(self.batch, records=OctetBlocks()))

    def topic_counts(self) -> Counter[str]:
        """Count the events of each topic."""
        counts: Counter[str] = Counter()
        topics = self.batch.topics
        if not self.batch.topic_of:
            return Counter({topics[0]: self.count}) if topics else counts
        for index, count in Counter(self.batch.topic_of).items():
            counts[topics[index]] += count
        return counts

    def newest(self) -> dict[str, int]:
        """Return the position of the newest event of each topic."""
        topics, topic_of = self.batch.topics, self.batch.topic_of
        if not topic_of:
            return {topics[0]: self.count - 1} if topics else {}
        newest: dict[str, int] = {}
        for topic, at in zip(topics, _newest_of(topic_of, len(topics)), strict=True):
            # A batch that lost its first events may name topics that none of the others has.
            if at >= 0:
                newest[topic] = max(at, newest.get(topic, at))
        return newest

    def matching(self, filters: TopicFilters, lane: Priority | None = None) -> Sequence[int]:
        """Return the positions of the events that match, ascending; of one lane or of all."""
        topics = self.batch.topics
        if len(topics) == 1:
            is_of_lane = lane is None or lane is self.lane_of(0)
            return range(self.count) if is_of_lane and filters.matches(topics[0]) else ()
        verdicts = [filters.matches(topic) for topic in topics]
        if lane is not None:
            priorities = self.batch.priorities or [Priority.NORMAL] * len(verdicts)
            verdicts = [
                verdict and priority is lane
                for verdict, priority in zip(verdicts, priorities, strict=True)
            ]
        if not any(verdicts):
            return ()
        if all(verdicts):
            return range(self.count)
        return [at for at, topic in enumerate(self.batch.topic_of) if verdicts[topic]]

    def lane_of(self, position: int) -> Priority:
        """Return the lane of an event."""
        batch = self.batch
        if not batch.priorities:
            return Priority.NORMAL
        return batch.priorities[batch.topic_of[position] if batch.topic_of else 0]

    def bytes_of(self, positions: Sequence[int]) -> int:
        """Return the size of the records at some positions."""
        lengths = self.batch.records.lengths
        if len(positions) == self.count or not lengths:
            return self.size
        return sum([lengths[at] for at in positions])

    def alone(self, position: int) -> Chunk:
        """Return one event in a chunk of its own, which keeps nothing else alive."""
        topic = self.batch.topic_of[position] if self.batch.topic_of else 0
        batch, lengths = self.batch, self.batch.records.lengths
        begin = sum(lengths[:position])
        record = bytes(batch.records.buffer[begin : begin + lengths[position]])
        single = Batch(
            source=batch.source,
            incarnation=batch.incarnation,
            first=batch.first + position,
            topics=[batch.topics[topic]],
            records=OctetBlocks(record, (len(record),)),
            priorities=[batch.priorities[topic]] if batch.priorities else [],
        )
        return Chunk(first=self.first + position, count=1, batch=single, came=self.came)

    def deliver(self, positions: Sequence[int]) -> Delivery:
        """Hand on the events at some positions; all of them without touching one."""
        if len(positions) == self.count:
            return Delivery(batch=self.batch, sequence=self.first)
        records = self.batch.records
        ends = list(accumulate(records.lengths))
        blocks = [records.buffer[ends[at] - records.lengths[at] : ends[at]] for at in positions]
        topic_of = self.batch.topic_of
        # Of a batch of many topics a narrow reader must not get the names of all of them.
        part = msgspec.structs.replace(
            with_topics_of(self.batch, [topic_of[at] for at in positions] if topic_of else []),
            records=OctetBlocks.of(blocks),
        )
        return Delivery(batch=part, sequence=self.first, positions=list(positions))


def _newest_of(topic_of: list[int], count: int) -> list[int]:
    """Return the position of the newest event of each topic index."""
    last = [-1] * count
    for index, at in zip(topic_of, range(len(topic_of)), strict=True):
        last[index] = at
    return last
