"""The processes of the peer of calls, bare Pyro5: the same object and client.

Nothing of obsorb is imported here, so that the daemon also shows what Pyro5 alone weighs.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import Pyro5.api
from Pyro5 import config
from Pyro5.callcontext import current_context

from benchmarks.calls_count import PLAIN_READING, block, seconds

# Our mapping sets it for itself; the peer shall not be slower for the lack of it.
config.SOCK_NODELAY = True

BULK = "BULK"


@Pyro5.api.expose
class Servant:
    """The peer: the same operations, without a declaration."""

    def add(self, a: int, b: int) -> int:
        return a + b

    def echo(self, reading: dict[str, Any]) -> dict[str, Any]:
        return reading

    def put(self) -> int:
        return len(current_context.annotations[BULK])

    def get(self, size: int) -> None:
        current_context.response_annotations = {BULK: block(size)}


class Server(ExitStack):
    """The same object in a stock daemon; says its URI.

    Args:
        server_type: Pyro5's ``thread`` or ``multiplex``.
        connections: How many clients a thread server has threads for.
        servant: The object; None: that of the calls.
    """

    def __init__(
        self, server_type: str = "thread", connections: str = "80", servant: Any = None
    ) -> None:
        super().__init__()
        config.SERVERTYPE = server_type
        config.THREADPOOL_SIZE = int(connections)
        daemon = Pyro5.api.Daemon(host="localhost")
        self.hello = str(daemon.register(servant or Servant(), "target"))
        loop = threading.Thread(target=daemon.requestLoop)
        loop.start()
        self.callback(loop.join)
        self.callback(daemon.shutdown)


class Client(ExitStack):
    """The same calls through a stock proxy with the same serializer."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._target = self.enter_context(Pyro5.api.Proxy(uri))
        self._target._pyroSerializer = "msgpack"  # noqa: SLF001 (Pyro5's own names)

    def add(self, count: int) -> float:
        add = self._target.add
        return seconds(lambda: add(1, 2), count)

    def echo(self, count: int) -> float:
        echo = self._target.echo
        return seconds(lambda: echo(PLAIN_READING), count)

    def put(self, count: int, size: int) -> float:
        put, buffer = self._target.put, block(size)

        def call() -> None:
            current_context.annotations = {BULK: buffer}
            put()

        return seconds(call, count)

    def get(self, count: int, size: int) -> float:
        get = self._target.get

        def call() -> memoryview:
            get(size)
            octets: memoryview = current_context.response_annotations[BULK]
            return octets

        return seconds(call, count)
