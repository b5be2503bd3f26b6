"""The processes of the benchmark of log records: the service, and programs that log."""

from __future__ import annotations

import logging
import threading
import time
from abc import abstractmethod
from contextlib import ExitStack
from pathlib import Path

from typing_extensions import override

from idl_like_interfaces.clients import LogForwarder
from idl_like_interfaces.logs import LogService
from idl_like_interfaces.mapping import ObjectAdapter, make_incarnation, narrow, release
from objects.messaging.log_service import LogServiceServant
from objects.messaging.log_store import SqliteLogStore

_LETTERS = "abcdefghijklmnop"
_TICK_S = 0.01
_DRAIN_S = 60.0


def word(number: int) -> str:
    """Return a number in letters: texts that differ in numbers only would be folded."""
    return "".join(_LETTERS[int(digit, 16)] for digit in f"{number:05x}")


class Server(ExitStack):
    """The log service over a new store; says its URI."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        adapter = self.enter_context(ObjectAdapter())
        self._store = SqliteLogStore(Path(folder) / "log.sqlite")
        self.callback(self._store.close)
        servant = LogServiceServant(self._store)
        self.callback(servant.close)
        self.hello = adapter.activate(servant, LogService, "log")

    def stored(self) -> int:
        """Return how many records it has."""
        return self._store.stats().records


class Program(ExitStack):
    """A program that logs through one handler; the base of those of both sides."""

    hello = ""

    def __init__(self) -> None:
        super().__init__()
        self._logger = logging.getLogger("bench.daq")
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        self._records = 0

    @abstractmethod
    def waiting(self) -> int:
        """Return how many records are on their way."""

    def log(self, rate: float, records: int) -> dict[str, float]:
        """Log so many records at a rate.

        Returns:
            ``call_us``: what a record took its program; ``rate``; ``waiting``: the most records
            that were on their way at any time.
        """
        pause, clock, info = threading.Event(), time.monotonic, self._logger.info
        began, most, sent, inside = clock(), 0, 0, 0.0
        while sent < records:
            due = min(records, round(rate * (clock() - began)))
            entered = clock()
            for _ in range(sent, due):
                self._records += 1
                info("frame %s of chip %d is merged", word(self._records), 1)
            inside += clock() - entered
            sent = due
            most = max(most, self.waiting())
            # The time itself is awaited: a steady rate has nothing else.
            pause.wait(_TICK_S)
        return {
            "call_us": 1e6 * inside / records,
            "rate": records / (clock() - began),
            "waiting": most,
        }


class Forwarding(Program):
    """Its handler forwards to the log service."""

    def __init__(self, uri: str) -> None:
        super().__init__()
        service = narrow(uri, LogService)
        self.callback(release, service)
        self._handler = LogForwarder(service, "bench", make_incarnation())
        self.callback(self._handler.close)
        self._logger.addHandler(self._handler)

    @override
    def waiting(self) -> int:
        counters = self._handler.counters
        return counters.produced - counters.acknowledged - counters.dropped

    def drain(self) -> float:
        """Return how long it takes until the service has all, in seconds."""
        began = time.monotonic()
        self._handler.drain(_DRAIN_S)
        return time.monotonic() - began


class Writing(Program):
    """Its handler writes a file, as programs do without us."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        handler = logging.FileHandler(Path(folder) / "bench.log")
        form = "%(asctime)s %(levelname)s %(name)s %(message)s"
        handler.setFormatter(logging.Formatter(form))
        self.callback(handler.close)
        self._logger.addHandler(handler)

    @override
    def waiting(self) -> int:
        return 0
