"""Many calls of one program with bare Pyro5: its batches; it cannot be awaited."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import Pyro5.api

from benchmarks.calls_count import seconds


class Client(ExitStack):
    """Calls through one stock proxy; each order returns seconds."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._target: Any = self.enter_context(Pyro5.api.Proxy(uri))
        self._target._pyroSerializer = "msgpack"  # noqa: SLF001 (Pyro5's own names)

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
