"""Many clients at once: each calls as fast as it can for a while, and notes every latency."""

from __future__ import annotations

import math
import resource
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

Call = Callable[[], object]

WARM_UP_CALLS = 3

_US_OF_MS = 1000.0


def percentile(ordered: Sequence[float], part: float) -> float:
    """Return the least of some ordered values that so large a part of them does not exceed."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def percentiles_ms(latencies_us: Iterable[int]) -> dict[str, float]:
    """Return, in ms, what half (``p50``), 99 % (``p99``) and all (``worst``) do not exceed."""
    ordered = sorted(latencies_us) or [0]
    parts = {"p50": 0.5, "p99": 0.99, "worst": 1.0}
    return {name: percentile(ordered, part) / _US_OF_MS for name, part in parts.items()}


def allow_many_files() -> None:
    """Let this process open as many connections as the system allows it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def account(calls_us: list[list[int]], seconds: float) -> dict[str, Any]:
    """Return what a process of clients tells of a run: all latencies, and how long it took."""
    return {"latencies_us": [each for one in calls_us for each in one], "seconds": seconds}


class ThreadedClients(ExitStack):
    """Clients that call, each in a thread of its own; the base of those of every side.

    A part says in ``connected`` how one of them is made.
    """

    hello = ""

    def __init__(self) -> None:
        super().__init__()
        allow_many_files()
        self._calls: list[Call] = []

    def connected(self) -> Call:
        """Connect one more client and return its call."""
        raise NotImplementedError

    def adopt(self, call: Call) -> Call:
        """Make a client, that was connected in another thread, belong to this one."""
        return call

    def connect(self, count: int) -> int:
        """Connect until there are so many, and warm each of them up."""
        while len(self._calls) < count:
            call = self.connected()
            for _ in range(WARM_UP_CALLS):
                call()
            self._calls.append(call)
        return len(self._calls)

    def run(self, count: int, seconds: float) -> dict[str, Any]:
        """Let so many of the clients call for a while; see ``account``."""
        together = threading.Barrier(count + 1)
        latencies: list[list[int]] = [[] for _ in range(count)]
        threads = [
            threading.Thread(target=self._call, args=(call, together, seconds, own))
            for call, own in zip(self._calls[:count], latencies, strict=True)
        ]
        for thread in threads:
            thread.start()
        together.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        return account(latencies, time.perf_counter() - began)

    def _call(
        self, client: Call, together: threading.Barrier, seconds: float, latencies: list[int]
    ) -> None:
        call, clock = self.adopt(client), time.perf_counter
        together.wait()
        began = clock()
        until = began + seconds
        while began < until:
            call()
            ended = clock()
            latencies.append(round(1e6 * (ended - began)))
            began = ended
