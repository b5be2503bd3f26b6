"""What every implementation of ``EventChannel`` does, whatever carries it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from idl_like_interfaces.clients.records import UNDECODABLE
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_errors import (
    InvalidCursor,
    InvalidTopic,
    MalformedBatch,
    NoSuchSubscription,
    SubscriptionTaken,
    UnsupportedQoS,
)
from idl_like_interfaces.event_quality import Order, Overflow, QoS
from idl_like_interfaces.events import ConsumerState, EventChannel, Gap, GapReason, Priority
from idl_like_interfaces.octets import OctetBlocks
from tests.support.batches import make_batch, numbers, sequences
from tests.support.clock import ManualClock

PATIENCE_S = 30.0
HELD = 100
"""Events that the channel under test holds."""


class EventChannelContract:
    """Inherit it and give the fixture ``channel``."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Return the clock that the implementation looks at."""
        return ManualClock()

    @pytest.fixture
    def channel(self, clock: ManualClock) -> Iterator[EventChannel]:
        """Yield an empty channel that holds ``HELD`` events."""
        raise NotImplementedError

    def test_a_published_batch_is_fetched_whole(self, channel: EventChannel) -> None:
        """Header, topics and records of a batch come out as they went in."""
        subscription = channel.connect_consumer("reader", ["**"])
        batch = make_batch(1, ["daq/status", "daq/alert", "daq/status"])
        reply = channel.publish(batch)
        assert (reply.accepted, reply.duplicates, reply.last) == (3, 0, 3)
        got = channel.fetch(subscription.subscription_id, subscription.cursor, 10, PATIENCE_S)
        assert [each.batch for each in got.deliveries] == [batch]
        assert (got.epoch, got.gaps, got.deliveries[0].sequence) == (reply.epoch, [], 1)

    def test_only_matching_events_of_a_batch_are_fetched(self, channel: EventChannel) -> None:
        """A filter picks events out of a batch; their positions tell which they were."""
        channel.publish(make_batch(1, ["daq/status", "files/finished", "daq/alert"]))
        subscription = channel.connect_consumer("reader", ["daq/*"], "oldest")
        got = channel.fetch(subscription.subscription_id, subscription.cursor, 10, PATIENCE_S)
        assert sequences(got) == [1, 3]
        assert got.deliveries[0].positions == [0, 2]
        assert [bytes(each)[-1] for each in got.deliveries[0].batch.records] == [1, 3]

    def test_the_same_cursor_gives_the_same_events_again(self, channel: EventChannel) -> None:
        """A lost reply is asked for again; the statistics count its events once."""
        subscription = channel.connect_consumer("reader", ["**"])
        channel.publish(make_batch(1, ["a"] * 5))
        for _ in range(3):
            got = channel.fetch(subscription.subscription_id, subscription.cursor, 10, PATIENCE_S)
            assert sequences(got) == [1, 2, 3, 4, 5]
        assert channel.get_stats().consumers[0].delivered == 5

    def test_the_cursor_of_a_reply_leads_behind_it(self, channel: EventChannel) -> None:
        """Reading in steps of two gives every event once; the limit holds."""
        subscription = channel.connect_consumer("reader", ["**"])
        channel.publish(make_batch(1, ["a"] * 5))
        cursor, seen = subscription.cursor, []
        for _ in range(3):
            got = channel.fetch(subscription.subscription_id, cursor, 2, PATIENCE_S)
            assert len(sequences(got)) <= 2
            seen += sequences(got)
            cursor = got.cursor
        assert seen == [1, 2, 3, 4, 5]

    def test_new_skips_what_was_and_oldest_replays_it(self, channel: EventChannel) -> None:
        """The two special cursors begin behind the newest and before the oldest event."""
        channel.publish(make_batch(1, ["a"] * 3))
        late = channel.connect_consumer("late", ["**"], "new")
        replay = channel.connect_consumer("replay", ["**"], "oldest")
        channel.publish(make_batch(4, ["a"]))
        assert sequences(channel.fetch(late.subscription_id, late.cursor)) == [4]
        assert sequences(channel.fetch(replay.subscription_id, replay.cursor)) == [1, 2, 3, 4]

    def test_reading_begins_at_any_sequence_that_is_held(self, channel: EventChannel) -> None:
        """A cursor made from epoch and sequence replays what is behind it."""
        epoch = channel.publish(make_batch(1, ["a"] * 5)).epoch
        subscription = channel.connect_consumer("reader", ["**"], f"{epoch}:3")
        got = channel.fetch(subscription.subscription_id, subscription.cursor)
        assert sequences(got) == [4, 5]

    def test_a_fetch_waits_for_news(self, channel: EventChannel) -> None:
        """A long-poll is answered by what is published while it waits."""
        subscription = channel.connect_consumer("reader", ["daq/*"])
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(
                channel.fetch, subscription.subscription_id, subscription.cursor, 10, PATIENCE_S
            )
            channel.publish(make_batch(1, ["other/topic"]))
            channel.publish(make_batch(2, ["daq/status"]))
            assert sequences(waiting.result(PATIENCE_S)) == [2]

    def test_a_fetch_without_news_is_empty_and_goes_on(self, channel: EventChannel) -> None:
        """Events that do not match are passed over for good."""
        subscription = channel.connect_consumer("reader", ["daq/*"])
        channel.publish(make_batch(1, ["other/topic"] * 7))
        got = channel.fetch(subscription.subscription_id, subscription.cursor, 10, 0.0)
        assert (got.gaps, got.deliveries) == ([], [])
        assert got.cursor == f"{got.epoch}:7"

    def test_disconnecting_ends_a_waiting_fetch(self, channel: EventChannel) -> None:
        """A consumer can be released from another thread."""
        subscription = channel.connect_consumer("reader", ["**"])
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(
                channel.fetch, subscription.subscription_id, subscription.cursor, 10, PATIENCE_S
            )
            channel.disconnect_consumer(subscription.subscription_id)
            with pytest.raises(NoSuchSubscription):
                waiting.result(PATIENCE_S)

    def test_duplicates_are_counted_and_dropped(self, channel: EventChannel) -> None:
        """A batch that was sent again, and one that overlaps, add only what is new."""
        channel.publish(make_batch(1, ["a"] * 3))
        assert channel.publish(make_batch(1, ["a"] * 3)).accepted == 0
        reply = channel.publish(make_batch(2, ["a", "b", "c"]))
        assert (reply.accepted, reply.duplicates, reply.last) == (1, 2, 4)
        subscription = channel.connect_consumer("reader", ["**"], "oldest")
        got = channel.fetch(subscription.subscription_id, subscription.cursor)
        assert numbers(got) == [1, 2, 3, 4]
        assert got.deliveries[1].batch.topics[-1] == "c"
        assert channel.get_stats().suppliers[0].duplicates == 5

    def test_another_incarnation_is_another_supplier(self, channel: EventChannel) -> None:
        """After a restart a supplier counts from 1 again, and that is no duplicate."""
        channel.publish(make_batch(1, ["a"], incarnation="i1"))
        assert channel.publish(make_batch(1, ["a"], incarnation="i2")).accepted == 1

    def test_a_hole_in_the_supplier_s_numbers_is_told(self, channel: EventChannel) -> None:
        """What a supplier lost arrives as a gap at its place between the events."""
        subscription = channel.connect_consumer("reader", ["**"])
        channel.publish(make_batch(1, ["a"] * 2))
        channel.publish(make_batch(6, ["a"]))
        first = channel.fetch(subscription.subscription_id, subscription.cursor)
        second = channel.fetch(subscription.subscription_id, first.cursor)
        assert (numbers(first), first.gaps) == ([1, 2], [])
        assert second.gaps == [Gap(reason=GapReason.SUPPLIER, count=3, source="obs/test")]
        assert numbers(second) == [6]
        assert channel.get_stats().suppliers[0].missing == 3

    def test_a_narrow_filter_cannot_know_what_the_supplier_lost(
        self, channel: EventChannel
    ) -> None:
        """The topics of events that never came are unknown, so is how many would match."""
        subscription = channel.connect_consumer("reader", ["a/*"])
        channel.publish(make_batch(1, ["a/x"]))
        channel.publish(make_batch(5, ["b/x"]))
        first = channel.fetch(subscription.subscription_id, subscription.cursor)
        second = channel.fetch(subscription.subscription_id, first.cursor)
        assert second.gaps == [Gap(reason=GapReason.SUPPLIER, count=-1, source="obs/test")]

    def test_a_supplier_from_before_the_restart_is_no_hole(self, channel: EventChannel) -> None:
        """The first batch may begin anywhere; only what it says it lost is missing."""
        subscription = channel.connect_consumer("reader", ["**"])
        channel.publish(make_batch(500, ["a"], source="kept"))
        channel.publish(make_batch(500, ["a"], source="lossy", lost=20))
        first = channel.fetch(subscription.subscription_id, subscription.cursor)
        second = channel.fetch(subscription.subscription_id, first.cursor)
        assert (first.gaps, numbers(first)) == ([], [500])
        assert second.gaps == [Gap(reason=GapReason.SUPPLIER, count=20, source="lossy")]

    def test_what_is_no_longer_held_is_told(self, channel: EventChannel) -> None:
        """A slow consumer learns how many events that match its filter are gone."""
        subscription = channel.connect_consumer("slow", ["odd"])
        for first in range(1, 2 * HELD, 2):
            channel.publish(make_batch(first, ["odd", "even"]))
        got = channel.fetch(subscription.subscription_id, subscription.cursor)
        assert got.gaps == [Gap(reason=GapReason.RETENTION, count=HELD // 2, first=1, last=HELD)]
        assert sequences(got) == list(range(HELD + 1, 2 * HELD, 2))
        stats = channel.get_stats()
        assert stats.consumers[0].dropped == stats.consumers[0].delivered == HELD // 2
        assert (stats.first, stats.last) == (HELD + 1, 2 * HELD)

    def test_a_full_queue_drops_its_oldest(self, channel: EventChannel) -> None:
        """With a limit of three only the newest three matching events wait."""
        subscription = channel.connect_consumer("top", ["a"], qos=QoS(max_queue=3))
        assert subscription.qos.max_queue == 3
        channel.publish(make_batch(1, ["a", "b"] * 5))
        got = channel.fetch(subscription.subscription_id, subscription.cursor)
        assert got.gaps == [Gap(reason=GapReason.DROP_OLDEST, count=2, first=1, last=3)]
        assert sequences(got) == [5, 7, 9]

    def test_a_cursor_of_another_epoch_is_told_of_the_restart(self, channel: EventChannel) -> None:
        """Reading goes on with everything that the new epoch holds."""
        channel.publish(make_batch(1, ["a"]))
        subscription = channel.connect_consumer("reader", ["**"], "before:17")
        got = channel.fetch(subscription.subscription_id, subscription.cursor)
        assert got.gaps == [Gap(reason=GapReason.NEW_EPOCH, count=-1)]
        assert sequences(got) == [1]
        pulled = channel.pull("before:17", timeout_s=0.0)
        assert (pulled.gaps, len(pulled.events)) == (got.gaps, 1)

    def test_a_silent_consumer_is_forgotten_and_comes_back(
        self, channel: EventChannel, clock: ManualClock
    ) -> None:
        """After 60 s without a fetch a subscription is gone; its cursor is still good."""
        subscription = channel.connect_consumer("reader", ["**"])
        channel.publish(make_batch(1, ["a"]))
        clock.advance(59.0)
        assert len(channel.get_stats().consumers) == 1
        clock.advance(1.0)
        assert channel.get_stats().consumers == []
        with pytest.raises(NoSuchSubscription) as refusal:
            channel.fetch(subscription.subscription_id, subscription.cursor)
        assert refusal.value.subscription_id == subscription.subscription_id
        again = channel.connect_consumer("reader", ["**"], subscription.cursor)
        assert sequences(channel.fetch(again.subscription_id, again.cursor)) == [1]

    @pytest.mark.parametrize("topic", ["", "a//b", "/a", "a b", "a/*", "x" * 300])
    def test_a_malformed_topic_is_refused(self, channel: EventChannel, topic: str) -> None:
        """Neither way to publish takes it, and nothing of a batch is taken."""
        with pytest.raises(InvalidTopic):
            channel.publish(make_batch(1, ["good", topic]))
        with pytest.raises(InvalidTopic) as refusal:
            channel.push(topic, 1)
        assert refusal.value.remedy
        assert channel.get_stats().last == 0

    @pytest.mark.parametrize("topics", [[], ["a**"], ["a//b"], ["good", "a b"]])
    def test_a_malformed_filter_is_refused(self, channel: EventChannel, topics: list[str]) -> None:
        """Neither way to read takes it."""
        with pytest.raises(InvalidTopic):
            channel.connect_consumer("reader", topics)
        with pytest.raises(InvalidTopic):
            channel.pull("new", 1, 0.0, topics)

    @pytest.mark.parametrize(
        "cursor", ["", "7", "newest", "a b:1", "x:-1", "x:1e3", "x:1~", "x:1.2"]
    )
    def test_a_malformed_cursor_is_refused(self, channel: EventChannel, cursor: str) -> None:
        """Wherever a cursor is given, and the refusal says what one looks like."""
        with pytest.raises(InvalidCursor) as refusal:
            channel.connect_consumer("reader", ["**"], cursor)
        assert "EPOCH:SEQUENCE" in refusal.value.cause
        subscription = channel.connect_consumer("reader", ["**"])
        with pytest.raises(InvalidCursor):
            channel.fetch(subscription.subscription_id, cursor)
        with pytest.raises(InvalidCursor):
            channel.pull(cursor)

    def test_a_cursor_behind_the_newest_event_is_refused(self, channel: EventChannel) -> None:
        """This epoch cannot have given it."""
        epoch = channel.publish(make_batch(1, ["a"])).epoch
        with pytest.raises(InvalidCursor):
            channel.pull(f"{epoch}:2", timeout_s=0.0)

    @pytest.mark.parametrize(
        ("field", "changes"),
        [
            ("records", {"records": OctetBlocks(), "topic_of": []}),
            ("topics", {"topics": [], "topic_of": []}),
            ("topic_of", {"topic_of": [0]}),
            ("topic_of", {"topic_of": [0, 2]}),
            ("topic_of", {"topic_of": [0, -1]}),
            ("topic_of", {"topic_of": []}),
            ("first", {"first": 0}),
            ("first", {"first": 2**64 - 1}),
            ("lost", {"lost": -1}),
            ("source", {"source": ""}),
            ("incarnation", {"incarnation": ""}),
        ],
    )
    def test_a_malformed_batch_is_refused(
        self, channel: EventChannel, field: str, changes: dict[str, object]
    ) -> None:
        """The refusal names the part that is wrong, and nothing is taken."""
        batch = msgspec.structs.replace(make_batch(1, ["a", "b"]), **changes)
        with pytest.raises(MalformedBatch) as refusal:
            channel.publish(batch)
        assert refusal.value.field == field
        assert channel.get_stats().suppliers == []

    def test_limits_that_make_no_sense_are_refused(self, channel: EventChannel) -> None:
        """A limit below one and a negative queue name the field."""
        subscription = channel.connect_consumer("reader", ["**"])
        with pytest.raises(BadParam, match="limit"):
            channel.fetch(subscription.subscription_id, subscription.cursor, 0)
        with pytest.raises(BadParam, match="queue"):
            channel.connect_consumer("reader", ["**"], "new", QoS(max_queue=-1))

    def test_plain_events_are_pushed_and_pulled(self, channel: EventChannel) -> None:
        """A client without our stubs needs neither batches nor subscriptions."""
        body = {"name": "Åsa", "counts": [1, 2.5, None, True]}
        assert channel.push("notes/day", body, "operator") == 1
        assert channel.push("notes/night", {}, "operator") == 2
        got = channel.pull("oldest", topics=["notes/day"])
        event = got.events[0]
        assert len(got.events) == 1
        assert (event.topic, event.source, event.body) == ("notes/day", "operator", body)
        assert (event.sequence, event.source_sequence) == (1, 1)
        assert channel.pull(got.cursor, timeout_s=0.0, topics=["notes/day"]).events == []

    def test_pull_waits_and_cuts_at_its_limit(self, channel: EventChannel) -> None:
        """News ends the wait; a batch longer than the limit comes in parts."""
        start = channel.pull("new", timeout_s=0.0).cursor
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(channel.pull, start, 2, PATIENCE_S)
            channel.publish(make_batch(1, ["a", "b", "c"]))
            first = waiting.result(PATIENCE_S)
        second = channel.pull(first.cursor, 2)
        assert [event.body for event in first.events + second.events] == [1, 2, 3]
        assert [event.topic for event in first.events + second.events] == ["a", "b", "c"]

    def test_a_record_that_cannot_be_decoded_is_not_hidden(self, channel: EventChannel) -> None:
        """The channel does not open records; who pulls one that is broken is told."""
        batch = msgspec.structs.replace(
            make_batch(1, ["a"]), records=OctetBlocks.of([b"\xc1 not msgpack"])
        )
        channel.publish(batch)
        event = channel.pull("oldest").events[0]
        assert (event.repository_id, event.body) == (UNDECODABLE, None)

    def test_the_statistics_tell_what_passed(
        self, channel: EventChannel, clock: ManualClock
    ) -> None:
        """Topics, rate, sizes, suppliers and consumers with their lag."""
        channel.connect_consumer("reader", ["a/*"])
        clock.advance(10.0)
        batch = make_batch(1, ["a/x", "a/x", "b"])
        channel.publish(batch)
        stats = channel.get_stats()
        assert stats.topics == {"a/x": 2, "b": 1}
        assert stats.events_per_s == pytest.approx(3 / 5)
        assert stats.held_bytes == len(batch.records.buffer)
        assert (stats.suppliers[0].source, stats.suppliers[0].accepted) == ("obs/test", 3)
        consumer = stats.consumers[0]
        assert (consumer.name, consumer.topics, consumer.lag) == ("reader", ["a/*"], 3)

    def test_many_consumers_each_get_everything(self, channel: EventChannel) -> None:
        """Consumers do not take events from one another."""
        subscriptions = [channel.connect_consumer(f"c{i}", ["**"]) for i in range(4)]
        barrier = threading.Barrier(5)

        def read(index: int) -> list[int]:
            barrier.wait(PATIENCE_S)
            seen: list[int] = []
            cursor = subscriptions[index].cursor
            while len(seen) < 40:
                got = channel.fetch(subscriptions[index].subscription_id, cursor, 7, PATIENCE_S)
                seen += sequences(got)
                cursor = got.cursor
            return seen

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read, i) for i in range(4)]
            barrier.wait(PATIENCE_S)
            for first in range(1, 41, 5):
                channel.publish(make_batch(first, ["a"] * 5))
            assert [each.result(PATIENCE_S) for each in readers] == [list(range(1, 41))] * 4

    @pytest.mark.parametrize("source", ["", "x" * 256])
    def test_an_event_of_nobody_is_refused(self, channel: EventChannel, source: str) -> None:
        """A pushed event names its source, in at most 255 characters."""
        with pytest.raises(BadParam) as caught:
            channel.push("notes/day", {}, source)
        assert caught.value.field == "source"

    def test_a_publisher_waits_for_who_blocks(self, channel: EventChannel) -> None:
        """Until it has read; others publish meanwhile."""
        qos = QoS(overflow=Overflow.BLOCK, max_queue=2, block_s=5.0)
        blocking = channel.connect_consumer("slow", ["a"], "new", qos)
        channel.publish(make_batch(1, ["a"] * 2))
        with ThreadPoolExecutor(1) as pool:
            held_up = pool.submit(channel.publish, make_batch(3, ["a"]))
            news = channel.fetch(blocking.subscription_id, blocking.cursor, 10, PATIENCE_S)
            assert channel.publish(make_batch(1, ["b"], source="obs/other")).accepted == 1
            rest = channel.fetch(blocking.subscription_id, news.cursor, 10, PATIENCE_S)
            assert held_up.result(PATIENCE_S).accepted == 1
        assert numbers(news) + numbers(rest) == [1, 2, 3]

    def test_who_blocks_for_too_long_holds_up_nobody(self, channel: EventChannel) -> None:
        """The batch is taken when the time is over, and the consumer is told what it lost."""
        qos = QoS(overflow=Overflow.BLOCK, max_queue=2, block_s=0.05)
        blocking = channel.connect_consumer("slow", ["a"], "new", qos)
        channel.publish(make_batch(1, ["a"] * 2))
        assert channel.push("a", 3, "obs/other") == 3
        assert channel.get_stats().consumers[0].state is ConsumerState.QUARANTINED
        assert channel.publish(make_batch(3, ["a"])).accepted == 1
        got = channel.fetch(blocking.subscription_id, blocking.cursor)
        assert sequences(got) == [3, 4]
        assert [(gap.reason, gap.count) for gap in got.gaps] == [(GapReason.QUARANTINE, 2)]

    def test_the_quality_of_service_is_changed_while_it_reads(self, channel: EventChannel) -> None:
        """The effective one is told; what it cannot be is refused, and it stays as it was."""
        reader = channel.connect_consumer("reader", ["a"])
        assert (reader.qos.max_queue, reader.durable) == (HELD, False)
        changed = channel.set_qos(reader.subscription_id, QoS(max_queue=2))
        assert changed.qos.max_queue == 2
        with pytest.raises(UnsupportedQoS) as refused:
            channel.set_qos(reader.subscription_id, QoS(max_queue=HELD + 1))
        assert refused.value.field == "max_queue"
        channel.publish(make_batch(1, ["a"] * 3))
        got = channel.fetch(reader.subscription_id, changed.cursor)
        assert (numbers(got), got.gaps[0].reason) == ([2, 3], GapReason.DROP_OLDEST)

    def test_a_durable_subscription_is_kept_and_taken_over(self, channel: EventChannel) -> None:
        """Its cursor is kept; the reader before is told that it must not come back."""
        first = channel.connect_consumer("disk", ["a"], "new", QoS(), durable=True)
        assert first.durable
        channel.publish(make_batch(1, ["a"] * 3))
        got = channel.fetch(first.subscription_id, first.cursor, 2)
        channel.fetch(first.subscription_id, got.cursor, 1, 0.0)
        second = channel.connect_consumer("disk", ["a"], "new", QoS(), durable=True)
        with pytest.raises(SubscriptionTaken):
            channel.fetch(first.subscription_id, got.cursor, 1, 0.0)
        assert numbers(channel.fetch(second.subscription_id, second.cursor)) == [3]
        channel.disconnect_consumer(second.subscription_id)
        assert channel.get_stats().consumers[0].state is ConsumerState.AWAY
        channel.forget_durable("disk")
        with pytest.raises(NoSuchSubscription):
            channel.forget_durable("disk")

    def test_the_latest_of_each_topic_and_then_all_that_comes(self, channel: EventChannel) -> None:
        """No hole between the two, and nothing twice; what is not the newest any more is not told."""
        channel.publish(make_batch(1, ["a/x", "b", "a/x", "a/y", "a/z"]))
        reader = channel.connect_consumer("screen", ["a/*"], "latest")
        channel.publish(make_batch(6, ["a/x", "a/x"]))
        told = channel.fetch(reader.subscription_id, reader.cursor)
        rest = channel.fetch(reader.subscription_id, told.cursor)
        assert (numbers(told), numbers(rest)) == ([4, 5], [6, 7])

    def test_what_is_urgent_is_read_first(self, channel: EventChannel) -> None:
        """By the priorities that the supplier gave."""
        reader = channel.connect_consumer("urgent", ["**"], "new", QoS(order=Order.PRIORITY))
        batch = make_batch(1, ["a", "b", "a", "c"])
        priorities = [Priority.LOW, Priority.HIGH, Priority.NORMAL]
        channel.publish(msgspec.structs.replace(batch, priorities=priorities))
        assert numbers(channel.fetch(reader.subscription_id, reader.cursor)) == [2, 4, 1, 3]
        with pytest.raises(MalformedBatch):
            channel.publish(msgspec.structs.replace(batch, first=5, priorities=priorities[:1]))
