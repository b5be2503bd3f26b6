"""The event channel's servant: numbers batches, keeps them, and wakes who waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, TypeVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.accounts import Account
from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.clients.records import decode_record, encode_record, to_time, to_wire
from idl_like_interfaces.clients.topics import LONGEST, shortened
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_quality import LONGEST_BLOCK_S, QoS
from idl_like_interfaces.events import (
    Batch,
    ChannelStats,
    EventChannel,
    FetchReply,
    PlainEvent,
    PublishReply,
    PullReply,
    Subscription,
)
from idl_like_interfaces.octets import OctetBlocks
from idl_like_interfaces.waiting import News, block_for_news, tell_all, wait_for_news
from objects.component.clock import Clock, SystemClock
from objects.messaging.accounts import intake_accounts, reading_accounts
from objects.messaging.backlog import Found, WholeBacklog
from objects.messaging.batches import check_batch
from objects.messaging.chunk import Chunk
from objects.messaging.cursor import (
    LATEST,
    NEW,
    OLDEST,
    Place,
    Position,
)
from objects.messaging.durables import Durable
from objects.messaging.journal import Pick, Retention
from objects.messaging.qos import effective
from objects.messaging.search import Search
from objects.messaging.state import ChannelState
from objects.messaging.storage import Storage
from objects.messaging.subscriber import Subscriber
from objects.messaging.subscribers import FORGET_AFTER_S, Wish, no_such

LONGEST_POLL_S = 60.0
_ANY_QOS = QoS()
_LOOK_S = 0.5

T = TypeVar("T")

_Taken: TypeAlias = tuple[PublishReply, list[News]]
_Wait: TypeAlias = Callable[
    [News, Callable[[], PublishReply | None], Callable[[], PublishReply], float], PublishReply
]


class EventChannelServant(EventChannel):
    """The channel of one epoch; any thread may call it.

    Args:
        epoch: Of a channel that begins anew.
        retention: What it holds.
        clock: The time.
        forget_after_s: The lease of a subscription that asks for none.
        storage: Its journal on disk; a channel that finds one goes on in its epoch.

    Attributes:
        epoch: Since when its numbers count.
    """

    def __init__(
        self,
        epoch: str,
        *,
        retention: Retention | None = None,
        clock: Clock | None = None,
        forget_after_s: float = FORGET_AFTER_S,
        storage: Storage | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._lease_s = forget_after_s
        self._lock = threading.Lock()
        self._pulls = News()
        self._room = News()
        self._is_closed = False
        self._looked = float("-inf")
        now = self._clock.monotonic()
        self._state = ChannelState(epoch, retention or Retention(), now, storage)
        self.epoch = self._state.epoch
        self._subscribers = self._state.subscribers

    def attend(self) -> None:
        """Do what is due about once a second: leases, age, the journal on disk."""
        with self._lock:
            now = self._clock.monotonic()
            self._forget_silent(now)
            if not self._is_closed:
                self._state.evict(now)
                self._state.attend()
        self._room.tell()

    def close(self) -> None:
        """Answer everybody who waits, with what there is; nobody waits any more."""
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
            waiting = [self._pulls, self._room, *self._subscribers.all_news()]
        tell_all(waiting)
        if not was_closed:
            with self._lock:
                self._state.close()

    @override
    def publish(self, batch: Batch, timeout_s: float = LONGEST_BLOCK_S) -> PublishReply:
        check_batch(batch)
        return self._take_with_room(batch, lambda: self._take(batch), wait_for_news, timeout_s)

    def _take_with_room(
        self, batch: Batch, take: Callable[[], _Taken], wait: _Wait, timeout_s: float
    ) -> PublishReply:
        """Take a batch when no consumer blocks it; those that block for too long do so no more.

        Args:
            batch: What consumers must have room for.
            take: Takes it; the lock is held.
            wait: Waits for room, if it must.
            timeout_s: For how long at most.
        """
        if not self._subscribers.may_block:
            with self._lock:
                reply, waiting = take()
            tell_all(waiting)
            return reply
        whole = Chunk(first=1, count=len(batch.records), batch=batch)
        patience_s = timeout_s

        def look() -> PublishReply | None:
            nonlocal patience_s
            with self._lock:
                now = self._clock.monotonic()
                blocking = self._subscribers.blocked_by(whole, now)
                if blocking and not self._is_closed:
                    patience_s = max(_patience_s(each, now) for each in blocking)
                    return None
                reply, waiting = take()
            tell_all(waiting)
            return reply

        def otherwise() -> PublishReply:
            with self._lock:
                now = self._clock.monotonic()
                for each in self._subscribers.blocked_by(whole, now):
                    self._subscribers.quarantine(each, now)
                reply, waiting = take()
            tell_all([*waiting, self._room])
            return reply

        found = look()
        if found is not None:
            return found
        return wait(self._room, look, otherwise, min(timeout_s, patience_s))

    def _take(self, batch: Batch) -> _Taken:
        """Keep what is new of a batch; say who is to be told of it."""
        reply, waiting = self._state.take(batch, self._clock.monotonic())
        return reply, [self._pulls, *waiting] if reply.accepted else []

    @override
    def push(self, topic: str, body: Any, source: str = "stock") -> int:
        if not source or len(source) > LONGEST:
            raise BadParam(
                f"{shortened(source)!r} cannot be the source of an event",
                field="source",
                cause=f"a source has 1 to {LONGEST} characters",
                remedy="say who publishes it",
            )
        batch = Batch(
            source=source,
            incarnation=f"push@{self.epoch}",
            first=1,
            topics=[topic],
            records=OctetBlocks.of([encode_record(time.time_ns(), body)]),
        )
        check_batch(batch)

        def take() -> _Taken:
            number = self._state.suppliers.next_of(source, batch.incarnation)
            return self._take(msgspec.structs.replace(batch, first=number))

        return self._take_with_room(batch, take, block_for_news, LONGEST_BLOCK_S).last

    @override
    def connect_consumer(
        self,
        name: str,
        topics: list[str],
        cursor: str = NEW,
        qos: QoS = _ANY_QOS,
        durable: bool = False,
    ) -> Subscription:
        filters = TopicFilters(topics)
        gets = effective(qos, self._state.journal.retention, self._lease_s)
        name = self._durable_name(name) if durable else shortened(name)
        with self._lock:
            now = self._clock.monotonic()
            # To look at all of them for each that comes would cost too much when thousands come.
            if now - self._looked >= _LOOK_S:
                self._forget_silent(now)
            kept = self._state.durables.get(name) if durable else None
            start = self._state.start(cursor, kept)
            if start.epoch == self.epoch and cursor not in (NEW, OLDEST, LATEST):
                self._state.ended.came_back(name)
            place = start.place if start.epoch == self.epoch else Place(0)
            wish = Wish(
                name=name, filters=filters, asked=qos, qos=gets, is_durable=durable,
                place=place, now=now,
            )  # fmt: skip
            told = self._connect_durable(wish, kept) if durable else None
            subscriber = self._subscribers.connect(wish)
            if durable:
                self._state.durables.put(Durable(name, filters, qos, place, subscriber.id))
                self._state.keep_durables()
        if told is not None:
            told.tell()
        return Subscription(
            subscription_id=subscriber.id, cursor=str(start), qos=gets, durable=durable
        )

    @staticmethod
    def _durable_name(name: str) -> str:
        if name and name == shortened(name):
            return name
        raise BadParam(
            f"{shortened(name)!r} is no name of a durable subscription",
            field="name",
            remedy="give one that is not empty, and not longer than a topic may be",
        )

    def _connect_durable(self, wish: Wish, kept: Durable | None) -> News | None:
        """Make way for who comes; return what the one before waits for, if there is one."""
        self._state.durables.refuse_too_many(wish.name)
        if kept is None or not kept.reader:
            return None
        return self._subscribers.disconnect(kept.reader, taken_as=wish.name).news

    def _forget_silent(self, now: float) -> None:
        self._looked = now
        for each in self._subscribers.forget_silent(now):
            self._leave(each)

    def _leave(self, subscriber: Subscriber) -> None:
        """Note that nobody reads under a durable name any more."""
        durable = self._state.durables.get(subscriber.name) if subscriber.is_durable else None
        if durable is not None and durable.reader == subscriber.id:
            durable.reader = ""

    @override
    def fetch(
        self, subscription_id: str, cursor: str, limit: int = 4096, timeout_s: float = 25.0
    ) -> FetchReply:
        _check_limit(limit)
        with self._lock:
            subscriber = self._subscribers.get(subscription_id)
            place, is_foreign, told = self._enter(cursor, subscriber.filters, limit)
            if told is not None:
                subscriber.tell(told)
                return self._fetched(told)
            self._acknowledge(subscriber, place)
        search = Search(lambda: self._read_for(subscription_id, limit), is_foreign=is_foreign)
        return self._poll(search, subscriber.news, self._fetched, timeout_s)

    def _enter(
        self, cursor: str, filters: TopicFilters, limit: int
    ) -> tuple[Place, bool, Found | None]:
        """Return where a cursor leads, whether it is of another epoch, and what is told first.

        That is of the newest events of the topics, for who began with them.
        """
        start = self._state.position(cursor)
        if start.epoch != self.epoch:
            return Place(0), True, None
        if start.place.told is None:
            return start.place, False, None
        found = self._state.latest.tell(filters, start.place, limit)
        return Place(start.place.sequence), False, found if found.picks else None

    def _acknowledge(self, subscriber: Subscriber, place: Place) -> None:
        is_new = place != subscriber.place
        subscriber.go_on(place)
        subscriber.blocks_no_more(self._clock.monotonic())
        if is_new and subscriber.is_durable:
            durable = self._state.durables.get(subscriber.name)
            if durable is not None:
                durable.place = place
                self._state.keep_durables()

    def _read_for(self, subscription_id: str, limit: int) -> Found:
        # Looked up each time: who is disconnected while it waits must learn it.
        subscriber = self._subscribers.get(subscription_id)
        subscriber.pass_quiet(self._state.journal)
        subscriber.seen = self._clock.monotonic()
        return subscriber.read(self._state.journal, limit)

    def _fetched(self, found: Found) -> FetchReply:
        return FetchReply(
            epoch=self.epoch,
            cursor=self._cursor_behind(found),
            gaps=found.gaps,
            deliveries=[pick.chunk.deliver(pick.positions) for pick in found.picks],
        )

    def _cursor_behind(self, found: Found) -> str:
        return str(Position(epoch=self.epoch, place=found.place))

    def _poll(self, search: Search, news: News, reply: Callable[[Found], T], timeout_s: float) -> T:
        """Answer a reader when there is something, the channel ends, or the time is over."""

        def look() -> T | None:
            with self._lock:
                found = search.read() if self._is_closed else search.look()
            if found is None:
                return None
            # What was read makes room for those that wait to publish.
            self._room.tell()
            return reply(found)

        def otherwise() -> T:
            with self._lock:
                found = search.read()
            return reply(found)

        return wait_for_news(news, look, otherwise, min(timeout_s, LONGEST_POLL_S))

    @override
    def set_qos(self, subscription_id: str, qos: QoS) -> Subscription:
        gets = effective(qos, self._state.journal.retention, self._lease_s)
        with self._lock:
            subscriber = self._subscribers.get(subscription_id)
            self._subscribers.change(subscriber, qos, gets)
            durable = self._state.durables.get(subscriber.name) if subscriber.is_durable else None
            if durable is not None:
                durable.qos = qos
                self._state.keep_durables()
            cursor = Position(epoch=self.epoch, place=subscriber.place)
        tell_all([self._room, subscriber.news])
        return Subscription(
            subscription_id=subscription_id, cursor=str(cursor), qos=gets,
            durable=subscriber.is_durable,
        )  # fmt: skip

    @override
    def disconnect_consumer(self, subscription_id: str) -> None:
        with self._lock:
            subscriber = self._subscribers.disconnect(subscription_id)
            self._leave(subscriber)
        tell_all([self._room, subscriber.news])

    @override
    def forget_durable(self, name: str) -> None:
        with self._lock:
            durable = self._state.durables.remove(name)
            if durable is None:
                raise no_such(
                    f"there is no durable subscription {shortened(name)!r}",
                    name,
                    "it has another name, or was ended already",
                    "see 'obsorb events stats' for the names",
                )
            self._state.keep_durables()
            reader = self._subscribers.disconnect(durable.reader) if durable.reader else None
        if reader is not None:
            reader.news.tell()

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
            place, is_foreign, told = self._enter(cursor, filters, limit)
            if told is not None:
                return self._pulled(told)
        backlog = WholeBacklog(self._state.journal, filters)
        backlog.begin(Place(min(place.in_lanes)))
        search = Search(lambda: backlog.read(limit), is_foreign=is_foreign)
        return self._poll(search, self._pulls, self._pulled, timeout_s)

    def _pulled(self, found: Found) -> PullReply:
        return PullReply(
            epoch=self.epoch,
            cursor=self._cursor_behind(found),
            gaps=found.gaps,
            events=[event for pick in found.picks for event in _decoded(pick)],
        )

    def accounts(self, hop: str) -> list[Account]:
        """Return what became of the events of each source, here and for each consumer.

        Args:
            hop: Name of the channel.
        """
        with self._lock:
            self._forget_silent(self._clock.monotonic())
            found = intake_accounts(self._state.suppliers, hop, self.epoch)
            readers = self._subscribers.all()
        for each in readers:
            # One at a time: suppliers and consumers go on in between.
            with self._lock:
                found += reading_accounts(each, self._state.journal, hop, self.epoch)
        with self._lock:
            return found + self._state.ended.accounts(hop, self.epoch)

    @override
    def get_stats(self) -> ChannelStats:
        with self._lock:
            now = self._clock.monotonic()
            self._forget_silent(now)
            return self._state.stats(now, self._lease_s)


def _patience_s(subscriber: Subscriber, now: float) -> float:
    """Return for how long a consumer may hold up suppliers yet."""
    since = now if subscriber.blocked_since is None else subscriber.blocked_since
    return max(0.0, subscriber.qos.block_s - (now - since))


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
            priority=pick.chunk.lane_of(position),
        )
