"""Who reads: subscriptions, their accounts, and when they are forgotten."""

from __future__ import annotations

import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.errors import Overloaded
from idl_like_interfaces.event_errors import NoSuchSubscription, SubscriptionTaken
from idl_like_interfaces.event_quality import Overflow, QoS
from idl_like_interfaces.events import ConsumerStats
from idl_like_interfaces.waiting import News
from objects.messaging.backlog import Backlog, WholeBacklog
from objects.messaging.chunk import Chunk
from objects.messaging.cursor import Place
from objects.messaging.journal import Journal
from objects.messaging.latest import LatestBacklog, LatestValues
from objects.messaging.limited import LimitedBacklog
from objects.messaging.qos import has_limits
from objects.messaging.subscriber import Subscriber

log = logging.getLogger(__name__)

FORGET_AFTER_S = 60.0
MOST_SUBSCRIPTIONS = 10_000

_MOST_TOPICS = 4096
_MOST_TAKEN = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a consumer asks for when it connects.

    Attributes:
        name: As it calls itself.
        filters: What it wants.
        asked: The quality of service as it was asked for.
        qos: The effective one.
        is_durable: The name is that of a durable subscription.
        place: Up to here it has acknowledged.
        now: Monotonic seconds.
    """

    name: str
    filters: TopicFilters
    asked: QoS
    qos: QoS
    is_durable: bool
    place: Place
    now: float


class Subscribers:
    """All connected consumers.

    Args:
        journal: What they read.
        values: The newest event of each topic.
        end: Is told of each that is removed, and whether its lease ran out.
    """

    def __init__(
        self,
        journal: Journal,
        values: LatestValues,
        end: Callable[[Subscriber, bool], None] = lambda *_: None,
    ) -> None:
        self._journal = journal
        self._values = values
        self._end = end
        self._by_id: dict[str, Subscriber] = {}
        self._limited: dict[str, Subscriber] = {}
        self._blocking: dict[str, Subscriber] = {}
        self._wanting: dict[str, list[Subscriber]] = {}
        self._taken: OrderedDict[str, str] = OrderedDict()
        # Up to here nobody without limits has anything to read; to look each time is too much.
        self._read_to = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def all(self) -> list[Subscriber]:
        """Return all of them."""
        return list(self._by_id.values())

    @property
    def may_block(self) -> bool:
        """Tell whether one of them may hold up suppliers."""
        return len(self._blocking) > 0

    def connect(self, wish: Wish) -> Subscriber:
        """Add a consumer.

        Raises:
            Overloaded: There are too many.
        """
        if len(self._by_id) >= MOST_SUBSCRIPTIONS:
            raise Overloaded(
                f"the channel has {len(self._by_id)} subscriptions, and takes no more",
                cause="clients connect and do not disconnect",
                remedy="see 'obsorb events stats' for who they are; they end when their lease does",
            )
        subscriber = Subscriber(
            id=secrets.token_hex(8),
            name=wish.name,
            filters=wish.filters,
            asked=wish.asked,
            qos=wish.qos,
            is_durable=wish.is_durable,
            place=wish.place,
            seen=wish.now,
            last_wanted=self._journal.last,
        )
        self._by_id[subscriber.id] = subscriber
        self._read_to = min(self._read_to, wish.place.sequence)
        self._wanting.clear()
        self._give_backlog(subscriber, wish.place)
        return subscriber

    def change(self, subscriber: Subscriber, asked: QoS, qos: QoS) -> None:
        """Give a consumer another quality of service."""
        subscriber.asked, subscriber.qos = asked, qos
        acknowledged, counted = subscriber.place, subscriber.counted
        self._give_backlog(subscriber, subscriber.handed)
        subscriber.place, subscriber.counted = acknowledged, counted

    def _give_backlog(self, subscriber: Subscriber, place: Place) -> None:
        backlog = self._backlog_of(subscriber, place)
        self._limited.pop(subscriber.id, None)
        self._blocking.pop(subscriber.id, None)
        if not isinstance(backlog, WholeBacklog):
            self._limited[subscriber.id] = subscriber
        if subscriber.qos.overflow is Overflow.BLOCK:
            self._blocking[subscriber.id] = subscriber
        subscriber.begin(backlog, place)

    def _backlog_of(self, subscriber: Subscriber, place: Place) -> Backlog:
        journal, filters, qos = self._journal, subscriber.filters, subscriber.qos
        before = getattr(subscriber, "backlog", None)
        drops = before.drops if isinstance(before, LimitedBacklog) else None
        if not has_limits(subscriber.asked) and not place.lanes and not drops:
            return WholeBacklog(journal, filters)
        if qos.overflow is Overflow.LATEST:
            return LatestBacklog(journal, self._values, filters, qos, subscriber.lose)
        return LimitedBacklog(journal, filters, qos, subscriber.lose, drops)

    def get(self, subscription_id: str) -> Subscriber:
        """Return a consumer.

        Raises:
            NoSuchSubscription: It is not connected (any more).
            SubscriptionTaken: Somebody else reads under its durable name.
        """
        subscriber = self._by_id.get(subscription_id)
        if subscriber is not None:
            return subscriber
        name = self._taken.get(subscription_id)
        if name is not None:
            raise SubscriptionTaken(
                f"somebody else reads as {name!r} now",
                name=name,
                cause="a second program has connected under this durable name",
                remedy="end one of the two, or give them different names",
            )
        raise no_such(
            f"the channel has no subscription {subscription_id[:64]!r}",
            subscription_id,
            "it was disconnected, nothing was read within its lease, or the channel was restarted",
            "connect again with the cursor of the last reply",
        )

    def disconnect(
        self, subscription_id: str, taken_as: str = "", *, is_silent: bool = False
    ) -> Subscriber:
        """Remove a consumer and return it.

        Raises:
            NoSuchSubscription: It is not connected (any more).
            SubscriptionTaken: Somebody else reads under its durable name.
        """
        subscriber = self.get(subscription_id)
        self._end(subscriber, is_silent)
        for table in (self._by_id, self._limited, self._blocking):
            table.pop(subscription_id, None)
        self._wanting.clear()
        if taken_as:
            self._taken[subscription_id] = taken_as
            if len(self._taken) > _MOST_TAKEN:
                self._taken.popitem(last=False)
        return subscriber

    def take(self, chunk: Chunk, now: float) -> list[News]:
        """Note for whom a new chunk has something; return the news of those who wait."""
        woken: list[News] = []
        for each in self._concerned(chunk):
            if self._limited and each.id in self._limited:
                each.backlog.add(chunk)
            # Who begins to wait after this looks again, and finds the chunk.
            if each.news.waiting:
                each.seen = now
                each.quiet_from, each.quiet_to = each.last_wanted, chunk.first - 1
                woken.append(each.news)
            each.last_wanted = chunk.last
        return woken

    def let_go(self, chunk: Chunk) -> None:
        """Note that a chunk is held no longer."""
        for each in self._limited.values():
            each.backlog.lose(chunk)
        if chunk.last > self._read_to:
            for each in self._late():
                each.miss(chunk)

    def _late(self) -> list[Subscriber]:
        """Return those without limits that have not read all that they want."""
        late = [
            each
            for each in self._by_id.values()
            if each.handed.sequence < each.last_wanted and each.id not in self._limited
        ]
        self._read_to = min([self._journal.last, *(each.handed.sequence for each in late)])
        return late

    def blocked_by(self, chunk: Chunk, now: float) -> list[Subscriber]:
        """Return those who have no room for a chunk, and hold up its supplier therefore."""
        blocking: list[Subscriber] = []
        for each in self._blocking.values():
            backlog = each.backlog
            assert isinstance(backlog, LimitedBacklog)
            positions = () if backlog.is_quarantined else chunk.matching(each.filters)
            if positions and not backlog.has_room(len(positions), chunk.bytes_of(positions)):
                each.blocked_since = now if each.blocked_since is None else each.blocked_since
                blocking.append(each)
        return blocking

    def quarantine(self, subscriber: Subscriber, now: float) -> None:
        """Let a consumer hold up nobody any more until it has read all."""
        backlog = subscriber.backlog
        assert isinstance(backlog, LimitedBacklog)
        log.warning(
            "consumer %s has held up suppliers for %g s and is quarantined: it loses the oldest "
            "of what waits until it has read all", subscriber.name, subscriber.qos.block_s
        )  # fmt: skip
        subscriber.blocks_no_more(now)
        backlog.quarantine()

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

    def forget_silent(self, now: float) -> list[Subscriber]:
        """Remove those whose lease is over, and return them."""
        silent = [
            each
            for each in self._by_id.values()
            if not each.news.waiting and now - each.seen >= each.qos.lease_s
        ]
        return [self.disconnect(each.id, is_silent=True) for each in silent]

    def stats(self, last: int, now: float) -> list[ConsumerStats]:
        """Return the rows of all consumers."""
        return [each.stats(last, now) for each in self._by_id.values()]


def no_such(message: str, subscription_id: str, cause: str, remedy: str) -> NoSuchSubscription:
    """Make the refusal of a subscription that is not there."""
    return NoSuchSubscription(
        message, subscription_id=subscription_id[:64], cause=cause, remedy=remedy
    )
