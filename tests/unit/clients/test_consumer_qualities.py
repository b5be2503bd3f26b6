"""The consumer with durable subscriptions, qualities of service, priorities and snapshots."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from typing_extensions import override

from idl_like_interfaces.clients import Blindness, Event, EventConsumer, EventSupplier
from idl_like_interfaces.clients import sight as sight_module
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.event_errors import SubscriptionTaken, UnsupportedQoS
from idl_like_interfaces.event_quality import Order, Overflow, QoS
from idl_like_interfaces.events import EventChannel, FetchReply, Gap, GapReason, Priority
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from objects.messaging.channel import EventChannelServant
from tests.support.batches import make_batch
from tests.support.peers import PATIENCE_S
from tests.unit.clients.test_events import Line, as_channel, bodies, read_until


def filled(channel: EventChannelServant, *bodies: tuple[str, Priority]) -> EventSupplier:
    """Publish events, numbered from 1; return their supplier."""
    supplier = EventSupplier(channel, "obs/a", "i1")
    for number, (topic, priority) in enumerate(bodies, 1):
        supplier.publish(topic, number, priority=priority)
    assert supplier.close(PATIENCE_S)
    return supplier


def test_a_durable_consumer_goes_on_where_it_has_read() -> None:
    """Under its name; what it was given and did not come back for comes again."""
    channel = EventChannelServant("now")
    first = EventConsumer(channel, ["**"], name="writer", cursor="oldest", durable=True)
    first.connect()
    channel.publish(make_batch(1, ["a", "a"]))
    assert bodies(first.read(PATIENCE_S)) == [1, 2]
    first.read(0.0)
    channel.publish(make_batch(3, ["a"]))
    assert bodies(first.read(PATIENCE_S)) == [3]
    first.close()
    channel.publish(make_batch(4, ["a"]))
    second = EventConsumer(channel, ["**"], name="writer", durable=True)
    assert bodies(second.read(PATIENCE_S)) == [3, 4]
    second.close()


def test_whose_name_is_taken_ends_and_does_not_fight() -> None:
    """Whoever came last has it; the other one says so and is closed."""
    channel = EventChannelServant("now")
    first = EventConsumer(channel, ["**"], name="writer", durable=True)
    first.connect()
    second = EventConsumer(channel, ["**"], name="writer", durable=True)
    second.connect()
    with pytest.raises(SubscriptionTaken):
        first.read(PATIENCE_S)
    assert first.read(PATIENCE_S) == []
    assert list(first) == []
    channel.publish(make_batch(1, ["a"]))
    assert bodies(second.read(PATIENCE_S)) == [1]


def test_a_name_that_was_taken_during_an_outage_is_not_taken_back() -> None:
    """After an outage the consumer asks under its old subscription first."""
    channel = EventChannelServant("now")
    line = Line(channel)
    first = EventConsumer(as_channel(line), ["**"], name="writer", durable=True)
    first.connect()
    line.channel = None
    assert first.read(0.01) == []
    EventConsumer(channel, ["**"], name="writer", durable=True).connect()
    line.channel = channel
    with pytest.raises(SubscriptionTaken):
        first.read(PATIENCE_S)


def test_the_quality_of_service_is_changed_while_it_reads() -> None:
    """The effective one is told, before and afterwards."""
    channel = EventChannelServant("now")
    consumer = EventConsumer(channel, ["**"], name="reader")
    consumer.connect()
    effective = [consumer.effective_qos]
    assert effective[0].max_queue > 0
    effective += [consumer.set_qos(QoS(overflow=Overflow.LATEST)), consumer.effective_qos]
    assert [each.overflow.value for each in effective] == ["drop_oldest", "latest", "latest"]
    channel.publish(make_batch(1, ["a"] * 5))
    items = consumer.read(PATIENCE_S)
    assert bodies(items)[-1] == 5
    assert sum(item.count for item in items if isinstance(item, Gap)) == 4


def test_what_is_asked_for_before_the_first_reading_is_what_it_connects_with() -> None:
    """There is nothing to change yet."""
    consumer = EventConsumer(EventChannelServant("now"), ["**"], name="reader")
    consumer.set_qos(QoS(max_queue=7))
    consumer.connect()
    assert consumer.effective_qos.max_queue == 7


def test_a_quality_that_the_channel_cannot_give_is_refused() -> None:
    """Loudly, also in the middle; the one before stays."""
    channel = EventChannelServant("now")
    wrong = QoS(overflow=Overflow.BLOCK, block_s=1000.0)
    with pytest.raises(UnsupportedQoS):
        EventConsumer(channel, ["**"], name="reader", qos=wrong).read(PATIENCE_S)
    consumer = EventConsumer(channel, ["**"], name="reader")
    consumer.connect()
    before = consumer.effective_qos
    with pytest.raises(UnsupportedQoS):
        consumer.set_qos(wrong)
    assert consumer.effective_qos == before


def test_changing_without_a_channel_changes_nothing() -> None:
    """It is the caller's to try again."""
    line = Line(EventChannelServant("now"))
    consumer = EventConsumer(as_channel(line), ["**"], name="reader")
    consumer.connect()
    line.channel = None
    with pytest.raises(Transient):
        consumer.set_qos(QoS(max_queue=7))
    line.channel = EventChannelServant("then")
    consumer.read(0.0)
    consumer.read(0.0)
    assert consumer.effective_qos.max_queue != 7


def test_the_most_urgent_comes_first_and_nothing_is_taken_for_a_repetition() -> None:
    """The numbers of a supplier rise within one priority only."""
    channel = EventChannelServant("now")
    consumer = EventConsumer(channel, ["**"], name="reader", qos=QoS(order=Order.PRIORITY))
    consumer.connect()
    low, normal, high = Priority.LOW, Priority.NORMAL, Priority.HIGH
    filled(channel, ("a", low), ("a", normal), ("b", high), ("a", low), ("a", high))
    items = read_until(consumer, 5)
    assert bodies(items) == [3, 5, 2, 1, 4]
    assert [item.priority for item in items if isinstance(item, Event)] == [
        high, high, normal, low, low,
    ]  # fmt: skip


def test_what_comes_again_from_a_restarted_channel_is_known_in_each_priority() -> None:
    """A mixed batch that the old channel had taken brings only what is new."""
    old, new = EventChannelServant("old"), EventChannelServant("new")
    line = Line(old)
    consumer = EventConsumer(as_channel(line), ["**"], name="reader", cursor="oldest")
    filled(old, ("a", Priority.HIGH), ("a", Priority.LOW))
    assert sorted(map(str, bodies(read_until(consumer, 2)))) == ["1", "2"]
    line.channel = new
    filled(new, ("a", Priority.HIGH), ("a", Priority.LOW), ("a", Priority.NORMAL))
    assert bodies(read_until(consumer, 2)) == [GapReason.NEW_EPOCH, 3]


def test_the_latest_of_each_topic_and_then_all_that_comes() -> None:
    """Without hole and without repetition; what was before is no loss."""
    channel = EventChannelServant("now")
    channel.publish(make_batch(1, ["a", "b", "a"]))
    consumer = EventConsumer(channel, ["**"], name="reader", cursor="latest")
    assert bodies(read_until(consumer, 2)) == [2, 3]
    channel.publish(make_batch(4, ["a", "b"]))
    assert bodies(read_until(consumer, 2)) == [4, 5]
    assert [each.missing for each in consumer.accounts()] == [[]]


def test_a_reader_of_everything_knows_what_it_misses_after_a_restart() -> None:
    """The numbers of the suppliers tell it, although the channel cannot."""
    old, new = EventChannelServant("old"), EventChannelServant("new")
    line = Line(old)
    consumer = EventConsumer(as_channel(line), ["**"], name="reader", cursor="oldest")
    old.publish(make_batch(1, ["a", "a"]))
    read_until(consumer, 2)
    line.channel = new
    new.publish(make_batch(6, ["a"]))
    assert bodies(read_until(consumer, 2)) == [GapReason.NEW_EPOCH, 6]
    missing = [drop for each in consumer.accounts() for drop in each.missing]
    assert [(drop.reason, drop.count) for drop in missing] == [("new_epoch", 3)]


def test_a_channel_that_hangs_is_told_while_its_answer_is_still_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reader learns it from ``read`` itself, long before the deadline of the stub."""
    monkeypatch.setattr(sight_module, "BLIND_AFTER_S", 0.3)
    gate = threading.Event()

    class Hanging(EventChannelServant):
        @override
        def fetch(
            self, subscription_id: str, cursor: str, limit: int = 4096, timeout_s: float = 25.0
        ) -> FetchReply:
            gate.wait(PATIENCE_S)
            return super().fetch(subscription_id, cursor, limit, timeout_s)

    channel = Hanging("now")
    with ObjectAdapter() as adapter, ThreadPoolExecutor(1) as pool:
        stub = narrow(
            adapter.activate(channel, EventChannel, "events"), EventChannel, deadline_s=PATIENCE_S
        )
        consumer = EventConsumer(stub, ["**"], name="reader", cursor="oldest", poll_s=0.1)
        consumer.connect()
        channel.publish(make_batch(1, ["a"]))
        (blind,) = pool.submit(consumer.read, PATIENCE_S).result(PATIENCE_S / 2)
        assert isinstance(blind, Blindness)
        assert not blind.is_over
        gate.set()
        assert bodies(read_until(consumer, 2)) == [True, 1]
        consumer.close()
        channel.close()
        release(stub)


def test_a_supplier_whose_channel_hangs_or_is_away_is_blind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until a batch is acknowledged; without anything to send nobody is blind."""
    monkeypatch.setattr("idl_like_interfaces.clients.supplier.BLIND_AFTER_S", 0.05)
    line = Line(None)
    supplier = EventSupplier(as_channel(line), "obs/a", "i1")
    seen = [supplier.is_blind]
    supplier.publish("a", 1)
    assert not supplier.flush(0.2)
    seen.append(supplier.is_blind)
    line.channel = EventChannelServant("now")
    assert supplier.flush(PATIENCE_S)
    seen.append(supplier.is_blind)
    assert seen == [False, True, False]
    supplier.close()
