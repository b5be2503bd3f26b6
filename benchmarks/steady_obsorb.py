"""The processes of the benchmark of a steady rate: a supplier that keeps time, and who reads."""

from __future__ import annotations

import threading
import time
from array import array
from contextlib import ExitStack
from typing import Any

from benchmarks.channel_account import SILENCE_S, TOPIC, Arrivals, body, own_topics
from benchmarks.latency import percentiles_ms
from idl_like_interfaces.clients import Event, EventConsumer, EventSupplier
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.mapping import make_incarnation, narrow, release

_FLUSH_S = 60.0
_TICK_S = 0.001
_NS_OF_US = 1000
_US = 1e6

UP_TO_DATE_S = 0.1
"""Who has an event so soon keeps up."""


class CatchUp:
    """Knows when a reader was up to date again after it had been farthest behind.

    Attributes:
        at: The monotonic time; 0: it never was behind.
    """

    def __init__(self) -> None:
        self.at = 0.0
        self._farthest_us = self._behind_us = 0.0

    def note(self, age_us: float) -> None:
        """Take the age of the newest event that was just read."""
        if age_us > _US * UP_TO_DATE_S:
            self._behind_us = max(self._behind_us, age_us)
            return
        if self._behind_us > self._farthest_us:
            self._farthest_us = self._behind_us
            self.at = time.monotonic()
        self._behind_us = 0.0


class Supplier(ExitStack):
    """Publishes at a rate."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        channel = narrow(uri, EventChannel)
        self.callback(release, channel)
        self._supplier = EventSupplier(channel, "bench", make_incarnation())
        self.callback(self._supplier.close)

    def publish(self, rate: float, events: int, topics: int = 0) -> dict[str, float]:
        """Publish so many events, on many topics in turn or on one.

        Returns:
            ``rate``: how many in a second; ``lost``: how many did not get to the channel.
        """
        publish, pause, clock = self._supplier.publish, threading.Event(), time.monotonic
        names = own_topics(topics) if topics else [TOPIC]
        began = clock()
        sent = 0
        while sent < events:
            due = min(events, round(rate * (clock() - began)))
            for number in range(sent, due):
                publish(names[number % len(names)], body(number))
            sent = due
            # The time itself is awaited: a steady rate has nothing else.
            pause.wait(_TICK_S)
        took = clock() - began
        self._supplier.flush(_FLUSH_S)
        counters = self._supplier.counters
        return {"rate": events / took, "lost": counters.produced - counters.acknowledged}


class Consumer(ExitStack):
    """Reads as a durable subscriber, and notes how old each event is."""

    hello = ""

    def __init__(self, uri: str, name: str) -> None:
        super().__init__()
        channel = narrow(uri, EventChannel)
        self.callback(release, channel)
        self._consumer = self.enter_context(
            EventConsumer(channel, [TOPIC], name=name, durable=True)
        )
        self._consumer.connect()

    def read(self, events: int) -> dict[str, Any]:
        """Read until the last event or silence.

        Returns:
            ``lost``, ``strays``, percentiles of the ages in ms, and ``caught_up``, see ``CatchUp``.
        """
        arrivals, ages, catch_up = Arrivals(events), array("q"), CatchUp()
        while not arrivals.is_complete:
            items = self._consumer.read(SILENCE_S)
            if not items:
                break
            now = time.time_ns()
            for item in items:
                if isinstance(item, Event):
                    arrivals.take(item.body["number"])
                    ages.append((now - item.time_ns) // _NS_OF_US)
            if ages:
                catch_up.note(ages[-1])
        return {
            **arrivals.account(time.monotonic()),
            **percentiles_ms(ages),
            "caught_up": catch_up.at,
        }
