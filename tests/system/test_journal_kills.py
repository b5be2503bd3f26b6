"""The channel's process, killed at any moment while suppliers publish: its journal goes on."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from idl_like_interfaces.clients import Event, EventConsumer, EventSupplier
from idl_like_interfaces.errors import CommFailure
from idl_like_interfaces.events import EventChannel, Subscription
from idl_like_interfaces.mapping import make_incarnation, narrow, release
from nameserver.client import Names, parse_address
from tests.support.batches import make_batch, numbers, sequences
from tests.support.eventually import eventually
from tests.support.installation import OBSORB, Running, start
from tests.support.nameserver import name_server

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

SEED = 20261122
SUPPLIERS = 3
DEADLINE_S = 60.0

CHANNEL = """
import sys, threading
from pathlib import Path
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.mapping import ObjectAdapter, make_incarnation
from objects.messaging.channel import EventChannelServant
from objects.messaging.disk_journal import DiskJournal

storage = DiskJournal(Path(sys.argv[1]), segment_bytes=20_000, sync=sys.argv[2] == "sync")
channel = EventChannelServant(make_incarnation(), storage=storage)
adapter = ObjectAdapter()
uri = adapter.activate(channel, EventChannel, "obs/events")
adapter.start()
print(uri, flush=True)
threading.Event().wait()
"""


class RunningChannel:
    """A channel in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], uri: str) -> None:
        self._process = process
        self._uri = uri

    @contextmanager
    def stub(self) -> Iterator[EventChannel]:
        """Yield a stub of it."""
        stub = narrow(self._uri, EventChannel)
        try:
            yield stub
        finally:
            release(stub)

    def kill(self) -> None:
        """End it as a crash does (kill -9)."""
        self._process.kill()
        self._process.wait(DEADLINE_S)


@contextmanager
def running_channel(folder: Path, sync: str) -> Iterator[RunningChannel]:
    """Start a channel; end it at the end."""
    command = [sys.executable, "-c", CHANNEL, str(folder), sync]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield RunningChannel(process, process.stdout.readline().strip())
        finally:
            process.kill()


@dataclass
class Publisher:
    """A supplier that sends one batch after the other, again when it heard no answer.

    Attributes:
        acknowledged: Its newest event that the channel has acknowledged.
        epochs: Those in which it was.
    """

    source: str
    chance: random.Random
    acknowledged: int = 0
    epochs: set[str] = field(default_factory=set)
    _topics: list[str] = field(default_factory=list)

    def publish_until_it_dies(self, channel: EventChannel) -> None:
        """Return when the connection breaks."""
        while True:
            if not self._topics:
                self._topics = ["a", "b", "a"] * self.chance.randrange(1, 20)
            batch = make_batch(self.acknowledged + 1, self._topics, source=self.source)
            try:
                reply = channel.publish(batch)
            except CommFailure:
                return
            self.epochs.add(reply.epoch)
            self.acknowledged += len(self._topics)
            self._topics = []


class Reader:
    """A durable consumer that checks each event when it comes.

    It remembers its cursor, too: the channel may lose that of its last second.
    """

    def __init__(self) -> None:
        self.sequence = 0
        self._cursor = "oldest"
        self.got: dict[str, int] = {}

    def read_all(self, channel: EventChannel) -> None:
        """Read what there is now; acknowledge it."""
        last = channel.get_stats().last
        found: Subscription = channel.connect_consumer(
            "archive", ["**"], self._cursor, durable=True
        )
        self._cursor = found.cursor
        while True:
            reply = channel.fetch(found.subscription_id, self._cursor, timeout_s=0.0)
            assert reply.gaps == []
            for each in reply.deliveries:
                one = type(reply)(epoch="", cursor="", deliveries=[each])
                for sequence, number in zip(sequences(one), numbers(one), strict=True):
                    self._take(sequence, each.batch.source, number)
            self._cursor = reply.cursor
            if not reply.deliveries or self.sequence >= last:
                return

    def _take(self, sequence: int, source: str, number: int) -> None:
        if sequence <= self.sequence:
            return  # not acknowledged before the kill: the same event again
        assert sequence == self.sequence + 1
        assert number == self.got.get(source, 0) + 1
        self.sequence, self.got[source] = sequence, number


@pytest.mark.parametrize(
    "kills", [4, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_what_was_acknowledged_survives_kill_9_and_is_there_once(
    tmp_path: Path, kills: int
) -> None:
    """In the same epoch, with and without sync; who reads on has no gap and nothing twice."""
    chance = random.Random(SEED)
    publishers = [Publisher(f"obs/s{each}", random.Random(each)) for each in range(SUPPLIERS)]
    reader = Reader()
    for number in range(kills):
        sync = ("off", "sync")[number % 2]
        with running_channel(tmp_path / "events", sync) as running, running.stub() as channel:
            threads = [
                threading.Thread(target=each.publish_until_it_dies, args=(channel,))
                for each in publishers
            ]
            before = sum(each.acknowledged for each in publishers)
            for thread in threads:
                thread.start()
            reader.read_all(channel)
            wanted = before + chance.randrange(1, 500)
            eventually(lambda: sum(each.acknowledged for each in publishers) >= wanted)  # noqa: B023
            _spin(chance.uniform(0.0, 0.004))
            running.kill()
            for thread in threads:
                thread.join(DEADLINE_S)
            assert not any(thread.is_alive() for thread in threads)
    with running_channel(tmp_path / "events", "off") as running, running.stub() as channel:
        reader.read_all(channel)
        stats = channel.get_stats()
    for each in publishers:
        assert reader.got[each.source] >= each.acknowledged
        assert each.epochs == {stats.epoch}
    assert sum(reader.got.values()) == reader.sequence == stats.last
    assert stats.journal is not None
    assert stats.journal.damaged == []


def _spin(seconds: float) -> None:
    """Pass some time, for a kill anywhere within a call."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


INSTALLATION = """
[installation]
name = "tested"
data_root = "data"

[component.events]
kind = "events"
"""


def test_supplier_and_consumer_notice_of_a_killed_channel_only_that_it_was_away(
    tmp_path: Path,
) -> None:
    """A component as it is served: same epoch, each event once, in order, no gap."""
    (tmp_path / "installation.toml").write_text(INSTALLATION)
    with name_server("--port", "0") as server:
        address = f"{server.host}:{server.port}"
        with Names(parse_address(address)) as names:
            channel = names.narrow("obs/events", EventChannel)
            supplier = EventSupplier(channel, "obs/guest", make_incarnation())
            consumer = EventConsumer(
                channel, ["count"], name="reader", cursor="oldest", durable=True
            )
            with consumer:
                with _served(tmp_path, address) as killed:
                    got = _publish_and_read(supplier, consumer, range(500))
                    epoch = channel.get_stats().epoch
                    for number in range(500, 600):
                        supplier.publish("count", number)
                    killed.process.kill()
                with _served(tmp_path, address):
                    got += _publish_and_read(supplier, consumer, range(600, 700))
                    assert channel.get_stats().epoch == epoch
                    supplier.close()
                    consumer.close()
    assert [each.body for each in got] == list(range(700))


@contextmanager
def _served(folder: Path, address: str) -> Iterator[Running]:
    command = (str(OBSORB), "serve", "installation.toml", "events", "--names", address)
    running = start(*command, cwd=folder)
    try:
        running.await_line("ready")
        yield running
    finally:
        running.end()


def _publish_and_read(
    supplier: EventSupplier, consumer: EventConsumer, numbers: range
) -> list[Event]:
    """Publish and read until the last one is there; no gap may be among them."""
    for number in numbers:
        supplier.publish("count", number)
    got: list[Event] = []
    until = time.monotonic() + DEADLINE_S
    while not got or got[-1].body != numbers[-1]:
        assert time.monotonic() < until
        got += [each for each in consumer.read(timeout_s=1.0) if isinstance(each, Event)]
    return got
