"""The channel's accounts against a model: after each step every event is somewhere, once."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from idl_like_interfaces.accounts import Account, Flow, HopKind
from idl_like_interfaces.event_quality import Order, Overflow, QoS
from idl_like_interfaces.events import Batch, Subscription
from idl_like_interfaces.octets import OctetBlocks
from objects.messaging.channel import EventChannelServant
from objects.messaging.chunk import Chunk
from objects.messaging.journal import Retention
from tests.support.clock import ManualClock

TOPICS = ["a/x", "a/y", "b/x"]
QUALITIES = {
    "whole": QoS(),
    "drop_oldest": QoS(overflow=Overflow.DROP_OLDEST, max_queue=7),
    "drop_newest": QoS(overflow=Overflow.DROP_NEWEST, max_queue=7),
    "latest": QoS(overflow=Overflow.LATEST),
    "urgent": QoS(overflow=Overflow.DROP_OLDEST, max_queue=7, order=Order.PRIORITY),
}


class Model:
    """A channel with one consumer of ``a/*``, and what its account must be."""

    def __init__(self, seed: int, qos: QoS) -> None:
        self.random = random.Random(seed)
        self.clock = ManualClock()
        self.channel = EventChannelServant(
            "epoch", retention=Retention(max_events=20), clock=self.clock
        )
        self.next = {"obs/one": 1, "obs/two": 1}
        self.wanted = {"obs/one": 0, "obs/two": 0}
        self.qos = qos
        self.subscription = self.connect("new")
        self.cursor = self.before = self.subscription.cursor

    def connect(self, cursor: str) -> Subscription:
        return self.channel.connect_consumer("reader", ["a/*"], cursor, self.qos)

    def publish(self) -> None:
        source = self.random.choice(list(self.next))
        topic_of = [self.random.randrange(3) for _ in range(self.random.randint(1, 6))]
        self.channel.publish(
            Batch(
                source=source,
                incarnation="1",
                first=self.next[source],
                topics=TOPICS,
                topic_of=topic_of,
                records=OctetBlocks.of([b"x"] * len(topic_of)),
            )
        )
        self.next[source] += len(topic_of)
        self.wanted[source] += sum(at < 2 for at in topic_of)

    def fetch(self, limit: int = 4) -> int:
        reply = self.channel.fetch(self.subscription.subscription_id, self.cursor, limit, 0.0)
        self.before, self.cursor = self.cursor, reply.cursor
        return sum(len(each.batch.records) for each in reply.deliveries)

    def fetch_again(self) -> None:
        """A reply was lost: the same question once more."""
        reply = self.channel.fetch(self.subscription.subscription_id, self.before, 4, 0.0)
        self.cursor = reply.cursor

    def step(self) -> None:
        steps: list[Callable[[], object]] = [self.publish, self.publish, self.fetch]
        self.random.choice([*steps, self.fetch_again])()

    def accounts(self) -> dict[str, Account]:
        """Return those for the consumer, by source."""
        told = self.channel.accounts("obs/events")
        return {each.source: each for each in told if each.to == "reader" and not each.is_over}


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("seed", range(4))
def test_every_event_is_somewhere_after_each_step(quality: str, seed: int) -> None:
    """Acknowledged, in flight, or lost for a reason; and at the end nothing is in flight."""
    model = Model(seed, QUALITIES[quality])
    # The exact course of a repeated question over a full queue is tried by itself below.
    steps: list[Callable[[], object]] = [model.publish, model.publish, model.fetch]
    for _ in range(80):
        model.random.choice(steps)()
        accounts = model.accounts()
        for source, wanted in model.wanted.items():
            found = accounts[source].taken if source in accounts else 0
            assert found == wanted, (source, accounts.get(source))
            assert source not in accounts or accounts[source].in_flight >= 0
    while model.fetch(100):
        pass
    model.fetch()
    for source, account in model.accounts().items():
        lost = sum(each.count for each in account.drops)
        assert (account.taken, account.in_flight) == (model.wanted[source], 0)
        assert account.passed + lost == account.taken


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("seed", range(4))
def test_a_repeated_question_makes_no_event_twice(quality: str, seed: int) -> None:
    """At the end no source has more than it produced, and nothing is in flight."""
    model = Model(seed, QUALITIES[quality])
    for _ in range(80):
        model.step()
        for source, account in model.accounts().items():
            assert account.in_flight >= 0
            assert account.passed <= model.wanted[source]
    while model.fetch(100):
        pass
    model.fetch()
    for account in model.accounts().values():
        assert account.in_flight == 0


def test_the_intake_has_all_and_says_what_never_came() -> None:
    """Duplicates are told, and in no sum."""
    channel = EventChannelServant("epoch")

    def publish(first: int, count: int) -> None:
        records = OctetBlocks.of([b"x"] * count)
        batch = Batch(source="obs/one", incarnation="1", first=first, topics=["a"], records=records)
        channel.publish(batch)

    publish(1, 5)
    publish(4, 4)
    publish(11, 2)
    (account,) = channel.accounts("obs/events")

    assert (account.hop, account.kind, account.flow) == (
        "obs/events",
        HopKind.CHANNEL,
        Flow.EVENTS,
    )
    assert (account.taken, account.passed, account.in_flight) == (9, 9, 0)
    assert (account.first, account.last, account.repeated) == (1, 12, 2)
    assert [(each.count, each.first, each.last) for each in account.missing] == [(3, 8, 10)]
    assert account.hop_incarnation == "epoch"


def test_a_topic_of_which_a_batch_has_no_event_has_no_newest() -> None:
    """The events that had it were cut off as duplicates."""
    batch = Batch(
        source="obs/one",
        incarnation="1",
        first=1,
        topics=["a", "b"],
        topic_of=[1, 1],
        records=OctetBlocks.of([b"x"] * 2),
    )

    assert Chunk(first=1, count=2, batch=batch).newest() == {"b": 1}
