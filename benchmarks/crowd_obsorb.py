"""Our object that a crowd waits at: long-polls hold no thread."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import Protocol

from typing_extensions import override

from benchmarks.calls_obsorb import Servant, Target
from benchmarks.latency import allow_many_files
from idl_like_interfaces.declare import Seconds, interface, operation
from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.waiting import News, wait_for_news


@interface("IDL:obsorb/benchmarks/Crowded:1.0")
class Crowded(Target, Protocol):
    """The object of the benchmark of calls, with something to wait for."""

    @operation(idempotent=True, long_poll=True)
    def wait(self, timeout_s: Seconds) -> int:
        """Wait for news; return how many there were."""


class _Servant(Servant, Crowded):
    def __init__(self) -> None:
        self._news = News()
        self._lock = threading.Lock()
        self.told = 0
        self.waited = 0

    @override
    def wait(self, timeout_s: Seconds) -> int:
        with self._lock:
            self.waited += 1
        seen = self.told
        return wait_for_news(
            self._news,
            lambda: self.told if self.told > seen else None,
            lambda: self.told,
            timeout_s,
        )

    def tell(self) -> None:
        self.told += 1
        self._news.tell()


class Server(ExitStack):
    """The servant in our object adapter; says its URI."""

    def __init__(self) -> None:
        super().__init__()
        allow_many_files()
        adapter = self.enter_context(ObjectAdapter())
        self._servant = _Servant()
        # Where long-polls hold a thread, they end before the adapter does.
        self.callback(self._servant.tell)
        self.hello = adapter.activate(self._servant, Crowded, "target")

    def waited(self) -> int:
        """Return how many long-polls have come in."""
        return self._servant.waited

    def tell(self) -> float:
        """Wake all; return the monotonic time of the beginning."""
        began = time.monotonic()
        self._servant.tell()
        return began
