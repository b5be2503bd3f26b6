"""Many clients of ours: each thread has a stub, and so a connection, of its own."""

from __future__ import annotations

from typing_extensions import override

from benchmarks.calls_obsorb import Server as _Server
from benchmarks.calls_obsorb import Target
from benchmarks.latency import Call, ThreadedClients, allow_many_files
from idl_like_interfaces.mapping import narrow, release


class Server(_Server):
    """The object of the benchmark of calls, for many connections."""

    def __init__(self) -> None:
        allow_many_files()
        super().__init__()


class Clients(ThreadedClients):
    """Call through typed stubs."""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._uri = uri

    @override
    def connected(self) -> Call:
        target = narrow(self._uri, Target)
        self.callback(release, target)
        add = target.add
        return lambda: add(1, 2)
