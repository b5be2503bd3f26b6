"""The processes of the peer Redis: supplier and consumer over its pub/sub."""

from __future__ import annotations

import time
from contextlib import ExitStack

import redis

from benchmarks.channel_account import SILENCE_S, TOPIC, Arrivals, body, decode, encode

PIPELINE = 512
"""Publications in one round trip, as many as our supplier puts into a batch."""


class Supplier(ExitStack):
    """Publishes as fast as it can, in pipelines."""

    hello = ""

    def __init__(self, port: str) -> None:
        super().__init__()
        self._client = self.enter_context(redis.Redis(port=int(port)))

    def publish(self, events: int) -> float:
        """Publish so many events and return the monotonic time of the beginning."""
        began = time.monotonic()
        pipeline = self._client.pipeline(transaction=False)
        for number in range(events):
            pipeline.publish(TOPIC, encode(body(number)))
            if len(pipeline) == PIPELINE:
                pipeline.execute()
        pipeline.execute()
        return began


class Consumer(ExitStack):
    """Reads and decodes every event."""

    hello = ""

    def __init__(self, port: str) -> None:
        super().__init__()
        client = self.enter_context(redis.Redis(port=int(port)))
        self._pubsub = self.enter_context(client.pubsub())
        self._pubsub.subscribe(TOPIC)
        self._pubsub.get_message(timeout=SILENCE_S)

    def receive(self, events: int) -> dict[str, float]:
        """Read until the last event or silence; return the account."""
        arrivals = Arrivals(events)
        ended = time.monotonic()
        while not arrivals.is_complete:
            message = self._pubsub.get_message(timeout=SILENCE_S)
            if message is None:
                break
            arrivals.take(decode(message["data"])["number"])
            ended = time.monotonic()
        return arrivals.account(ended)
