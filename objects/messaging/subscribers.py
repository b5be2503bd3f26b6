"""Who reads: subscriptions, their accounts, and when they are forgotten."""

from __future__ import annotations

import secrets
from bisect import bisect_left
from dataclasses import dataclass

from idl_like_interfaces.events import ConsumerStats, Gap, NoSuchSubscription, QoS
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
        waiting: Fetches that wait for news at the moment.
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
    waiting: int = 0
    delivered: int = 0
    dropped: int = 0
    counted_to: int = 0

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

    def disconnect(self, subscription_id: str) -> None:
        """Remove a consumer.

        Raises:
            NoSuchSubscription: It is not connected (any more).
        """
        self.get(subscription_id)
        del self._by_id[subscription_id]

    def forget_silent(self, now: float) -> None:
        """Remove those that have read nothing for too long."""
        silent = [
            each.id
            for each in self._by_id.values()
            if not each.waiting and now - each.seen >= self._forget_after_s
        ]
        for subscription_id in silent:
            del self._by_id[subscription_id]

    def stats(self, last: int) -> list[ConsumerStats]:
        """Return the rows of all consumers, sorted by name."""
        rows = [each.stats(last) for each in self._by_id.values()]
        return sorted(rows, key=lambda row: row.name)
