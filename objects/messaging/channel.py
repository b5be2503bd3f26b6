"""The event channel's servant: numbers batches, keeps them, and wakes who waits."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from typing_extensions import override

from idl_like_interfaces.clients.records import decode_record, encode_record, to_time, to_wire
from idl_like_interfaces.clients.topics import shortened
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.events import (
    Batch,
    ChannelStats,
    EventChannel,
    FetchReply,
    PlainEvent,
    PublishReply,
    PullReply,
    QoS,
    Subscription,
)
from idl_like_interfaces.octets import OctetBlocks
from idl_like_interfaces.waiting import News, tell_all, wait_for_news
from objects.component.clock import Clock, SystemClock
from objects.messaging.batches import check_batch, owned, without_first
from objects.messaging.cursor import NEW, OLDEST, Position, parse_cursor, refuse_future
from objects.messaging.glob import TopicFilters
from objects.messaging.journal import Journal, Pick, Reading, Retention
from objects.messaging.rate import RateMeter
from objects.messaging.search import Search
from objects.messaging.subscribers import FORGET_AFTER_S, Start, Subscribers
from objects.messaging.suppliers import SupplierLedger

LONGEST_POLL_S = 60.0
OTHER_TOPICS = "(others)"

_MOST_TOPICS = 10_000
_ANY_QOS = QoS()

T = TypeVar("T")


class EventChannelServant(EventChannel):
    """The channel of one epoch; any thread may call it.

    Attributes:
        epoch: Start of the channel.
    """

    def __init__(
        self,
        epoch: str,
        *,
        retention: Retention | None = None,
        clock: Clock | None = None,
        forget_after_s: float = FORGET_AFTER_S,
    ) -> None:
        self.epoch = epoch
        self._clock = clock or SystemClock()
        self._journal = Journal(retention or Retention())
        self._suppliers = SupplierLedger()
        self._subscribers = Subscribers(forget_after_s)
        self._topics: Counter[str] = Counter()
        self._rate = RateMeter(self._clock.monotonic())
        self._lock = threading.Lock()
        self._pulls = News()
        self._is_closed = False

    def close(self) -> None:
        """Answer everybody who waits, with what there is; nobody waits any more."""
        with self._lock:
            self._is_closed = True
            waiting = [self._pulls, *self._subscribers.all_news()]
        tell_all(waiting)

    @override
    def publish(self, batch: Batch) -> PublishReply:
        check_batch(batch)
        with self._lock:
            reply, waiting = self._take(batch)
        tell_all(waiting)
        return reply

    def _take(self, batch: Batch) -> tuple[PublishReply, list[News]]:
        """Keep what is new of a batch; say who is to be told of it."""
        waiting: list[News] = []
        admission = self._suppliers.admit(batch)
        accepted = len(batch.records) - admission.duplicates
        if accepted:
            fresh = without_first(batch, admission.duplicates) if admission.duplicates else batch
            chunk = self._journal.append(owned(fresh), admission.missing)
            self._count_topics(chunk.topic_counts())
            now = self._clock.monotonic()
            self._rate.add(accepted, now)
            waiting = [self._pulls, *self._subscribers.woken_by(chunk, now)]
        reply = PublishReply(
            epoch=self.epoch,
            accepted=accepted,
            duplicates=admission.duplicates,
            last=self._journal.last,
        )
        return reply, waiting

    def _count_topics(self, counts: Counter[str]) -> None:
        for topic, count in counts.items():
            is_known = topic in self._topics or len(self._topics) < _MOST_TOPICS
            self._topics[topic if is_known else OTHER_TOPICS] += count

    @override
    def push(self, topic: str, body: Any, source: str = "stock") -> int:
        if not source:
            raise BadParam(
                "the event names no source", field="source", remedy="say who publishes it"
            )
        record = encode_record(time.time_ns(), body)
        incarnation = f"push@{self.epoch}"
        with self._lock:
            batch = Batch(
                source=source,
                incarnation=incarnation,
                first=self._suppliers.next_of(source, incarnation),
                topics=[topic],
                records=OctetBlocks.of([record]),
            )
            check_batch(batch)
            reply, waiting = self._take(batch)
        tell_all(waiting)
        return reply.last

    @override
    def connect_consumer(
        self, name: str, topics: list[str], cursor: str = NEW, qos: QoS = _ANY_QOS
    ) -> Subscription:
        filters = TopicFilters(topics)
        if qos.max_queue < 0:
            raise BadParam(
                f"a queue of {qos.max_queue} events is not possible",
                field="qos.max_queue",
                remedy="give a positive number, or 0 for as many as the channel holds",
            )
        now = self._clock.monotonic()
        with self._lock:
            self._subscribers.forget_silent(now)
            start = self._position(cursor)
            known = start.sequence if start.epoch == self.epoch else 0
            begin = Start(position=known, last=self._journal.last, now=now)
            subscriber = self._subscribers.connect(shortened(name), filters, qos, begin)
        return Subscription(subscription_id=subscriber.id, cursor=str(start), qos=qos)

    def _position(self, cursor: str) -> Position:
        """Read a cursor; one of another epoch comes back as it is."""
        if cursor == NEW:
            return Position(epoch=self.epoch, sequence=self._journal.last)
        if cursor == OLDEST:
            return Position(epoch=self.epoch, sequence=self._journal.first - 1)
        position = parse_cursor(cursor)
        if position.epoch == self.epoch:
            refuse_future(position, self._journal.last)
        return position

    @override
    def fetch(
        self, subscription_id: str, cursor: str, limit: int = 4096, timeout_s: float = 25.0
    ) -> FetchReply:
        _check_limit(limit)
        with self._lock:
            subscriber = self._subscribers.get(subscription_id)
            start = self._position(cursor)
            subscriber.position = start.sequence if start.epoch == self.epoch else 0
        search = Search(
            start, self.epoch, lambda after: self._read_for(subscription_id, after, limit)
        )
        return self._poll(search, subscriber.news, self._fetched, timeout_s)

    def _read_for(self, subscription_id: str, after: int, limit: int) -> Reading:
        # Looked up each time: who is disconnected while it waits must learn it.
        subscriber = self._subscribers.get(subscription_id)
        after = subscriber.behind_quiet(after, self._journal.last)
        reading = self._journal.read(subscriber.filters, after, limit, subscriber.qos.max_queue)
        subscriber.book(reading, self._journal)
        subscriber.seen = self._clock.monotonic()
        return reading

    def _fetched(self, reading: Reading) -> FetchReply:
        return FetchReply(
            epoch=self.epoch,
            cursor=self._cursor_behind(reading),
            gaps=reading.gaps,
            deliveries=[pick.chunk.deliver(pick.positions) for pick in reading.picks],
        )

    def _cursor_behind(self, reading: Reading) -> str:
        return str(Position(epoch=self.epoch, sequence=reading.position))

    def _poll(
        self, search: Search, news: News, reply: Callable[[Reading], T], timeout_s: float
    ) -> T:
        """Answer a reader when there is something, the channel ends, or the time is over."""

        def look() -> T | None:
            with self._lock:
                found = search.read() if self._is_closed else search.look()
            return None if found is None else reply(found)

        def otherwise() -> T:
            with self._lock:
                found = search.read()
            return reply(found)

        return wait_for_news(news, look, otherwise, min(timeout_s, LONGEST_POLL_S))

    @override
    def disconnect_consumer(self, subscription_id: str) -> None:
        with self._lock:
            news = self._subscribers.disconnect(subscription_id)
        news.tell()

    @override
    def pull(
        self,
        cursor: str = NEW,
        limit: int = 256,
        timeout_s: float = 25.0,
        topics: list[str] = ["**"],  # noqa: B006 (as declared, never mutated)
    ) -> PullReply:
        _check_limit(limit)
        filters = TopicFilters(topics)
        with self._lock:
            start = self._position(cursor)
        search = Search(start, self.epoch, lambda after: self._journal.read(filters, after, limit))
        return self._poll(search, self._pulls, self._pulled, timeout_s)

    def _pulled(self, reading: Reading) -> PullReply:
        return PullReply(
            epoch=self.epoch,
            cursor=self._cursor_behind(reading),
            gaps=reading.gaps,
            events=[event for pick in reading.picks for event in _decoded(pick)],
        )

    @override
    def get_stats(self) -> ChannelStats:
        now = self._clock.monotonic()
        with self._lock:
            self._subscribers.forget_silent(now)
            journal = self._journal
            return ChannelStats(
                epoch=self.epoch,
                first=journal.first if journal.last else 0,
                last=journal.last,
                held_bytes=journal.held_bytes,
                events_per_s=self._rate.per_second(now),
                topics=dict(sorted(self._topics.items())),
                suppliers=self._suppliers.stats(),
                consumers=self._subscribers.stats(journal.last),
            )


def _check_limit(limit: int) -> None:
    if limit < 1:
        raise BadParam(f"limit is {limit}, the least is 1", field="limit", remedy="ask for more")


def _decoded(pick: Pick) -> Iterator[PlainEvent]:
    delivery = pick.chunk.deliver(pick.positions)
    batch = delivery.batch
    topic_of = batch.topic_of or [0] * len(pick.positions)
    for position, topic, encoded in zip(pick.positions, topic_of, batch.records, strict=True):
        record = decode_record(encoded)
        yield PlainEvent(
            sequence=delivery.sequence + position,
            topic=batch.topics[topic],
            source=batch.source,
            incarnation=batch.incarnation,
            source_sequence=batch.first + position,
            time=to_time(record.time_ns),
            repository_id=record.repository_id,
            body=to_wire(record.body),
        )
