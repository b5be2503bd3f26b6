"""Who reads: subscriptions, their accounts, and when they are forgotten."""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from idl_like_interfaces.events import ConsumerStats, Gap, NoSuchSubscription, QoS
from idl_like_interfaces.waiting import News
from objects.messaging.chunk import Chunk
from objects.messaging.glob import TopicFilters
from objects.messaging.journal import Journal, Reading

FORGET_AFTER_S = 60.0

_MOST_TOPICS = 4096


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
        last_wanted: Of all that came since it is connected, what it wants, or what it must
            be told of, ends with this sequence number.
        quiet_from: Behind this sequence number there was nothing for it ...
        quiet_to: ... up to this one, when its fetches were woken the last time.
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
    last_wanted: int
    quiet_from: int = 0
    quiet_to: int = 0
    news: News = field(default_factory=News)
    delivered: int = 0
    dropped: int = 0
    counted_to: int = 0

    def behind_quiet(self, position: int, last: int) -> int:
        """Return the position up to which there is nothing for who stands at a position.

        The journal itself cannot tell of events that it has evicted and forgotten.

        Args:
            position: Of the reader.
            last: Of the newest event of the channel.
        """
        if position >= self.last_wanted:
            return last
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where and when a consumer begins.

    Attributes:
        position: Up to here it has acknowledged.
        last: The newest event of the channel.
        now: Monotonic seconds.
    """

    position: int
    last: int
    now: float


class Subscribers:
    """All connected consumers."""

    def __init__(self, forget_after_s: float = FORGET_AFTER_S) -> None:
        self._forget_after_s = forget_after_s
        self._by_id: dict[str, Subscriber] = {}
        self._wanting: dict[str, list[Subscriber]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def connect(self, name: str, filters: TopicFilters, qos: QoS, start: Start) -> Subscriber:
        """Add a consumer."""
        subscriber = Subscriber(
            id=secrets.token_hex(8),
            name=name,
            filters=filters,
            qos=qos,
            position=start.position,
            seen=start.now,
            counted_to=start.position,
            last_wanted=start.last,
        )
        self._by_id[subscriber.id] = subscriber
        self._wanting.clear()
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
        self._wanting.clear()
        return news

    def woken_by(self, chunk: Chunk, now: float) -> list[News]:
        """Note for whom a new chunk has something; return the news of those who wait."""
        woken: list[News] = []
        for each in self._concerned(chunk):
            # Who begins to wait after this looks again, and finds the chunk.
            if each.news.waiting:
                each.seen = now
                each.quiet_from, each.quiet_to = each.last_wanted, chunk.first - 1
                woken.append(each.news)
            each.last_wanted = chunk.last
        return woken

    def _concerned(self, chunk: Chunk) -> Iterable[Subscriber]:
        if chunk.missing:
            # Nobody knows of which topic those are that a supplier has lost.
            return self._by_id.values()
        topics = chunk.batch.topics
        if len(topics) == 1:
            return self._who_wants(topics[0])
        return {each.id: each for topic in topics for each in self._who_wants(topic)}.values()

    def _who_wants(self, topic: str) -> list[Subscriber]:
        wanting = self._wanting.get(topic)
        if wanting is None:
            if len(self._wanting) >= _MOST_TOPICS:
                self._wanting.clear()
            wanting = [each for each in self._by_id.values() if each.filters.matches(topic)]
            self._wanting[topic] = wanting
        return wanting

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
        if silent:
            self._wanting.clear()

    def stats(self, last: int) -> list[ConsumerStats]:
        """Return the rows of all consumers, sorted by name."""
        rows = [each.stats(last) for each in self._by_id.values()]
        return sorted(rows, key=lambda row: row.name)
