"""Losses at each hop: the ledger names exactly the hop that lost, with exact counts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from idl_like_interfaces.accounts import Verdict
from idl_like_interfaces.clients import Event, EventConsumer, LogForwarder
from idl_like_interfaces.clients.accounts import below
from idl_like_interfaces.clients.folding import Folding
from idl_like_interfaces.event_quality import Overflow, QoS
from idl_like_interfaces.logs import LogService
from objects.messaging.journal import Retention
from objects.messaging.log_service import LogServiceServant
from objects.messaging.log_store import SqliteLogStore
from tests.support.hops import CHANNEL, Away, Hops, hops, send, text_of, wrong


@pytest.fixture
def site() -> Iterator[Hops]:
    with hops() as made:
        yield made


def read(consumer: EventConsumer, number: int) -> None:
    """Read so many events, and acknowledge them."""
    while number > 0:
        number -= sum(isinstance(each, Event) for each in consumer.read(5.0))
    assert not any(isinstance(each, Event) for each in consumer.read(0.0))


def test_nothing_is_wrong_when_everything_comes_through(site: Hops) -> None:
    """Each hop has as many as the one before."""
    site.start_channel()
    supplier, consumer = site.supplier(), site.consumer()
    send(supplier, 50)
    read(consumer, 50)

    lines = site.look()

    assert wrong(lines) == []
    assert [(each.account.taken, each.account.passed) for each in lines] == [(50, 50)] * 4


def test_a_spool_that_was_full_lost_at_the_supplier(site: Hops) -> None:
    """The channel's hole is as large as the supplier says."""
    supplier = site.supplier(spool_events=10)
    for at in range(1000):
        supplier.publish("daq/status", {"at": at})
    site.start_channel()
    consumer = site.consumer(cursor="oldest")
    assert supplier.flush(20)
    dropped = supplier.counters.dropped
    read(consumer, 1000 - dropped)

    lines = site.look()

    assert dropped > 0
    assert wrong(lines) == [("obs/ocm", "", Verdict.LOST)]
    assert sum(each.count for each in lines[0].account.drops) == dropped
    assert "(spool): " in text_of(lines)
    assert [each.account.taken for each in lines] == [1000] + [1000 - dropped] * 3


def test_the_retention_lost_at_the_channel_for_that_consumer(site: Hops) -> None:
    """The consumer that had read in time lost nothing."""
    site.start_channel(Retention(max_events=10))
    supplier, late, prompt = site.supplier(), site.consumer("late"), site.consumer("prompt")
    for _ in range(5):
        send(supplier, 10)
        read(prompt, 10)

    unread = site.look()
    read(late, 10)
    lines = site.look()

    assert wrong(unread) == wrong(lines) == [(CHANNEL, "late", Verdict.LOST)]
    assert text_of(unread) == text_of(lines) == "lost 40 (retention): numbers 1 to 40"


@pytest.mark.parametrize(
    ("overflow", "numbers"), [(Overflow.DROP_OLDEST, "1 to 45"), (Overflow.DROP_NEWEST, "6 to 50")]
)
def test_a_full_queue_lost_at_the_channel_for_that_consumer(
    site: Hops, overflow: Overflow, numbers: str
) -> None:
    """Before it has read, and after."""
    site.start_channel()
    supplier = site.supplier()
    slow, whole = site.consumer("slow", QoS(overflow=overflow, max_queue=5)), site.consumer("whole")
    for _ in range(10):
        send(supplier, 5)
    read(whole, 50)

    unread = site.look()
    read(slow, 5)
    lines = site.look()

    assert wrong(unread) == wrong(lines) == [(CHANNEL, "slow", Verdict.LOST)]
    assert text_of(unread) == text_of(lines) == f"lost 45 ({overflow}): numbers {numbers}"


def test_what_is_replaced_by_a_newer_value_is_told_and_no_loss(site: Hops) -> None:
    """Who wants the latest only gets the latest only."""
    site.start_channel()
    supplier, consumer = site.supplier(), site.consumer(qos=QoS(overflow=Overflow.LATEST))
    send(supplier, 20)
    read(consumer, 1)

    lines = site.look()

    assert wrong(lines) == []
    assert [each.text for each in lines if each.account.to] == [
        "19 have another in their place (latest): numbers 1 to 19"
    ]


def test_a_killed_consumer_lost_what_waited_for_it(site: Hops) -> None:
    """When its lease is over; what it had not acknowledged is counted, the rest it had."""
    site.start_channel()
    supplier, consumer = site.supplier(), site.consumer()
    send(supplier, 30)
    read(consumer, 30)
    send(supplier, 20)
    del site.tellers["reader"]
    waiting = wrong(site.look())
    site.clock.advance(61)

    lines = site.look()

    assert waiting == []
    assert wrong(lines) == [(CHANNEL, "reader", Verdict.LOST)]
    assert text_of(lines).startswith("lost 20 (closed): numbers 31 to 50")


def test_a_consumer_that_comes_back_with_its_cursor_lost_nothing(site: Hops) -> None:
    """Only its subscription was over."""
    site.start_channel()
    supplier, consumer = site.supplier(), site.consumer()
    send(supplier, 30)
    site.clock.advance(61)
    lost = wrong(site.look())
    read(consumer, 30)

    assert lost == [(CHANNEL, "reader", Verdict.LOST)]
    assert wrong(site.look()) == []


def test_a_consumer_that_ends_in_good_order_lost_nothing(site: Hops) -> None:
    """What it had not read it does not want."""
    site.start_channel()
    supplier, consumer = site.supplier(), site.consumer()
    send(supplier, 30)
    consumer.close()
    del site.tellers["reader"]

    assert wrong(site.look()) == []


def test_a_killed_channel_without_journal_lost_what_nobody_had_read(site: Hops) -> None:
    """Exactly that, for exactly that consumer; the next epoch begins at nothing."""
    site.start_channel()
    supplier, prompt, late = site.supplier(), site.consumer("prompt"), site.consumer("late")
    send(supplier, 30)
    read(prompt, 30)
    read(late, 30)
    send(supplier, 20)
    read(prompt, 20)
    site.look()
    site.kill_channel()
    away = wrong(site.look())
    site.start_channel()
    send(supplier, 5)
    read(late, 5)
    read(prompt, 5)

    lines = site.look()

    assert away == []
    assert wrong(lines) == [(CHANNEL, "late", Verdict.LOST)]
    assert text_of(lines) == "died with 20 that late had not got (new_epoch): numbers 31 to 50"


class Log:
    """A log service that can be away, and a logger that sends to it."""

    def __init__(self, site: Hops, folder: Path, spool_records: int, folding: Folding) -> None:
        self.away = Away()
        store = SqliteLogStore(folder / "log.sqlite")
        site.stack.callback(store.close)
        self.servant = LogServiceServant(store)
        site.tellers["obs/log"] = lambda: below("obs", store.accounts())
        self.forwarder = LogForwarder(
            cast("LogService", self.away),
            "ocm",
            "20260102T030405-1",
            spool_records=spool_records,
            folding=folding,
        )
        site.stack.callback(self.forwarder.close, 0.1)
        site.tellers["obs/ocm"] = lambda: below("obs", [self.forwarder.account()])
        self.logger = logging.getLogger("tests.unit.ledger")
        self.logger.setLevel(logging.INFO)
        self.logger.propagate = False
        self.logger.addHandler(self.forwarder)
        site.stack.callback(self.logger.removeHandler, self.forwarder)

    def come(self) -> None:
        """Let the service be there, and wait until it has everything."""
        self.away.servant = self.servant
        assert self.forwarder.drain(20)


def test_a_folded_flood_is_told_and_no_loss(site: Hops, tmp_path: Path) -> None:
    """One record stands for the rest, with the exact count."""
    log = Log(site, tmp_path, 1000, Folding(beyond=10, window_s=60))
    for at in range(500):
        log.logger.info("the same again, %d", at)
    log.come()

    lines = site.look()

    assert wrong(lines) == []
    sender, writer = (each.account for each in lines)
    assert (sender.taken, sender.passed, writer.passed) == (500, 11, 11)
    assert [(drop.reason, drop.count) for drop in sender.drops] == [("folded", 489)]


def test_a_log_spool_that_was_full_lost_at_the_sender(site: Hops, tmp_path: Path) -> None:
    """The log service misses as many as the sender says."""
    log = Log(site, tmp_path, 100, Folding(beyond=0))
    for at in range(1000):
        log.logger.info("record %d", at)
    log.come()

    lines = site.look()

    assert wrong(lines) == [("obs/ocm", "", Verdict.LOST)]
    sender, writer = (each.account for each in lines)
    dropped = sum(each.count for each in sender.drops)
    assert {each.reason for each in sender.drops} == {"spool"}
    assert sender.taken == sender.passed + dropped == 1000
    assert (writer.passed, sum(each.count for each in writer.missing)) == (1000 - dropped, dropped)
