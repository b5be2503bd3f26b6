"""The same calls and connections with Pyro5's own TLS; without certificates: in clear."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import Pyro5.api
from Pyro5 import config

from benchmarks import calls_bare
from benchmarks.calls_count import seconds

AS_IT_COMES = "as it comes"


def _configure(certs: str, nodelay: str) -> None:
    config.SOCK_NODELAY = nodelay != AS_IT_COMES
    if certs:
        config.SSL = config.SSL_REQUIRECLIENTCERT = True
        config.SSL_CACERTS = f"{certs}/ca.crt"


class Server(calls_bare.Server):
    """The object of the benchmark of calls in a stock daemon; says its URI."""

    def __init__(self, certs: str, nodelay: str) -> None:
        _configure(certs, nodelay)
        if certs:
            config.SSL_SERVERCERT = f"{certs}/server.crt"
            config.SSL_SERVERKEY = f"{certs}/server.key"
        super().__init__()


class Client(ExitStack):
    """Calls, and connects for each call, through a stock proxy."""

    hello = ""

    def __init__(self, uri: str, certs: str, nodelay: str) -> None:
        super().__init__()
        _configure(certs, nodelay)
        if certs:
            config.SSL_CLIENTCERT = f"{certs}/client.crt"
            config.SSL_CLIENTKEY = f"{certs}/client.key"
        self._target: Any = self.enter_context(Pyro5.api.Proxy(uri))
        self._target._pyroSerializer = "msgpack"  # noqa: SLF001 (Pyro5's own names)

    def add(self, count: int) -> float:
        add = self._target.add
        return seconds(lambda: add(1, 2), count)

    def connect(self, count: int) -> float:
        target = self._target

        def call() -> None:
            target._pyroRelease()  # noqa: SLF001 (Pyro5's own names)
            target.add(1, 2)

        return seconds(call, count)
