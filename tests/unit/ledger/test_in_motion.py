"""While everything moves nobody is suspected, and at the end every event is accounted for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from idl_like_interfaces.accounts import Verdict
from idl_like_interfaces.clients import EventConsumer, EventSupplier
from objects.messaging.channel import EventChannelServant
from objects.messaging.disk_journal import DiskJournal
from tests.support.eventually import eventually
from tests.support.hops import CHANNEL, Hops, hops, wrong

LOOKS = 25


@pytest.fixture
def site() -> Iterator[Hops]:
    with hops() as made:
        yield made


@contextmanager
def repeating(*steps: Callable[[], object]) -> Iterator[None]:
    """Do each of them again and again in a thread of its own."""
    over = threading.Event()

    def repeat(step: Callable[[], object]) -> None:
        while not over.is_set():
            step()

    threads = [threading.Thread(target=repeat, args=(each,)) for each in steps]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def publishing(supplier: EventSupplier) -> Callable[[], object]:
    """Return what publishes a few events and waits a moment."""
    pause = threading.Event()

    def publish() -> None:
        for _ in range(20):
            supplier.publish("daq/status", {"some": "body"})
            supplier.publish("other/topic", 1)
        pause.wait(0.005)

    return publish


def reading(consumer: EventConsumer) -> Callable[[], object]:
    """Return what reads what there is."""
    return lambda: consumer.read(0.05)


def test_nobody_is_suspected_while_events_pass(site: Hops) -> None:
    """Hops are asked at different moments; that is no loss."""
    site.start_channel()
    one, two = site.supplier("obs/a"), site.supplier("obs/b")
    fast, slow = site.consumer("fast"), site.consumer("slow")
    with repeating(publishing(one), publishing(two), reading(fast), reading(slow)):
        looks = [wrong(site.look()) for _ in range(LOOKS)]

    assert looks == [[]] * LOOKS


def test_nobody_is_suspected_when_a_channel_with_a_journal_is_restarted(
    site: Hops, tmp_path: Path
) -> None:
    """It goes on in its epoch, with its accounts; in the end all have all."""

    def start() -> EventChannelServant:
        storage = DiskJournal(tmp_path / "journal", clock=site.clock)
        servant = EventChannelServant("A", clock=site.clock, forget_after_s=60, storage=storage)
        site.stack.callback(servant.close)
        site._stub.servant = servant
        site.tellers[CHANNEL] = lambda: servant.accounts(CHANNEL)
        return servant

    servant = start()
    supplier, consumer = site.supplier(), site.consumer()
    looks = []
    with repeating(publishing(supplier), reading(consumer)):
        for _ in range(3):
            looks += [wrong(site.look()) for _ in range(5)]
            site.kill_channel()
            servant.close()  # a kill gives the files free as well
            looks.append(wrong(site.look()))
            servant = start()
    assert supplier.flush(20)
    eventually(
        lambda: (
            not consumer.read(0.1) and consumer.accounts()[-1].last == supplier.counters.produced
        ),
        "the consumer has all",
    )

    lines = site.look()

    # While the channel is away it may be in doubt what a reader got; nobody has lost anything.
    assert {verdict for look in looks for *_, verdict in look} <= {Verdict.IN_DOUBT}
    assert wrong(lines) == []
    got = sum(e.account.taken for e in lines if e.account.hop == "reader")
    assert got == supplier.counters.produced == supplier.counters.acknowledged
