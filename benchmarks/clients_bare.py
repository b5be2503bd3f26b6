"""Many clients of bare Pyro5: each thread has a proxy, and so a connection, of its own."""

from __future__ import annotations

from typing import Any

import Pyro5.api
from typing_extensions import override

from benchmarks.calls_bare import Server as _Server
from benchmarks.latency import Call, ThreadedClients, allow_many_files


class Server(_Server):
    """The object of the benchmark of calls, in a stock daemon for many connections."""

    def __init__(self, server_type: str, connections: str) -> None:
        allow_many_files()
        super().__init__(server_type, connections)


class Clients(ThreadedClients):
    """Call through stock proxies with the same serializer as our stubs."""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._uri = uri
        self._owned: dict[Call, Any] = {}
        self.callback(self._release)

    @override
    def connected(self) -> Call:
        proxy = Pyro5.api.Proxy(self._uri)
        proxy._pyroSerializer = "msgpack"  # noqa: SLF001 (Pyro5's own names)
        add = proxy.add

        def call() -> object:
            return add(1, 2)

        self._owned[call] = proxy
        return call

    @override
    def adopt(self, call: Call) -> Call:
        self._owned[call]._pyroClaimOwnership()  # noqa: SLF001 (Pyro5's own names)
        return call

    def _release(self) -> None:
        for proxy in self._owned.values():
            proxy._pyroClaimOwnership()  # noqa: SLF001 (Pyro5's own names)
            proxy._pyroRelease()  # noqa: SLF001 (Pyro5's own names)
