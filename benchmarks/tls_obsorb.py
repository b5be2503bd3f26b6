"""Calls and connections with TLS on both sides, ours; without certificates: in clear."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from benchmarks.calls_count import seconds
from benchmarks.calls_obsorb import Servant, Target
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release, use_tls
from idl_like_interfaces.security.credentials import Credentials


def _credentials(certs: str, name: str) -> Credentials | None:
    return Credentials(folder=Path(certs), name=name) if certs else None


class Server(ExitStack):
    """The object of the benchmark of calls; says its URI."""

    def __init__(self, certs: str) -> None:
        super().__init__()
        own = _credentials(certs, "server")
        adapter = self.enter_context(ObjectAdapter(tls=own.server_context() if own else None))
        self.hello = adapter.activate(Servant(), Target, "target")


class Client(ExitStack):
    """Calls, and connects for each call, through a typed stub."""

    hello = ""

    def __init__(self, uri: str, certs: str) -> None:
        super().__init__()
        own = _credentials(certs, "client")
        use_tls(own.client_context() if own else None)
        self._target = narrow(uri, Target)
        self.callback(release, self._target)

    def add(self, count: int) -> float:
        add = self._target.add
        return seconds(lambda: add(1, 2), count)

    def connect(self, count: int) -> float:
        target = self._target

        def call() -> None:
            release(target)
            target.add(1, 2)

        return seconds(call, count)
