"""The processes of the benchmark of naming, ours: a client of a name server."""

from __future__ import annotations

import time

from typing_extensions import override

from benchmarks.calls_count import seconds
from benchmarks.naming_count import RESOLVED, names_of
from idl_like_interfaces.clients import NameWatcher
from idl_like_interfaces.clients.directory import list_all
from idl_like_interfaces.closing import Closing
from nameserver.client import Names, parse_address

_INTERFACE = "IDL:obsorb/recif/RecCmds:2.1"
_MARKS = {"component": "bench"}


class Client(Closing):
    """Binds, resolves, lists and watches; each method says how long it took.

    Args:
        address: Of the name server.
    """

    hello = ""

    def __init__(self, address: str) -> None:
        self._names = Names(parse_address(address))
        self._context = self._names.context
        self._number = 0

    @override
    def close(self) -> None:
        self._names.close()

    def make_contexts(self) -> None:
        for name in ("bench", "bench/sources", "bench/new"):
            self._context.bind_new_context(name)

    def bind_all(self, count: int) -> float:
        names = iter(names_of(count))
        return seconds(lambda: self._bind(next(names)), count)

    def bind_more(self, count: int) -> float:
        self._number += 1
        names = iter(names_of(count, f"bench/new/r{self._number}-"))
        return seconds(lambda: self._bind(next(names)), count)

    def resolve(self, count: int) -> float:
        resolve = self._context.resolve
        return seconds(lambda: resolve(RESOLVED), count)

    def resolve_many(self, count: int) -> float:
        names = names_of(count)
        began = time.perf_counter()
        found = self._context.resolve_many(names)
        took = time.perf_counter() - began
        if [each.name for each in found if each.binding] != names:
            raise RuntimeError("not all names were resolved")
        return took

    def list_all(self, count: int) -> float:
        began = time.perf_counter()
        found = list_all(self._context, "bench/sources")
        took = time.perf_counter() - began
        if len(found) != count:
            raise RuntimeError(f"{len(found)} names were listed, not {count}")
        return took

    def snapshot(self, count: int) -> float:
        watcher = NameWatcher(self._context, "bench/sources")
        began = time.perf_counter()
        watcher.read()
        took = time.perf_counter() - began
        if len(watcher.known) != count + 1:
            raise RuntimeError(f"{len(watcher.known)} names are known, not {count + 1}")
        return took

    def _bind(self, name: str) -> None:
        self._context.bind(name, f"PYRO:{name}~1@localhost:4711", _INTERFACE, _MARKS)
