"""Who reads: subscriptions, their accounts, and when they are forgotten."""

from __future__ import annotations

import logging
import secrets
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from idl_like_interfaces.errors import Overloaded
from idl_like_interfaces.events import (
    ConsumerState,
    ConsumerStats,
    Gap,
    GapReason,
    NoSuchSubscription,
    Overflow,
    QoS,
    SubscriptionTaken,
)
from idl_like_interfaces.waiting import News
from objects.messaging.backlog import Backlog, Found, WholeBacklog
from objects.messaging.chunk import LANES, Chunk
from objects.messaging.cursor import Place
from objects.messaging.glob import TopicFilters
from objects.messaging.journal import Journal, Pick, behind
from objects.messaging.latest import LatestBacklog, LatestValues
from objects.messaging.limited import LimitedBacklog
from objects.messaging.qos import has_limits

log = logging.getLogger(__name__)

FORGET_AFTER_S = 60.0
MOST_SUBSCRIPTIONS = 10_000

_MOST_TOPICS = 4096
_MOST_SOURCES = 1024
_MOST_TAKEN = 1024


@dataclass(slots=True)
class Lost:
    """Events of one source that were lost for one reason: how many, and its own numbers of them."""

    count: int = 0
    first: int = 0
    last: int = 0


@dataclass(slots=True)
class SourceCount:
    """What a consumer got of one incarnation of a source; it has acknowledged a part of that."""

    delivered: int = 0
    acknowledged: int = 0
    first: int = 0
    last: int = 0
    lost: dict[GapReason, Lost] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Subscriber:
    """One connected consumer.

    Attributes:
        id: Of the subscription.
        name: As it called itself.
        filters: What it wants.
        asked: The quality of service that it asked for.
        qos: What it effectively gets.
        is_durable: Its name is that of a durable subscription.
        backlog: What waits for it.
        place: Up to here it has acknowledged.
        handed: Up to here it was handed out; behind it the backlog goes on.
        seen: When it asked last (monotonic seconds).
        news: What its fetches wait for: something that it wants.
        last_wanted: Of all that came since it is connected, what it wants, or what it must
            be told of, ends with this sequence number.
        quiet_from: Behind this sequence number there was nothing for it ...
        quiet_to: ... up to this one, when its fetches were woken the last time.
        delivered: Events handed out.
        delivered_bytes: Size of their records.
        dropped: Events that it lost, as far as their number is known, by reason.
        counted: Up to these sequence numbers, in each lane, events are in the counts.
        by_source: What it got of whom.
        pending: What was handed out and is not acknowledged.
        lost_to: Up to here it is booked what the retention took unread.
        blocked_since: It holds up suppliers since then; ``None``: it does not.
        blocked_s: For how long it did before.
    """

    id: str
    name: str
    filters: TopicFilters
    asked: QoS
    qos: QoS
    is_durable: bool
    backlog: Backlog = field(init=False)
    place: Place
    handed: Place = field(init=False)
    seen: float
    news: News = field(default_factory=News)
    last_wanted: int
    quiet_from: int = 0
    quiet_to: int = 0
    delivered: int = 0
    delivered_bytes: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    counted: list[int] = field(init=False)
    by_source: OrderedDict[tuple[str, str], SourceCount] = field(default_factory=OrderedDict)
    pending: list[Pick] = field(default_factory=list)
    lost_to: int = 0
    blocked_since: float | None = None
    blocked_s: float = 0.0

    def begin(self, backlog: Backlog, place: Place) -> None:
        """Go on behind a place, with a new backlog."""
        self.backlog = backlog
        self.place = self.handed = place
        self.counted = list(place.in_lanes)
        backlog.begin(place)

    def go_on(self, place: Place) -> None:
        """Note what it has acknowledged; hand out again what got lost on the way to it."""
        if place == self.handed:
            self.backlog.settle()
            for pick in self.pending:
                self._of(pick.chunk).acknowledged += len(pick.positions)
        else:
            self.backlog.begin(place)
            self.handed = place
        self.pending.clear()
        self.place = place

    def tell(self, found: Found) -> None:
        """Book the newest events of the topics, with which it begins."""
        for pick in found.picks:
            self.delivered += len(pick.positions)
            self.delivered_bytes += pick.chunk.bytes_of(pick.positions)

    def blocks_no_more(self, now: float) -> None:
        """Note that it has read: suppliers may go on."""
        if self.blocked_since is not None:
            self.blocked_s += now - self.blocked_since
            self.blocked_since = None

    def pass_quiet(self, journal: Journal) -> None:
        """Pass over what is known to have nothing for it.

        The journal itself cannot tell of events that it has evicted and forgotten.
        """
        if not isinstance(self.backlog, WholeBacklog):
            return
        at = self.handed.sequence
        if at >= self.last_wanted:
            self.backlog.begin(Place(journal.last))
        elif self.quiet_from <= at < self.quiet_to:
            self.backlog.begin(Place(self.quiet_to))

    def read(self, journal: Journal, limit: int) -> Found:
        """Return what comes next, and book it."""
        before = self.handed
        found = self.backlog.read(limit)
        self.handed = found.place
        self.pending += found.picks
        for pick in found.picks:
            self._book(pick)
        for gap in found.gaps:
            self._book_gap(gap, before, journal)
        self.counted = [max(pair) for pair in zip(self.counted, found.place.in_lanes, strict=True)]
        return found

    def _book(self, pick: Pick) -> None:
        """Count what is handed out, but for what was before."""
        chunk, positions = pick.chunk, pick.positions
        if isinstance(self.backlog, LatestBacklog):
            known = 0 if chunk.first + positions[0] > self.counted[0] else len(positions)
        elif chunk.batch.priorities:
            known = sum(
                chunk.first + at <= self.counted[LANES.index(chunk.lane_of(at))] for at in positions
            )
        else:
            known = bisect_left(positions, self.counted[1] + 1 - chunk.first)
        fresh = positions[known:]
        if not fresh:
            return
        self.delivered += len(fresh)
        self.delivered_bytes += chunk.bytes_of(fresh)
        count = self._of(chunk)
        count.delivered += len(fresh)
        count.first = count.first or chunk.batch.first + fresh[0]
        count.last = chunk.batch.first + fresh[-1]

    def _book_gap(self, gap: Gap, before: Place, journal: Journal) -> None:
        """Count what is lost and was not told by the backlog: what only the journal knows of."""
        is_whole = isinstance(self.backlog, WholeBacklog)
        if gap.reason in (GapReason.SUPPLIER, GapReason.DAMAGED):
            is_new = self.handed.furthest > self.counted[1]
            self.dropped[gap.reason] += max(0, gap.count) if is_new else 0
        elif is_whole:
            after = max(gap.first - 1, self.counted[1]) if gap.last else before.sequence
            self._book_retention(after, gap, journal)

    def miss(self, chunk: Chunk) -> None:
        """Book what the retention takes and it has not read."""
        after = max(self.handed.sequence, self.lost_to)
        if not chunk.is_damaged:
            self.lose(chunk, behind(chunk, self.filters, after), GapReason.RETENTION)
        self.lost_to = max(self.lost_to, chunk.last)

    def _book_retention(self, after: int, gap: Gap, journal: Journal) -> None:
        after = max(after, self.lost_to)
        for chunk in journal.between(after, gap.last):
            positions = behind(chunk, self.filters, after)
            if positions and chunk.last <= gap.last:
                self.lose(chunk, positions, gap.reason)
        # What is not known any more, nobody can say of whom it was.
        known = max(0, journal.count(self.filters, max(after, journal.first_known - 1), gap.last))
        total = max(0, journal.count(self.filters, after, gap.last))
        self.dropped[gap.reason] += max(0, total - known)

    def lose(self, chunk: Chunk, positions: Sequence[int], reason: GapReason) -> None:
        """Book events that it will not get."""
        if not positions:
            return
        self.dropped[reason] += len(positions)
        lost = self._of(chunk).lost.setdefault(reason, Lost())
        lost.count += len(positions)
        lost.first = lost.first or chunk.batch.first + positions[0]
        lost.last = chunk.batch.first + positions[-1]

    def _of(self, chunk: Chunk) -> SourceCount:
        key = (chunk.batch.source, chunk.batch.incarnation)
        count = self.by_source.get(key)
        if count is None:
            count = self.by_source[key] = SourceCount()
            if len(self.by_source) > _MOST_SOURCES:
                self.by_source.popitem(last=False)
        return count

    @property
    def state(self) -> ConsumerState:
        """How it stands."""
        backlog = self.backlog
        is_out = isinstance(backlog, LimitedBacklog) and backlog.is_quarantined
        return ConsumerState.QUARANTINED if is_out else ConsumerState.READING

    def stats(self, last: int, now: float) -> ConsumerStats:
        """Return its row of the channel's statistics."""
        holding = 0.0 if self.blocked_since is None else now - self.blocked_since
        return ConsumerStats(
            name=self.name,
            topics=self.filters.patterns,
            qos=self.qos,
            delivered=self.delivered,
            dropped=sum(self.dropped.values()),
            lag=max(0, last - self.place.sequence),
            subscription_id=self.id,
            state=self.state,
            durable=self.is_durable,
            dropped_by={str(reason): n for reason, n in sorted(self.dropped.items()) if n},
            waiting=self.backlog.waiting,
            waiting_bytes=self.backlog.waiting_bytes,
            delivered_bytes=self.delivered_bytes,
            blocked_s=self.blocked_s + holding,
        )


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
