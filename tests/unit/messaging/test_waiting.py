"""Readers of the channel and of the log that wait without a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.event_errors import NoSuchSubscription
from idl_like_interfaces.events import EventChannel, FetchReply
from idl_like_interfaces.logs import LogBatch, LogLevel, LogQuery, LogRecord
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from objects.messaging.channel import EventChannelServant
from objects.messaging.journal import Retention
from objects.messaging.log_service import LogServiceServant
from objects.messaging.log_store import SqliteLogStore
from tests.support.batches import make_batch, sequences
from tests.support.clock import ManualClock
from tests.support.parking import PATIENCE_S, Poll

Serve = Callable[[Callable[[], FetchReply]], FetchReply]

SUPPLIERS = 4
CONSUMERS = 12
ROUNDS = 60


class Reader:
    """A consumer whose fetches are parked."""

    def __init__(self, channel: EventChannel, *topics: str) -> None:
        self.channel = channel
        subscription = channel.connect_consumer("reader", list(topics))
        self.id, self.cursor = subscription.subscription_id, subscription.cursor

    def fetch(self, timeout_s: float = PATIENCE_S) -> FetchReply:
        """Ask for what comes behind the cursor."""
        return self.channel.fetch(self.id, self.cursor, 100, timeout_s)

    def park(self) -> Poll[FetchReply]:
        """Begin to wait."""
        return Poll(self.fetch)

    def take(self, reply: FetchReply) -> list[int]:
        """Go on behind a reply; return the numbers of its events."""
        assert not reply.gaps
        self.cursor = reply.cursor
        return sequences(reply)


def test_only_who_wants_it_is_woken() -> None:
    """A fetch for another topic hears nothing of an event."""
    channel = EventChannelServant("now")
    polls = {topic: Reader(channel, topic).park() for topic in ("a", "b", "b/*", "**")}
    channel.publish(make_batch(1, ["a", "b/x"]))
    assert {topic: poll.wakes for topic, poll in polls.items()} == {
        "a": 1,
        "b": 0,
        "b/*": 1,
        "**": 1,
    }
    assert sequences(polls["b/*"].result()) == [2]


def test_a_loss_of_a_supplier_wakes_everybody() -> None:
    """Nobody knows the topics of what it never sent."""
    channel = EventChannelServant("now")
    poll = Reader(channel, "b").park()
    channel.publish(make_batch(4, ["a"], lost=3))
    assert [gap.count for gap in poll.result().gaps] == [-1]


def test_who_waited_while_others_events_came_and_went_has_lost_nothing() -> None:
    """Although what was evicted and forgotten meanwhile cannot be searched any more."""
    channel = EventChannelServant("now", retention=Retention(max_events=4))
    reader = Reader(channel, "b")
    poll = reader.park()
    for number in range(1, 101):
        channel.publish(make_batch(number, ["a"]))
    assert poll.wakes == 0
    channel.publish(make_batch(101, ["b"]))
    assert reader.take(poll.result()) == [101]


def test_several_events_come_before_a_woken_reader_looks() -> None:
    """With others' events between them, of which some are forgotten already."""
    channel = EventChannelServant("now", retention=Retention(max_events=4))
    reader = Reader(channel, "b")
    poll = reader.park()
    for number in range(1, 101):
        channel.publish(make_batch(number, ["a"]))
    channel.publish(make_batch(101, ["b", "a", "b"]))
    channel.publish(make_batch(104, ["b"]))
    assert reader.take(poll.result()) == [101, 103, 104]


def test_who_does_not_wait_has_lost_nothing_either() -> None:
    """As long as nothing came for it; what came before it was connected nobody knows."""
    channel = EventChannelServant("now", retention=Retention(max_events=4))
    reader = Reader(channel, "b")
    reader.park().forget()
    for number in range(1, 101):
        channel.publish(make_batch(number, ["a"]))
    assert reader.take(reader.fetch(0.0)) == []
    old = Reader(channel, "b")
    old.cursor = "now:0"
    assert [gap.count for gap in old.fetch(0.0).gaps] == [-1]


def test_the_end_of_the_time_passes_over_what_did_not_match() -> None:
    """The next fetch begins behind it."""
    channel = EventChannelServant("now")
    poll = Reader(channel, "b").park()
    channel.publish(make_batch(1, ["a"] * 7))
    assert poll.end().cursor == "now:7"


def test_a_parked_reader_is_let_go() -> None:
    """When it is disconnected, and when the channel is closed."""
    channel = EventChannelServant("now")
    first, second = Reader(channel, "**"), Reader(channel, "**")
    polls = first.park(), second.park(), Poll(lambda: channel.pull("new", 1, PATIENCE_S))
    channel.disconnect_consumer(first.id)
    assert [poll.was_told for poll in polls] == [True, False, False]
    with pytest.raises(NoSuchSubscription):
        polls[0].result()
    channel.close()
    assert (polls[1].result().deliveries, polls[2].result().events) == ([], [])


def test_a_consumer_that_has_gone_while_it_was_parked_is_forgotten() -> None:
    """Its subscription lasts as long as after a fetch that was answered."""
    clock = ManualClock()
    channel = EventChannelServant("now", clock=clock)
    poll = Reader(channel, "**").park()
    clock.advance(3600.0)
    assert len(channel.get_stats().consumers) == 1
    poll.forget()
    assert channel.get_stats().consumers == []


def test_a_consumer_that_was_just_woken_is_not_forgotten() -> None:
    """Between the news and the look it is no waiter, and its last look is long ago."""
    clock = ManualClock()
    channel = EventChannelServant("now", clock=clock)
    poll = Reader(channel, "**").park()
    clock.advance(3600.0)
    channel.publish(make_batch(1, ["a"]))
    assert len(channel.get_stats().consumers) == 1
    assert sequences(poll.result()) == [1]


steps = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3),  # topics of a batch
        st.sets(st.integers(0, 2)),  # whose client goes and comes back before it
    ),
    max_size=30,
)


@given(steps=steps)
def test_who_was_not_told_would_find_nothing(steps: list[tuple[list[str], set[int]]]) -> None:
    """And who was told gets each of its events once, in order."""
    channel = EventChannelServant("now")
    wanted = [{"a"}, {"a", "b"}, {"c"}]
    readers = [Reader(channel, *sorted(each)) for each in wanted]
    polls = [reader.park() for reader in readers]
    got: list[list[int]] = [[], [], []]
    sent: list[str] = []
    for topics, gone in steps:
        for who in gone:
            polls[who].forget()
            polls[who] = readers[who].park()
        channel.publish(make_batch(len(sent) + 1, topics))
        sent += topics
        for who, poll in enumerate(polls):
            assert poll.was_told == poll.look()
            if poll.answers:
                got[who] += readers[who].take(poll.answers[0])
                polls[who] = readers[who].park()
    for who, each in enumerate(wanted):
        assert got[who] == [at for at, topic in enumerate(sent, 1) if topic in each]


def _blocked(call: Callable[[], FetchReply]) -> FetchReply:
    return call()


def _parked(call: Callable[[], FetchReply]) -> FetchReply:
    return Poll(call).result()


@pytest.mark.parametrize("serve", [_blocked, _parked])
def test_no_event_is_waited_for_in_vain(serve: Serve) -> None:
    """Suppliers that go on only when all their consumers have the last event."""
    _play(EventChannelServant("now"), serve, ROUNDS)


def test_no_event_is_waited_for_in_vain_over_a_daemon() -> None:
    """The same with requests that a daemon parks."""
    with ObjectAdapter() as adapter:
        uri = adapter.activate(EventChannelServant("now"), EventChannel, "obs/events")
        channel = narrow(uri, EventChannel, deadline_s=PATIENCE_S)
        _play(channel, _blocked, ROUNDS // 3)
        release(channel)


def _play(channel: EventChannel, serve: Serve, rounds: int) -> None:
    def supply(number: int) -> None:
        replies = Reader(channel, f"reply/{number}/*")
        for step in range(1, rounds + 1):
            channel.publish(make_batch(step, [f"ask/{number}"], source=f"supplier {number}"))
            missing = CONSUMERS
            while missing:
                missing -= len(replies.take(serve(replies.fetch)))

    def consume(name: str, reader: Reader) -> int:
        answered = 0
        while answered < SUPPLIERS * rounds:
            reply = serve(reader.fetch)
            reader.take(reply)
            for each in reply.deliveries:
                answered += 1
                answer = each.batch.topics[0].replace("ask", "reply") + f"/{name}"
                channel.publish(make_batch(answered, [answer], source=name))
        return answered

    readers = {f"consumer{at}": Reader(channel, "ask/*") for at in range(CONSUMERS)}
    with ThreadPoolExecutor(SUPPLIERS + CONSUMERS) as pool:
        consumers = [pool.submit(consume, *each) for each in readers.items()]
        suppliers = [pool.submit(supply, number) for number in range(SUPPLIERS)]
        for supplier in suppliers:
            supplier.result(3 * PATIENCE_S)
        assert {each.result(PATIENCE_S) for each in consumers} == {SUPPLIERS * rounds}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogServiceServant]:
    """Return a log service on a new store."""
    store = SqliteLogStore(tmp_path / "log.sqlite")
    yield LogServiceServant(store)
    store.close()


def _record(number: int, level: LogLevel) -> LogBatch:
    record = LogRecord(
        time=datetime.now(UTC), level=level, component="obs/test", logger="test", text=str(number)
    )
    return LogBatch(component="obs/test", incarnation="i", first=number, records=[record])


def test_a_follower_is_parked_until_a_record_matches(log: LogServiceServant) -> None:
    """What does not match is passed over; closing answers who waits still."""
    query = LogQuery(level=LogLevel.ERROR)
    poll, other = (Poll(partial(log.follow, query, PATIENCE_S)) for _ in range(2))
    log.append(_record(1, LogLevel.INFO))
    assert (poll.look(), poll.wakes) == (False, 1)
    log.append(_record(2, LogLevel.ERROR))
    assert [each.record.text for each in poll.result()] == ["2"]
    log.close()
    assert other.result() == []
