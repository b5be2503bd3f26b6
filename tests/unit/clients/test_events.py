"""Supplier and consumer together with a channel that may be away or restarted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from typing_extensions import override

from idl_like_interfaces.clients import Blindness, Event, EventConsumer, EventSupplier, Item
from idl_like_interfaces.clients import sight as sight_module
from idl_like_interfaces.errors import BadParam, OutcomeUnknown, Transient
from idl_like_interfaces.event_errors import InvalidCursor, InvalidTopic
from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import EventChannel, FetchReply, Gap, GapReason
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from objects.messaging.channel import EventChannelServant
from objects.messaging.journal import Retention
from tests.support.batches import make_batch
from tests.support.peers import PATIENCE_S


class Line:
    """A stub as a test sees it: calls the present channel, or fails, or loses replies."""

    def __init__(self, channel: EventChannelServant | None) -> None:
        self.channel = channel
        self.calls_with_lost_replies: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: object) -> object:
            if self.channel is None:
                raise Transient("nobody is there")
            reply = getattr(self.channel, name)(*args)
            if name in self.calls_with_lost_replies:
                self.calls_with_lost_replies.discard(name)
                raise OutcomeUnknown("the reply is lost")
            return reply

        return call


def as_channel(line: Line) -> EventChannel:
    """Return a line as what it stands for."""
    return cast("EventChannel", line)


def read_until(consumer: EventConsumer, count: int) -> list[Item]:
    """Read until there are so many events and gaps.

    Raises:
        AssertionError: They did not come in time.
    """
    items: list[Item] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(items) < count and time.monotonic() < deadline:
        items += consumer.read(1.0)
    assert len(items) >= count, f"only {items} came"
    return items


def bodies(items: list[Item]) -> list[object]:
    """Return the bodies of the events, the reasons of the gaps, whether a blindness is over."""
    return [_told(item) for item in items]


def _told(item: Item) -> object:
    match item:
        case Event():
            return item.body
        case Gap():
            return item.reason
        case Blindness():
            return item.is_over


def test_what_is_published_is_read() -> None:
    """With header, decoded body, numbers and time, in order over topics."""
    channel = EventChannelServant("now")
    supplier = EventSupplier(channel, "obs/ocm", "i1", time_ns=lambda: 1_500_000_000)
    with EventConsumer(channel, ["daq/**"], name="reader", cursor="oldest") as consumer:
        supplier.publish("daq/status", {"n": 1}, "IDL:a/B:1.0")
        supplier.publish("other", {"n": 2})
        supplier.publish("daq/alert", {"n": 3})
        first, second = read_until(consumer, 2)
        assert isinstance(first, Event)
        assert (first.topic, first.source, first.incarnation) == ("daq/status", "obs/ocm", "i1")
        assert (first.repository_id, first.body, first.epoch) == ("IDL:a/B:1.0", {"n": 1}, "now")
        assert first.time.timestamp() == 1.5
        assert isinstance(second, Event)
        assert (second.sequence, second.source_sequence, second.body) == (3, 3, {"n": 3})
    assert supplier.close(PATIENCE_S)


def test_publishing_refuses_what_cannot_be_sent() -> None:
    """At the call, so that one mistake does not spoil a batch."""
    supplier = EventSupplier(EventChannelServant("now"), "obs/ocm", "i1")
    with pytest.raises(InvalidTopic):
        supplier.publish("daq/*", 1)
    with pytest.raises(BadParam):
        supplier.publish("daq/status", object())
    assert supplier.counters.produced == 0
    supplier.close()


def test_events_wait_for_an_absent_channel() -> None:
    """They arrive in order once it is there, and lost replies make no duplicates."""
    channel = EventChannelServant("now")
    line = Line(None)
    supplier = EventSupplier(as_channel(line), "obs/ocm", "i1")
    for number in range(2000):
        supplier.publish("a", number)
    line.calls_with_lost_replies = {"publish"}
    line.channel = channel
    assert supplier.flush(PATIENCE_S)
    consumer = EventConsumer(channel, ["a"], name="reader", cursor="oldest")
    assert bodies(read_until(consumer, 2000)) == list(range(2000))
    assert channel.get_stats().suppliers[0].duplicates > 0
    assert supplier.counters.acknowledged == 2000
    supplier.close()


def test_an_overflow_of_the_spool_becomes_a_gap() -> None:
    """The consumer learns exactly how many events the supplier had to drop."""
    channel = EventChannelServant("now")
    line = Line(channel)
    supplier = EventSupplier(as_channel(line), "obs/ocm", "i1", spool_events=10)
    consumer = EventConsumer(channel, ["**"], name="reader")
    consumer.connect()
    supplier.publish("a", -1)
    assert supplier.flush(PATIENCE_S)
    line.channel = None
    for number in range(1000):
        supplier.publish("a", number)
    line.channel = channel
    assert supplier.flush(PATIENCE_S)
    items: list[Item] = []
    while not items or not isinstance(items[-1], Event) or items[-1].body != 999:
        items += read_until(consumer, 1)
    lost = [item.count for item in items if isinstance(item, Gap)]
    assert sum(lost) == supplier.counters.dropped > 0
    assert len(items) - len(lost) + sum(lost) == 1001
    supplier.close()


def test_a_restarted_channel_is_told_and_nothing_comes_twice() -> None:
    """The supplier sends its last batch again to the new channel; the consumer knows it."""
    old, new = EventChannelServant("old"), EventChannelServant("new")
    line = Line(old)
    consumer = EventConsumer(as_channel(line), ["**"], name="reader")
    consumer.connect()
    old.publish(make_batch(1, ["a", "a"]))
    assert bodies(consumer.read(PATIENCE_S)) == [1, 2]
    line.channel = new
    new.publish(make_batch(1, ["a", "a"]))
    new.publish(make_batch(3, ["a"]))
    assert bodies(read_until(consumer, 2)) == [GapReason.NEW_EPOCH, 3]


def test_the_consumer_s_cursor_can_be_kept() -> None:
    """Another consumer goes on where the first one ended."""
    channel = EventChannelServant("now")
    first = EventConsumer(channel, ["**"], name="first", cursor="oldest")
    channel.publish(make_batch(1, ["a", "a"]))
    assert bodies(first.read(PATIENCE_S)) == [1, 2]
    channel.publish(make_batch(3, ["a"]))
    second = EventConsumer(channel, ["**"], name="second", cursor=first.cursor)
    assert bodies(second.read(PATIENCE_S)) == [3]


def test_the_queue_limit_is_the_channel_s() -> None:
    """The quality of service is passed on."""
    channel = EventChannelServant("now")
    consumer = EventConsumer(channel, ["**"], name="top", qos=QoS(max_queue=1))
    consumer.connect()
    channel.publish(make_batch(1, ["a"] * 5))
    assert bodies(consumer.read(PATIENCE_S)) == [GapReason.DROP_OLDEST, 5]


def test_a_consumer_that_was_forgotten_connects_again() -> None:
    """It loses nothing that the channel still holds."""
    channel = EventChannelServant("now", forget_after_s=0.0)
    consumer = EventConsumer(channel, ["**"], name="reader")
    consumer.connect()
    channel.publish(make_batch(1, ["a"]))
    assert channel.get_stats().consumers == []
    assert bodies(consumer.read(PATIENCE_S)) == [1]


def test_wrong_filters_and_cursors_are_the_caller_s_mistake() -> None:
    """They are refused at the first read instead of being tried for ever."""
    channel = EventChannelServant("now")
    with pytest.raises(InvalidTopic):
        EventConsumer(channel, ["a**"], name="reader").read(0.0)
    with pytest.raises(InvalidCursor):
        EventConsumer(channel, ["a"], name="reader", cursor="yesterday").read(0.0)


def test_an_absent_channel_makes_the_consumer_blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading gives nothing and says so; with the channel back sight returns."""
    monkeypatch.setattr(sight_module, "BLIND_AFTER_S", 0.05)
    line = Line(None)
    consumer = EventConsumer(as_channel(line), ["**"], name="reader", cursor="oldest")
    sight = [consumer.is_blind]
    assert bodies(consumer.read(PATIENCE_S)) == [False]
    assert consumer.read(0.0) == []
    sight.append(consumer.is_blind)
    line.channel = EventChannelServant("now")
    line.channel.push("a", 1)
    assert bodies(consumer.read(PATIENCE_S)) == [True, 1]
    sight.append(consumer.is_blind)
    assert sight == [False, True, False]


def test_a_quiet_channel_does_not_make_blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer without events is an answer."""
    monkeypatch.setattr(sight_module, "BLIND_AFTER_S", 20.0)
    with EventConsumer(EventChannelServant("now"), ["**"], name="r", poll_s=0.01) as consumer:
        assert consumer.read(0.1) == []
        assert consumer._sight.unanswered_s == 0.0


def test_no_farewell_to_a_channel_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing returns although the channel takes calls and answers none."""
    monkeypatch.setattr(sight_module, "BLIND_AFTER_S", 0.02)
    asked: list[str] = []
    gate, is_asked = threading.Event(), threading.Event()

    class Hanging(EventChannelServant):
        @override
        def fetch(
            self, subscription_id: str, cursor: str, limit: int = 4096, timeout_s: float = 25.0
        ) -> FetchReply:
            is_asked.set()
            gate.wait(PATIENCE_S)
            return super().fetch(subscription_id, cursor, limit, 0.0)

        @override
        def disconnect_consumer(self, subscription_id: str) -> None:
            asked.append(subscription_id)

    consumer = EventConsumer(Hanging("now"), ["**"], name="reader", poll_s=0.01)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(consumer.read, PATIENCE_S)
        assert is_asked.wait(PATIENCE_S)
        assert not gate.wait(0.05)
        consumer.close()
        gate.set()
        assert reading.result(PATIENCE_S) == []
    assert asked == []


def test_iterating_ends_when_the_consumer_is_closed() -> None:
    """Another thread closes it while it waits."""
    channel = EventChannelServant("now")
    consumer = EventConsumer(channel, ["**"], name="reader", cursor="oldest", poll_s=60.0)
    first = threading.Event()

    def read_all() -> list[object]:
        found = []
        for item in consumer:
            found.append(item)
            first.set()
        return bodies(found)

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_all)
        channel.push("a", "only")
        assert first.wait(PATIENCE_S)
        consumer.close()
        consumer.close()
        assert reading.result(PATIENCE_S) == ["only"]
    assert channel.get_stats().consumers == []


def test_closing_without_a_channel_is_quiet() -> None:
    """The farewell is a courtesy."""
    line = Line(EventChannelServant("now"))
    consumer = EventConsumer(as_channel(line), ["**"], name="reader")
    consumer.connect()
    line.channel = None
    consumer.close()
    assert consumer.read(PATIENCE_S) == []


def test_nothing_is_lost_silently_when_the_channel_restarts_on_the_wire() -> None:
    """Supplier and consumers on typed stubs follow the channel to a new process's port."""
    where: dict[str, str] = {}
    stub = narrow("obs/events", EventChannel, resolve=lambda name: where[name])
    supplier = EventSupplier(stub, "obs/ocm", "i1")
    consumers = [
        EventConsumer(stub, topics, name=str(topics)) for topics in (["**"], ["even"], ["odd"])
    ]
    with _serving("first", where):
        for consumer in consumers:
            consumer.connect()
        _publish(supplier, range(300))
        assert supplier.flush(PATIENCE_S)
        for consumer, count in zip(consumers, (300, 150, 150), strict=True):
            assert len(read_until(consumer, count)) == count
    del where["obs/events"]
    _publish(supplier, range(300, 600))
    with _serving("second", where):
        assert supplier.flush(PATIENCE_S)
        for consumer, step, start in zip(consumers, (1, 2, 2), (300, 300, 301), strict=True):
            wanted = [GapReason.NEW_EPOCH, *range(start, 600, step)]
            assert bodies(read_until(consumer, len(wanted))) == wanted
            consumer.close()
        assert supplier.close(PATIENCE_S)
    release(stub)


class _serving:  # noqa: N801 (reads as a context)
    """A channel of an epoch behind an adapter of its own."""

    def __init__(self, epoch: str, where: dict[str, str]) -> None:
        self._channel = EventChannelServant(epoch, retention=Retention(max_events=10_000))
        self._where = where
        self._adapter = ObjectAdapter()

    def __enter__(self) -> None:
        self._adapter.__enter__()
        self._where["obs/events"] = self._adapter.activate(self._channel, EventChannel, "events")

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self._adapter.close()


def _publish(supplier: EventSupplier, numbers: range) -> None:
    for number in numbers:
        supplier.publish("odd" if number % 2 else "even", number)
