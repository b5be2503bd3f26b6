"""The peer's object that a crowd waits at: a call that blocks in its thread."""

from __future__ import annotations

import threading
import time

import Pyro5.api

from benchmarks import calls_bare
from benchmarks.latency import allow_many_files


@Pyro5.api.expose
class Servant(calls_bare.Servant):
    """The same operations, without a declaration."""

    def __init__(self) -> None:
        self._told = 0
        self._waited = 0
        self._news = threading.Condition()

    def wait(self, timeout_s: float) -> int:
        with self._news:
            self._waited += 1
            seen = self._told
            self._news.wait_for(lambda: self._told > seen, timeout_s)
            return self._told


class Server(calls_bare.Server):
    """The same object in a stock daemon with a thread for each of the crowd."""

    def __init__(self, connections: str) -> None:
        allow_many_files()
        self._servant = Servant()
        super().__init__("thread", connections, self._servant)
        self.callback(self.tell)

    def waited(self) -> int:
        """Return how many long-polls have come in."""
        return self._servant._waited  # noqa: SLF001 (a public name would be exposed)

    def tell(self) -> float:
        """Wake all; return the monotonic time of the beginning."""
        servant, began = self._servant, time.monotonic()
        with servant._news:  # noqa: SLF001 (likewise)
            servant._told += 1  # noqa: SLF001 (likewise)
            servant._news.notify_all()  # noqa: SLF001 (likewise)
        return began
