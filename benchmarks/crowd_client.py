"""The crowd: connections that do nothing, and as many that wait in a long-poll."""

from __future__ import annotations

import time
from contextlib import ExitStack

from benchmarks.latency import allow_many_files
from benchmarks.raw import DEADLINE_S, RawConnection

_SPARE_S = 10.0


class Crowd(ExitStack):
    """All of it in one process, without a thread for anybody."""

    hello = ""

    def __init__(self, uri: str, whose: str) -> None:
        super().__init__()
        allow_many_files()
        self._uri = uri
        self._is_ours = whose == "ours"
        self._waiting: list[RawConnection] = []

    def gather(self, count: int) -> float:
        """Connect so many of both kinds; return in how many seconds."""
        began = time.perf_counter()
        for _ in range(count):
            self._connect()
            waiting = self._connect()
            waiting.request("wait", DEADLINE_S, left_s=DEADLINE_S + _SPARE_S)
            self._waiting.append(waiting)
        return time.perf_counter() - began

    def hear(self) -> float:
        """Wait until the last long-poll has its reply; return the monotonic time."""
        for each in self._waiting:
            each.receive()
        return time.monotonic()

    def _connect(self) -> RawConnection:
        return self.enter_context(RawConnection(self._uri, is_ours=self._is_ours))
