"""The process that sends events to a logger."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from types import TracebackType

from typing_extensions import override

from idl_like_interfaces.clients.event_sender import EventSender
from idl_like_interfaces.event_server import EventServer
from nameserver.client import Names, parse_addresses

LBN_EVERY = 1000

_DEADLINE_S = 600.0


class Sender(AbstractContextManager["Sender"]):
    """A sender.

    Args:
        names: Address of the name server.
        name: Its name.
    """

    def __init__(self, names: str, name: str) -> None:
        self._names = Names(parse_addresses(names))
        server = self._names.narrow("obs/logger/1/events", EventServer)
        self._sender = EventSender(server, name)
        self._event = 0
        self.hello = "ready"

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sender.close()
        self._names.close()

    def send(self, runs: list[int], count: int, size: int, streams: int) -> dict[str, float]:
        """Send events to runs and streams in turn; return when they were accepted and durable.

        Returns:
            ``accepted_s`` and ``durable_s`` since the first, ``cpu_s`` of this process.
        """
        payload, sender = os.urandom(size), self._sender
        began, used = time.perf_counter(), time.process_time()
        for number in range(count):
            self._event += 1
            run, stream = runs[number % len(runs)], 1 + number % streams
            sender.send(run, self._event, 1 + self._event // LBN_EVERY, (stream,), payload)
        assert sender.flush(_DEADLINE_S)
        accepted = time.perf_counter()
        assert sender.wait_durable(_DEADLINE_S)
        done = time.perf_counter()
        return {
            "accepted_s": accepted - began,
            "durable_s": done - began,
            "cpu_s": time.process_time() - used,
        }
