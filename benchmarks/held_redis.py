"""The process that fills a stream of the peer Redis."""

from __future__ import annotations

import time
from contextlib import ExitStack

import redis

from benchmarks.channel_account import TOPIC, body, encode
from benchmarks.channel_redis import PIPELINE


class Filler(ExitStack):
    """Adds entries of one field, in pipelines."""

    hello = ""

    def __init__(self, port: str) -> None:
        super().__init__()
        self._client = self.enter_context(redis.Redis(port=int(port)))

    def fill(self, events: int) -> float:
        """Add so many entries; return in how many seconds the stream had them."""
        began = time.monotonic()
        pipeline = self._client.pipeline(transaction=False)
        for number in range(events):
            pipeline.xadd(TOPIC, {"e": encode(body(number))})
            if len(pipeline) == PIPELINE:
                pipeline.execute()
        pipeline.execute()
        return time.monotonic() - began
