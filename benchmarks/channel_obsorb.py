"""The processes of our event channel: channel, supplier, consumer."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.channel_account import SILENCE_S, TOPIC, Arrivals, body
from benchmarks.latency import allow_many_files
from idl_like_interfaces.clients import Event, EventConsumer, EventSupplier
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.mapping import ObjectAdapter, make_incarnation, narrow, release
from objects.messaging.channel import EventChannelServant
from objects.messaging.disk_journal import DiskJournal
from objects.messaging.journal import Retention

_FLUSH_S = 60.0


class Server(ExitStack):
    """The channel, by default without a journal; says its URI.

    Args:
        *options: ``max_events=N``, ``max_bytes=N``: what it holds for late readers, by default as
            much as in an installation; ``journal=FOLDER``: kept on disk; ``sync=yes``: also
            over a loss of power.
    """

    def __init__(self, *options: str) -> None:
        super().__init__()
        allow_many_files()
        given = dict(option.split("=", 1) for option in options)
        adapter = self.enter_context(ObjectAdapter())
        servant = EventChannelServant(
            adapter.incarnation, retention=_retention(given), storage=self._storage(given)
        )
        self.callback(servant.close)
        self.hello = adapter.activate(servant, EventChannel, "events")

    def _storage(self, given: dict[str, str]) -> DiskJournal | None:
        if "journal" not in given:
            return None
        journal = DiskJournal(Path(given["journal"]), sync="sync" in given)
        self.callback(journal.close)
        return journal


def _retention(given: dict[str, str]) -> Retention:
    bounds = {name: int(given[name]) for name in ("max_events", "max_bytes") if name in given}
    return Retention(**bounds)


class Supplier(ExitStack):
    """Publishes as fast as it can.

    Args:
        uri: Of the channel.
        spool: Folder in which events are kept until the channel has them; ``None``: in memory.
    """

    hello = ""

    def __init__(self, uri: str, spool: Path | None = None) -> None:
        super().__init__()
        channel = narrow(uri, EventChannel)
        self.callback(release, channel)
        self._supplier = EventSupplier(channel, "bench", make_incarnation(), spool=spool)
        self.callback(self._supplier.close)

    def publish(self, events: int) -> float:
        """Publish so many events and return the monotonic time of the beginning."""
        publish = self._supplier.publish
        began = time.monotonic()
        for number in range(events):
            publish(TOPIC, body(number))
        self._supplier.flush(_FLUSH_S)
        return began


class Consumer(ExitStack):
    """Reads and decodes every event."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        channel = narrow(uri, EventChannel)
        self.callback(release, channel)
        self._consumer = self.enter_context(EventConsumer(channel, [TOPIC], name="bench"))
        self._consumer.connect()

    def receive(self, events: int) -> dict[str, float]:
        """Read until the last event or silence; return the account."""
        arrivals = Arrivals(events)
        ended = time.monotonic()
        while not arrivals.is_complete:
            items = self._consumer.read(SILENCE_S)
            if not items:
                break
            for item in items:
                if isinstance(item, Event):
                    arrivals.take(item.body["number"])
            ended = time.monotonic()
        return arrivals.account(ended)
