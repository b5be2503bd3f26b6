"""Who reads: subscriptions, their accounts, and when they are forgotten."""

from __future__ import annotations

import secrets
from bisect import bisect_left
from dataclasses import dataclass, field

from idl_like_interfaces.events import ConsumerStats, Gap, NoSuchSubscription, QoS
from idl_like_interfaces.waiting import News
from objects.messaging.chunk import Chunk
from objects.messaging.glob import TopicFilters
from objects.messaging.journal import Journal, Reading

FORGET_AFTER_S = 60.0


@dataclass(slots=True, kw_only=True)
class Subscriber:
    """One connected consumer.

    Attributes:
        id: Of the subscription.
        name: As it called itself.
        filters: What it wants.
        qos: What it effectively gets.
        position: Up to here it has acknowledged.
        seen: When it asked last (monotonic seconds).
        news: What its fetches wait for: something that it wants.
        quiet_from: Behind this sequence number begins what was published while they
            waited and nothing of which it wants.
        quiet_to: The last of that.
        delivered: Events handed out.
        dropped: Events that it lost, as far as their number is known.
        counted_to: Up to this sequence number events are in the two counts.
    """

    id: str
    name: str
    filters: TopicFilters
    qos: QoS
    position: int
    seen: float
    news: News = field(default_factory=News)
    quiet_from: int = 0
    quiet_to: int = 0
    delivered: int = 0
    dropped: int = 0
    counted_to: int = 0

    def wants(self, chunk: Chunk) -> bool:
        """Tell whether a reading might find something in a chunk, be it only a gap."""
        return chunk.missing > 0 or any(map(self.filters.matches, chunk.batch.topics))

    def pass_over(self, chunk: Chunk) -> None:
        """Note that it wants nothing of a new chunk.

        So who waits needs not be woken for it, and when the chunk is evicted and even
        forgotten it is known still that nothing was lost.
        """
        if self.quiet_to != chunk.first - 1:
            self.quiet_from = chunk.first - 1
        self.quiet_to = chunk.last

    def behind_quiet(self, position: int) -> int:
        """Return the position up to which there is nothing for who stands at a position."""
        return self.quiet_to if self.quiet_from <= position < self.quiet_to else position

    def book(self, reading: Reading, journal: Journal) -> None:
        """Count what a reading hands out, but for what an earlier one did already."""
        for pick in reading.picks:
            known = bisect_left(pick.positions, self.counted_to + 1 - pick.chunk.first)
            self.delivered += len(pick.positions) - known
        for gap in reading.gaps:
            self.dropped += max(0, self._newly_lost(gap, reading.position, journal))
        self.counted_to = max(self.counted_to, reading.position)

    def _newly_lost(self, gap: Gap, position: int, journal: Journal) -> int:
        if gap.last:
            return journal.count(self.filters, max(gap.first - 1, self.counted_to), gap.last)
        return gap.count if position > self.counted_to else 0

    def stats(self, last: int) -> ConsumerStats:
        """Return its row of the channel's statistics."""
        return ConsumerStats(
            name=self.name,
            topics=self.filters.patterns,
            qos=self.qos,
            delivered=self.delivered,
            dropped=self.dropped,
            lag=max(0, last - self.position),
        )


class Subscribers:
    """All connected consumers."""

    def __init__(self, forget_after_s: float = FORGET_AFTER_S) -> None:
        self._forget_after_s = forget_after_s
        self._by_id: dict[str, Subscriber] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def connect(
        self, name: str, filters: TopicFilters, qos: QoS, position: int, now: float
    ) -> Subscriber:
        """Add a consumer."""
        subscriber = Subscriber(
            id=secrets.token_hex(8),
            name=name,
            filters=filters,
            qos=qos,
            position=position,
            seen=now,
            counted_to=position,
        )
        self._by_id[subscriber.id] = subscriber
        return subscriber

    def get(self, subscription_id: str) -> Subscriber:
        """Return a consumer.

        Raises:
            NoSuchSubscription: It is not connected (any more).
        """
        try:
            return self._by_id[subscription_id]
        except KeyError:
            raise NoSuchSubscription(
                f"the channel has no subscription {subscription_id[:64]!r}",
                subscription_id=subscription_id[:64],
                cause="it was disconnected, nothing was read for "
                f"{self._forget_after_s:g} s, or the channel was restarted",
                remedy="connect again with the cursor of the last reply",
            ) from None

    def disconnect(self, subscription_id: str) -> News:
        """Remove a consumer; return what its fetches wait for.

        Raises:
            NoSuchSubscription: It is not connected (any more).
        """
        news = self.get(subscription_id).news
        del self._by_id[subscription_id]
        return news

    def woken_by(self, chunk: Chunk, now: float) -> list[News]:
        """Return the news of those who wait for something that a new chunk has."""
        woken: list[News] = []
        for each in self._by_id.values():
            if not each.news.waiting:
                # Who begins to wait after this looks again, and finds the chunk.
                continue
            if each.wants(chunk):
                each.seen = now
                woken.append(each.news)
            else:
                each.pass_over(chunk)
        return woken

    def all_news(self) -> list[News]:
        """Return the news of all."""
        return [each.news for each in self._by_id.values()]

    def forget_silent(self, now: float) -> None:
        """Remove those that have read nothing for too long."""
        silent = [
            each.id
            for each in self._by_id.values()
            if not each.news.waiting and now - each.seen >= self._forget_after_s
        ]
        for subscription_id in silent:
            del self._by_id[subscription_id]

    def stats(self, last: int) -> list[ConsumerStats]:
        """Return the rows of all consumers, sorted by name."""
        rows = [each.stats(last) for each in self._by_id.values()]
        return sorted(rows, key=lambda row: row.name)
