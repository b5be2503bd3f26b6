"""A chunk: one accepted batch, kept and handed on as a whole wherever that is possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import msgspec

from idl_like_interfaces.events import Batch, Delivery
from idl_like_interfaces.octets import OctetBlocks
from objects.messaging.glob import TopicFilters


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Consecutive events of one supplier, numbered by the channel.

    Attributes:
        first: Channel sequence number of the first event.
        count: How many.
        batch: The events; once evicted from the journal, without their records.
        missing: Events of this supplier that are missing just before.
    """

    first: int
    count: int
    batch: Batch
    missing: int = 0

    @property
    def last(self) -> int:
        """Channel sequence number of the last event."""
        return self.first + self.count - 1

    @property
    def size(self) -> int:
        """Bytes of the records."""
        return len(self.batch.records.buffer)

    def without_records(self) -> Chunk:
        """Return what must be known of the chunk when its events are gone."""
        return replace(self, batch=msgspec.structs.replace(self.batch, records=OctetBlocks()))

    def topic_counts(self) -> Counter[str]:
        """Count the events of each topic."""
        topics = self.batch.topics
        if not self.batch.topic_of:
            return Counter({topics[0]: self.count})
        return Counter({topics[i]: n for i, n in Counter(self.batch.topic_of).items()})

    def matching(self, filters: TopicFilters) -> Sequence[int]:
        """Return the positions of the events that match, ascending."""
        verdicts = [filters.matches(topic) for topic in self.batch.topics]
        if all(verdicts):
            return range(self.count)
        if not any(verdicts):
            return ()
        return [at for at, topic in enumerate(self.batch.topic_of) if verdicts[topic]]

    def deliver(self, positions: Sequence[int]) -> Delivery:
        """Hand on the events at some positions; all of them without touching one."""
        if len(positions) == self.count:
            return Delivery(batch=self.batch, sequence=self.first)
        records = self.batch.records
        ends = list(accumulate(records.lengths))
        blocks = [records.buffer[ends[at] - records.lengths[at] : ends[at]] for at in positions]
        topic_of = self.batch.topic_of
        part = msgspec.structs.replace(
            self.batch,
            topic_of=[topic_of[at] for at in positions] if topic_of else [],
            records=OctetBlocks.of(blocks),
        )
        return Delivery(batch=part, sequence=self.first, positions=list(positions))
