"""The processes of the peer NATS: supplier and consumer of core messages."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack

import nats
from nats.aio.msg import Msg

from benchmarks.channel_account import SILENCE_S, Arrivals, body, decode, encode

SUBJECT = "daq.status"


class _Connected(ExitStack):
    """A client whose event loop runs while there is an order."""

    hello = ""

    def __init__(self, port: str) -> None:
        super().__init__()
        self._runner = self.enter_context(asyncio.Runner())
        self._client = self._runner.run(nats.connect(f"nats://127.0.0.1:{port}"))
        self.callback(lambda: self._runner.run(self._client.close()))


class Supplier(_Connected):
    """Publishes as fast as it can, with one flush at the end."""

    def publish(self, events: int) -> float:
        """Publish so many events and return the monotonic time of the beginning."""
        return self._runner.run(self._publish(events))

    async def _publish(self, events: int) -> float:
        publish = self._client.publish
        began = time.monotonic()
        for number in range(events):
            await publish(SUBJECT, encode(body(number)))
        await self._client.flush(60)
        return began


class Consumer(_Connected):
    """Reads and decodes every event in a call-back, the fastest way of this client."""

    def __init__(self, port: str) -> None:
        super().__init__(port)
        self._arrivals = Arrivals(0)
        self._ended = 0.0
        self._is_done = asyncio.Event()
        self._runner.run(self._subscribe())

    async def _subscribe(self) -> None:
        await self._client.subscribe(SUBJECT, cb=self._take)
        await self._client.flush()

    async def _take(self, message: Msg) -> None:
        self._arrivals.take(decode(message.data)["number"])
        self._ended = time.monotonic()
        if self._arrivals.is_complete:
            self._is_done.set()

    def receive(self, events: int) -> dict[str, float]:
        """Read until the last event or silence; return the account."""
        return self._runner.run(self._receive(events))

    async def _receive(self, events: int) -> dict[str, float]:
        self._arrivals = Arrivals(events)
        self._ended = time.monotonic()
        self._is_done.clear()
        while not self._is_done.is_set() and time.monotonic() - self._ended < SILENCE_S:
            try:
                await asyncio.wait_for(self._is_done.wait(), SILENCE_S)
            except TimeoutError:
                continue
        return self._arrivals.account(self._ended)
