"""Qualities of service: what is delivered and what is lost, event by event, against a model."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.clients.globs import TopicFilters
from idl_like_interfaces.errors import BadParam, Overloaded
from idl_like_interfaces.event_errors import SubscriptionTaken, UnsupportedQoS
from idl_like_interfaces.event_quality import LONGEST_BLOCK_S, Order, Overflow, QoS
from idl_like_interfaces.events import Batch, ConsumerState, FetchReply, GapReason, Priority
from objects.messaging import durables, subscribers
from objects.messaging.channel import EventChannelServant
from objects.messaging.chunk import LANES
from objects.messaging.journal import Retention
from tests.support.batches import make_batch, numbers, sequences
from tests.support.clock import ManualClock

LOW, NORMAL, HIGH = LANES


def urgent(first: int, topics: list[tuple[str, Priority]], lost: int = 0) -> Batch:
    """Return a batch with one event for each topic and priority."""
    index: dict[tuple[str, Priority], int] = {}
    topic_of = [index.setdefault(each, len(index)) for each in topics]
    plain = make_batch(first, [topic for topic, _ in topics], lost=lost)
    return msgspec.structs.replace(
        plain,
        topics=[topic for topic, _ in index],
        topic_of=topic_of if len(index) > 1 else [],
        priorities=[priority for _, priority in index],
    )


@dataclass
class Reader:
    """A consumer that sometimes does not get its reply, and asks again."""

    channel: EventChannelServant
    qos: QoS
    topics: list[str]
    cursor: str = "oldest"
    got: list[tuple[int, int]] = field(default_factory=list)
    lost: dict[GapReason, int] = field(default_factory=dict)
    is_exact: bool = True

    def __post_init__(self) -> None:
        subscription = self.channel.connect_consumer("r", self.topics, self.cursor, self.qos)
        self.id, self.cursor = subscription.subscription_id, subscription.cursor

    def read(self, limit: int, *, is_lost: bool = False) -> FetchReply:
        """Ask once."""
        reply = self.channel.fetch(self.id, self.cursor, limit, 0.0)
        if is_lost:
            return reply
        self.got += zip(sequences(reply), numbers(reply), strict=True)
        for gap in reply.gaps:
            self.is_exact = self.is_exact and gap.count >= 0
            self.lost[gap.reason] = self.lost.get(gap.reason, 0) + gap.count
        self.cursor = reply.cursor
        return reply

    def read_all(self) -> None:
        """Ask until there is nothing more."""
        while (reply := self.read(1000)).deliveries or reply.gaps:
            pass


topics_of_events = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c/d", "e"]), st.sampled_from(LANES)),
    min_size=1,
    max_size=6,
)
steps = st.lists(
    topics_of_events
    | st.tuples(st.integers(1, 6), st.booleans())
    | st.sampled_from(["change", "reconnect"]),
    max_size=40,
)
qualities = st.builds(
    QoS,
    overflow=st.sampled_from([Overflow.DROP_OLDEST, Overflow.DROP_NEWEST]),
    max_queue=st.sampled_from([0, 1, 2, 5]),
    max_bytes=st.sampled_from([0, 60, 200]),
    order=st.sampled_from(Order),
)


@given(
    steps=steps,
    first=qualities,
    second=qualities,
    filters=st.sampled_from([["**"], ["a", "c/*"], ["e"]]),
    max_events=st.sampled_from([8, 30, 1000]),
)
def test_every_event_is_delivered_once_or_in_a_gap(
    steps: list[list[tuple[str, Priority]] | tuple[int, bool] | str],
    first: QoS,
    second: QoS,
    filters: list[str],
    max_events: int,
) -> None:
    """Whatever the limits, the order, lost replies, and changes while it reads."""
    channel = EventChannelServant("now", retention=Retention(max_events=max_events))
    reader, wanted = Reader(channel, first, filters), TopicFilters(filters)
    published: dict[int, tuple[str, Priority]] = {}
    now, other = first, second
    for step in steps:
        if isinstance(step, list):
            at = len(published) + 1
            channel.publish(urgent(at, step))
            published |= dict(enumerate(step, at))
        elif isinstance(step, tuple):
            reader.read(step[0], is_lost=step[1])
        elif step == "change":
            now, other = other, now
            channel.set_qos(reader.id, now)
        else:
            channel.disconnect_consumer(reader.id)
            reader = Reader(
                channel, now, filters, reader.cursor, reader.got, reader.lost, reader.is_exact
            )
    reader.read_all()
    matching = [number for number, (topic, _) in published.items() if wanted.matches(topic)]
    got = [number for number, _ in reader.got]
    assert len(set(got)) == len(got)
    assert set(got) <= set(matching)
    assert all(number == own for number, own in reader.got)
    if reader.is_exact:
        assert len(got) + sum(reader.lost.values()) == len(matching)
    for lane in LANES:
        of_lane = [number for number in got if published[number][1] is lane]
        assert of_lane == sorted(of_lane)


@given(steps=st.lists(topics_of_events | st.integers(1, 4), max_size=30))
def test_a_reader_of_the_latest_ends_with_the_newest_of_each_topic(
    steps: list[list[tuple[str, Priority]] | int],
) -> None:
    """What it gets of a topic grows, the last is the newest, and the rest is counted."""
    channel = EventChannelServant("now", retention=Retention(max_events=10))
    reader = Reader(channel, QoS(overflow=Overflow.LATEST), ["**"])
    published: list[str] = []
    for step in steps:
        if isinstance(step, int):
            reader.read(step)
        else:
            channel.publish(urgent(len(published) + 1, step))
            published += [topic for topic, _ in step]
    reader.read_all()
    got: dict[str, list[int]] = {}
    for number, _ in reader.got:
        got.setdefault(published[number - 1], []).append(number)
    newest = {topic: at for at, topic in enumerate(published, 1)}
    assert {topic: numbers[-1] for topic, numbers in got.items()} == newest
    assert all(numbers == sorted(set(numbers)) for numbers in got.values())
    assert len(reader.got) + reader.lost.get(GapReason.LATEST, 0) == len(published)


def test_the_least_urgent_go_first() -> None:
    """A full queue loses its oldest events of the lowest priority."""
    channel = EventChannelServant("now")
    reader = Reader(channel, QoS(max_queue=3), ["**"])
    channel.publish(urgent(1, [("a", HIGH), ("a", LOW), ("a", NORMAL), ("a", LOW), ("a", HIGH)]))
    reader.read_all()
    assert [number for number, _ in reader.got] == [1, 3, 5]
    assert reader.lost == {GapReason.DROP_OLDEST: 2}


def test_what_is_urgent_overtakes() -> None:
    """In the order of priority a backlog is passed by, and nothing is lost or comes twice."""
    channel = EventChannelServant("now")
    reader = Reader(channel, QoS(order=Order.PRIORITY), ["**"])
    channel.publish(urgent(1, [("a", LOW), ("a", NORMAL)] * 3))
    reader.read(2)
    channel.publish(urgent(7, [("a", HIGH)]))
    reader.read_all()
    assert [number for number, _ in reader.got] == [2, 4, 7, 6, 1, 3, 5]


def test_drop_newest_keeps_what_waits() -> None:
    """What comes to a full queue is lost; the gap stands where it was."""
    channel = EventChannelServant("now")
    reader = Reader(channel, QoS(overflow=Overflow.DROP_NEWEST, max_queue=2), ["**"])
    channel.publish(make_batch(1, ["a"] * 5))
    assert sequences(reader.read(10)) == [1, 2]
    channel.publish(make_batch(6, ["a"]))
    reply = reader.read(10)
    assert sequences(reply) == [6]
    assert [(gap.reason, gap.count, gap.first, gap.last) for gap in reply.gaps] == [
        (GapReason.DROP_NEWEST, 3, 3, 5)
    ]


def test_a_limit_in_bytes_holds() -> None:
    """However large single events are, the newest waits."""
    channel = EventChannelServant("now")
    reader = Reader(channel, QoS(max_bytes=1), ["**"])
    channel.publish(make_batch(1, ["a"] * 4))
    (stats,) = channel.get_stats().consumers
    assert (stats.waiting, stats.dropped) == (1, 3)
    reader.read_all()
    assert [number for number, _ in reader.got] == [4]


class TestBlocking:
    """A consumer may hold up suppliers, for a bounded time."""

    def test_a_supplier_waits_until_the_consumer_has_read(self) -> None:
        """Called in this thread the publishing waits; what is read makes room."""
        channel = EventChannelServant("now")
        reader = Reader(channel, QoS(overflow=Overflow.BLOCK, max_queue=2, block_s=5), ["**"])
        channel.publish(make_batch(1, ["a"] * 2))
        with pytest.raises(AssertionError), _room_is_awaited(channel):
            channel.publish(make_batch(3, ["a"]))
        reader.read(10)
        channel.publish(make_batch(3, ["a"]))
        reader.read_all()
        assert [number for number, _ in reader.got] == [1, 2, 3]

    def test_who_blocks_for_too_long_is_quarantined_and_told(self) -> None:
        """It holds up nobody then, loses the oldest, and blocks again when it has read all."""
        channel = EventChannelServant("now")
        qos = QoS(overflow=Overflow.BLOCK, max_queue=2, block_s=0.01)
        reader = Reader(channel, qos, ["**"])
        channel.publish(make_batch(1, ["a"] * 2))
        channel.publish(make_batch(3, ["a"] * 2))
        (stats,) = channel.get_stats().consumers
        assert stats.state is ConsumerState.QUARANTINED
        assert stats.blocked_s >= 0.01
        channel.publish(make_batch(5, ["a"]))
        reader.read_all()
        assert [number for number, _ in reader.got] == [4, 5]
        assert reader.lost == {GapReason.QUARANTINE: 3}
        assert channel.get_stats().consumers[0].state is ConsumerState.READING

    def test_others_are_not_held_up(self) -> None:
        """A supplier of what the consumer does not want is not concerned."""
        channel = EventChannelServant("now")
        Reader(channel, QoS(overflow=Overflow.BLOCK, max_queue=1, block_s=5), ["a"])
        channel.publish(make_batch(1, ["a"]))
        channel.publish(make_batch(2, ["b"] * 10))
        assert channel.get_stats().last == 11


class _room_is_awaited:  # noqa: N801 (used as a verb)
    """Fails the publishing that would wait, as soon as it does."""

    def __init__(self, channel: EventChannelServant) -> None:
        self._room = channel._room

    def __enter__(self) -> None:
        def refuse(wake: object) -> object:
            raise AssertionError("it waits")

        self._room.subscribe = refuse  # type: ignore[method-assign, assignment]

    def __exit__(self, *_: object) -> None:
        del self._room.subscribe


@pytest.mark.parametrize(
    ("qos", "field"),
    [
        (QoS(max_queue=101), "max_queue"),
        (QoS(max_bytes=1001), "max_bytes"),
        (QoS(block_s=1.0), "block_s"),
        (QoS(overflow=Overflow.BLOCK), "block_s"),
        (QoS(overflow=Overflow.BLOCK, block_s=LONGEST_BLOCK_S + 0.1), "block_s"),
        (QoS(overflow=Overflow.LATEST, order=Order.PRIORITY), "order"),
        (QoS(overflow=Overflow.LATEST, max_bytes=10), "max_bytes"),
        (QoS(lease_s=0.5), "lease_s"),
    ],
)
def test_what_the_channel_cannot_give_is_refused(qos: QoS, field: str) -> None:
    """By name, with what it can give; nothing has changed."""
    channel = EventChannelServant("now", retention=Retention(max_events=100, max_bytes=1000))
    with pytest.raises(UnsupportedQoS) as refused:
        channel.connect_consumer("r", ["a"], "new", qos)
    assert refused.value.field == field
    assert refused.value.remedy
    assert channel.get_stats().consumers == []
    subscription = channel.connect_consumer("r", ["a"])
    with pytest.raises(UnsupportedQoS):
        channel.set_qos(subscription.subscription_id, qos)
    assert channel.get_stats().consumers[0].qos == subscription.qos


def test_the_effective_quality_is_told() -> None:
    """Where it was left open the channel's own bounds stand; a negative limit is refused."""
    bounds = Retention(max_events=100, max_bytes=1000)
    channel = EventChannelServant("now", retention=bounds, forget_after_s=30)
    subscription = channel.connect_consumer("r", ["a"], "new", QoS(max_queue=7))
    assert subscription.qos == QoS(max_queue=7, max_bytes=1000, lease_s=30)
    with pytest.raises(BadParam):
        channel.connect_consumer("r", ["a"], "new", QoS(max_bytes=-1))


class TestDurable:
    """The channel keeps the cursors of durable subscriptions."""

    def test_it_goes_on_where_it_was(self) -> None:
        """Also after its lease is over; the kept cursor wins over the words."""
        clock = ManualClock()
        channel = EventChannelServant("now", clock=clock, forget_after_s=10)
        first = channel.connect_consumer("disk", ["a"], "new", durable=True)
        channel.publish(make_batch(1, ["a"] * 3))
        reply = channel.fetch(first.subscription_id, first.cursor, 2)
        channel.fetch(first.subscription_id, reply.cursor, 1, 0.0)
        clock.advance(11)
        channel.attend()
        (away,) = channel.get_stats().consumers
        assert (away.state, away.waiting) == (ConsumerState.AWAY, 1)
        again = channel.connect_consumer("disk", ["a"], "new", durable=True)
        assert again.cursor == reply.cursor

    def test_the_later_of_two_cursors_counts(self) -> None:
        """Who keeps its own may be further than what the channel has heard of."""
        channel = EventChannelServant("now")
        first = channel.connect_consumer("disk", ["a"], durable=True)
        channel.publish(make_batch(1, ["a"] * 3))
        reply = channel.fetch(first.subscription_id, first.cursor)
        assert channel.connect_consumer("disk", ["a"], reply.cursor, durable=True).cursor == (
            reply.cursor
        )
        earlier = channel.connect_consumer("disk", ["a"], first.cursor, durable=True)
        assert earlier.cursor == reply.cursor

    def test_who_connects_last_has_it(self) -> None:
        """The one before is told so, and not that it should come again."""
        channel = EventChannelServant("now")
        first = channel.connect_consumer("disk", ["a"], durable=True)
        channel.connect_consumer("disk", ["a"], durable=True)
        with pytest.raises(SubscriptionTaken) as told:
            channel.fetch(first.subscription_id, first.cursor, 1, 0.0)
        assert told.value.name == "disk"

    def test_it_is_forgotten_only_when_told(self) -> None:
        """Who reads is disconnected, and the name is free."""
        channel = EventChannelServant("now")
        channel.connect_consumer("disk", ["a"], durable=True)
        channel.forget_durable("disk")
        assert channel.get_stats().consumers == []
        with pytest.raises(LookupError):
            channel.forget_durable("disk")

    @pytest.mark.parametrize("name", ["", "x" * 300])
    def test_a_name_must_be_one(self, name: str) -> None:
        """It is kept, and shown."""
        with pytest.raises(BadParam):
            EventChannelServant("now").connect_consumer(name, ["a"], durable=True)


class TestSnapshot:
    """The newest of each topic, and then all that comes."""

    def test_it_has_no_hole_and_nothing_twice(self) -> None:
        """Also of what the journal holds no longer, and in as many replies as it takes."""
        channel = EventChannelServant("now", retention=Retention(max_events=3))
        channel.publish(make_batch(1, ["a", "b", "a", "c", "b", "x/y"]))
        channel.publish(make_batch(7, ["x/y"] * 3))
        reader = Reader(channel, QoS(), ["*"], "latest")
        reader.read(2)
        channel.publish(make_batch(10, ["a", "d"]))
        reader.read(2)
        reader.read(10)
        assert [number for number, _ in reader.got] == [3, 4, 5, 10, 11]
        assert reader.lost == {}

    def test_a_lost_reply_is_had_again(self) -> None:
        """The cursor says how far the telling has come."""
        channel = EventChannelServant("now")
        channel.publish(make_batch(1, ["a", "b", "c"]))
        reader = Reader(channel, QoS(), ["*"], "latest")
        reader.read(2, is_lost=True)
        reader.read_all()
        assert [number for number, _ in reader.got] == [1, 2, 3]

    def test_whoever_only_pulls_has_it_too(self) -> None:
        """Without a subscription."""
        channel = EventChannelServant("now")
        channel.publish(make_batch(1, ["a", "a", "b"]))
        reply = channel.pull("latest", 10, 0.0)
        assert [event.sequence for event in reply.events] == [2, 3]
        channel.publish(make_batch(4, ["a"]))
        assert [event.sequence for event in channel.pull(reply.cursor, 10, 0.0).events] == [4]


def test_events_go_when_they_are_too_old() -> None:
    """A reader behind is told how many; the newest of a topic stays for who begins with it."""
    clock = ManualClock()
    retention = Retention(max_age_s=60)
    channel = EventChannelServant("now", retention=retention, clock=clock)
    channel.publish(make_batch(1, ["a"] * 3))
    clock.advance(61)
    channel.attend()
    assert channel.get_stats().held_bytes == 0
    reply = channel.pull("now:0", 10, 0.0)
    assert [(gap.reason, gap.count) for gap in reply.gaps] == [(GapReason.RETENTION, 3)]
    assert [event.sequence for event in channel.pull("latest", 10, 0.0).events] == [3]


def test_too_many_subscriptions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The channel says so, and goes on serving those that it has."""
    monkeypatch.setattr(subscribers, "MOST_SUBSCRIPTIONS", 3)
    channel = EventChannelServant("now")
    for _ in range(3):
        channel.connect_consumer("r", ["a"])
    with pytest.raises(Overloaded, match="3 subscriptions"):
        channel.connect_consumer("r", ["a"])
    assert len(channel.get_stats().consumers) == 3


def test_a_refused_durable_subscription_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether there are too many readers, or too many durable names."""
    monkeypatch.setattr(subscribers, "MOST_SUBSCRIPTIONS", 3)
    monkeypatch.setattr(durables, "MOST_DURABLES", 2)
    channel = EventChannelServant("now")
    for name in ("a", "b"):
        channel.connect_consumer(name, ["**"], durable=True)
    with pytest.raises(Overloaded, match="2 durable subscriptions") as refusal:
        channel.connect_consumer("c", ["**"], durable=True)
    assert "obsorb events forget" in refusal.value.remedy
    channel.connect_consumer("b", ["**"], durable=True)
    channel.forget_durable("a")
    for _ in range(2):
        channel.connect_consumer("passing", ["**"])
    with pytest.raises(Overloaded, match="3 subscriptions"):
        channel.connect_consumer("d", ["**"], durable=True)
    assert [each.name for each in channel.get_stats().consumers] == ["b", "passing", "passing"]


def test_thousands_of_subscriptions_each_get_what_they_want() -> None:
    """Each its own topic, and one that all want; the channel forgets them all when they are silent."""
    clock = ManualClock()
    channel = EventChannelServant("now", clock=clock)
    count = 2000
    readers = [channel.connect_consumer(f"r{n}", [f"own/{n}", "all"]) for n in range(count)]
    channel.publish(make_batch(1, [*(f"own/{n}" for n in range(count)), "all"]))
    for number, reader in enumerate(readers):
        reply = channel.fetch(reader.subscription_id, reader.cursor, timeout_s=0.0)
        assert sequences(reply) == [number + 1, count + 1]
    clock.advance(61.0)
    channel.attend()
    assert channel.get_stats().consumers == []
