"""Many calls of one program with bare Pyro5: its batches, and its calls awaited in threads."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import Pyro5.api

from benchmarks.calls_count import seconds


class Client(ExitStack):
    """Calls through one stock proxy; each order returns seconds."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._uri = uri
        self._target = self._connected()
        self._loop = self.enter_context(asyncio.Runner())
        self._own = threading.local()
        self._threads: ThreadPoolExecutor | None = None

    def _connected(self) -> Any:
        target = self.enter_context(Pyro5.api.Proxy(self._uri))
        target._pyroSerializer = "msgpack"  # noqa: SLF001 (Pyro5's own names)
        return target

    def single(self, count: int, together: int) -> float:
        """Call one by one."""
        add = self._target.add
        return seconds(lambda: add(1, 2), count * together)

    def batch(self, count: int, together: int) -> float:
        """Call in batches of so many."""
        return seconds(lambda: self._batch(together), count)

    def _batch(self, together: int) -> int:
        calls = Pyro5.api.BatchProxy(self._target)
        for _ in range(together):
            calls.add(1, 2)
        return sum(calls())

    def gather(self, count: int, together: int) -> float:
        """Await so many at the same time, each in a thread with a proxy: there is no other way."""
        if self._threads is None:
            self._threads = self.enter_context(ThreadPoolExecutor(together))
        return seconds(lambda: self._loop.run(self._gather(together)), count)

    async def _gather(self, together: int) -> int:
        run = asyncio.get_running_loop().run_in_executor
        return sum(await asyncio.gather(*(run(self._threads, self._add) for _ in range(together))))

    def _add(self) -> int:
        if not hasattr(self._own, "target"):
            self._own.target = Pyro5.api.Proxy(self._uri)
            self._own.target._pyroSerializer = "msgpack"  # noqa: SLF001 (Pyro5's own names)
        total: int = self._own.target.add(1, 2)
        return total
