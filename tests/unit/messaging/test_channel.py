"""What the channel's servant does beyond its contract."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.clients.records import encode_record
from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import Batch, Gap, GapReason
from idl_like_interfaces.octets import OctetBlocks
from objects.messaging.batches import owned
from objects.messaging.channel import EventChannelServant
from objects.messaging.journal import Retention
from objects.messaging.rate import RateMeter
from objects.messaging.state import OTHER_TOPICS
from objects.messaging.suppliers import SupplierLedger
from tests.support.batches import make_batch, numbers, sequences
from tests.support.clock import ManualClock

PATIENCE_S = 30.0


def test_closing_answers_everybody_who_waits() -> None:
    """A fetch and a pull that wait return with what there is: nothing."""
    channel = EventChannelServant("now")
    subscription = channel.connect_consumer("reader", ["**"])
    with ThreadPoolExecutor(2) as pool:
        fetched = pool.submit(
            channel.fetch, subscription.subscription_id, subscription.cursor, 1, 60.0
        )
        pulled = pool.submit(channel.pull, "new", 1, 60.0)
        channel.close()
        assert fetched.result(PATIENCE_S).deliveries == []
        assert pulled.result(PATIENCE_S).events == []


def test_a_consumer_that_waits_is_not_forgotten() -> None:
    """A long-poll counts as reading for as long as it lasts."""
    clock = ManualClock()
    channel = EventChannelServant("now", clock=clock)
    subscription = channel.connect_consumer("reader", ["**"])
    began = threading.Event()

    def fetch() -> list[int]:
        began.set()
        reply = channel.fetch(subscription.subscription_id, subscription.cursor, 1, 60.0)
        return sequences(reply)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(fetch)
        began.wait(PATIENCE_S)
        deadline = threading.Event()
        while not any(s.news.waiting for s in channel._subscribers._by_id.values()):
            assert not deadline.wait(0.001)
        clock.advance(3600.0)
        assert len(channel.get_stats().consumers) == 1
        channel.publish(make_batch(1, ["a"]))
        assert waiting.result(PATIENCE_S) == [1]
    clock.advance(60.0)
    assert channel.get_stats().consumers == []


def test_repeated_losses_are_counted_once() -> None:
    """A reply with a gap that is asked for again does not add to the statistics."""
    channel = EventChannelServant("now")
    subscription = channel.connect_consumer("reader", ["a"], qos=QoS(max_queue=2))
    channel.publish(make_batch(1, ["a"] * 6))
    for _ in range(2):
        channel.fetch(subscription.subscription_id, subscription.cursor)
    (stats,) = channel.get_stats().consumers
    assert (stats.delivered, stats.dropped) == (2, 4)


def test_a_supplier_s_loss_counts_for_who_takes_everything() -> None:
    """Its number is in the statistics, once."""
    channel = EventChannelServant("now")
    subscription = channel.connect_consumer("reader", ["**"])
    channel.publish(make_batch(4, ["a"], lost=3))
    for _ in range(2):
        channel.fetch(subscription.subscription_id, subscription.cursor)
    assert channel.get_stats().consumers[0].dropped == 3


def test_values_that_no_serializer_carries_are_pulled_in_plain_form() -> None:
    """Not-a-number becomes null, bytes become base64."""
    channel = EventChannelServant("now")
    record = encode_record(0, {"x": [math.nan, math.inf, 1.5], "raw": b"\x00\xff"})
    batch = make_batch(1, ["a"])
    channel.publish(msgspec.structs.replace(batch, records=OctetBlocks.of([record])))
    assert channel.pull("oldest").events[0].body == {"x": [None, None, 1.5], "raw": "AP8="}


def test_the_table_of_topics_is_bounded() -> None:
    """A supplier that makes up topics without end does not fill the memory."""
    channel = EventChannelServant("now")
    for first in range(1, 11_001, 500):
        channel.publish(make_batch(first, [f"t/{first + i}" for i in range(500)]))
    topics = channel.get_stats().topics
    assert len(topics) == 10_001
    assert topics[OTHER_TOPICS] == 1000


def test_a_short_batch_does_not_keep_a_long_message_alive() -> None:
    """Its records are copied; those that fill their message are not."""
    message = memoryview(bytearray(1_000_000))
    short = make_batch(1, ["a"])
    cut = msgspec.structs.replace(short, records=OctetBlocks(message[5:15], [10]))
    assert len(bytes(owned(cut).records.buffer)) == 10
    assert owned(cut).records.buffer.obj is not message.obj
    long = msgspec.structs.replace(short, records=OctetBlocks(message[5:], [999_995]))
    assert owned(long) is long


def test_the_ledger_of_suppliers_is_bounded() -> None:
    """The incarnations that were silent for the longest are forgotten."""
    ledger = SupplierLedger()
    for number in range(5000):
        ledger.admit(make_batch(1, ["a"], incarnation=str(number)))
    assert len(ledger.stats()) == 4096
    assert ledger.next_of("obs/test", "4999") == 2
    assert ledger.next_of("obs/test", "0") == 1


def test_the_rate_forgets_what_is_long_ago() -> None:
    """Five seconds after the last event the rate is zero."""
    meter = RateMeter(0.0)
    for tenth in range(100):
        meter.add(10, tenth / 10)
    assert 90 <= meter.per_second(9.9) <= 110
    assert meter.per_second(20.0) == 0.0


class Reader:
    """A consumer that asks for everything twice, as after lost replies."""

    def __init__(self, channel: EventChannelServant, topics: list[str], limit: int) -> None:
        self.channel = channel
        self.filters = TopicFilters(topics)
        self.limit = limit
        subscription = channel.connect_consumer("reader", topics)
        self.id, self.cursor = subscription.subscription_id, subscription.cursor
        self.got: list[int] = []
        self.gaps: list[Gap] = []

    def read(self) -> bool:
        """Read once; tell whether there was progress."""
        reply = self.channel.fetch(self.id, self.cursor, self.limit, 0.0)
        assert self.channel.fetch(self.id, self.cursor, self.limit, 0.0) == reply
        self.got += numbers(reply)
        self.gaps += reply.gaps
        has_moved = reply.cursor != self.cursor
        self.cursor = reply.cursor
        return has_moved

    def counts(self, reason: GapReason) -> list[int]:
        """Return the sizes of the gaps of one kind."""
        return [gap.count for gap in self.gaps if gap.reason is reason]

    def check(self, sent: list[int]) -> None:
        """See that what was got and what was told add up to what was sent."""
        matching = [n for n in sent if self.filters.matches(_topic(n))]
        assert self.got == [n for n in matching if n in set(self.got)]
        missing = self.counts(GapReason.RETENTION)
        assert -1 in missing or len(self.got) + sum(missing) == len(matching)


def _topic(number: int) -> str:
    return "odd" if number % 2 else "even"


def _batch(first: int, length: int, lost: int) -> Batch:
    return make_batch(first, [_topic(first + i) for i in range(length)], lost=lost)


supplier_steps = st.tuples(
    st.integers(0, 3),  # events lost before the batch
    st.integers(1, 5),  # its length
    st.integers(1, 2),  # how often it is sent
    st.integers(0, 2),  # who reads after it
)


@given(
    steps=st.lists(supplier_steps, max_size=25),
    limits=st.lists(st.integers(1, 9), min_size=3, max_size=3),
)
def test_each_consumer_gets_every_event_or_a_gap(
    steps: list[tuple[int, int, int, int]], limits: list[int]
) -> None:
    """With duplicates, losses and slow readers, numbers and gaps add up for each of them."""
    channel = EventChannelServant("now", retention=Retention(max_events=15))
    wanted = [["**"], ["even"], ["odd", "x/**"]]
    readers = [Reader(channel, *each) for each in zip(wanted, limits, strict=True)]
    sent: list[int] = []
    lost = 0
    for skipped, length, times, who in steps:
        first = len(sent) + lost + skipped + 1
        lost += skipped
        sent += range(first, first + length)
        for _ in range(times):
            channel.publish(_batch(first, length, skipped))
        readers[who].read()
    for reader in readers:
        while reader.read():
            pass
        reader.check(sent)
    told = readers[0].counts(GapReason.SUPPLIER)
    assert sum(told) == lost or -1 in readers[0].counts(GapReason.RETENTION)
