"""What a daemon remembers of calls: how they went, and which it has seen."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import OrderedDict
from datetime import UTC, datetime

from idl_like_interfaces.object import OperationStatistics, Statistics

BOUNDS_S = tuple(64e-6 * 2**power for power in range(20))
"""Upper bounds of the histograms of latency: 64 us to 34 s, each twice the one before."""

_WINDOW = 256
"""Numbers of calls of one stub that may overtake each other."""

_CALLERS = 10_000
"""Stubs whose calls are remembered; the one that was silent for longest is forgotten."""


class Tally:
    """Counts the calls of one operation; from any thread.

    Attributes:
        name: The operation.
    """

    __slots__ = ("_counts", "_lock", "_numbers", "_running", "_total_s", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._numbers = dict.fromkeys(("calls", "refused", "failed", "dropped", "denied"), 0)
        self._running: set[object] = set()
        self._total_s = 0.0
        self._counts = [0] * (len(BOUNDS_S) + 1)

    def begin(self, call: object) -> None:
        """Count a call that begins to be executed."""
        self._running.add(call)

    def end(self, call: object, elapsed_s: float, ending: str = "") -> None:
        """Count a call that was executed.

        Args:
            call: As it began.
            elapsed_s: From its arrival.
            ending: ``refused`` or ``failed``; empty: well.
        """
        place = bisect_left(BOUNDS_S, elapsed_s)
        self._running.discard(call)
        with self._lock:
            self._numbers["calls"] += 1
            if ending:
                self._numbers[ending] += 1
            self._total_s += elapsed_s
            self._counts[place] += 1

    def forget(self, call: object) -> None:
        """Count a call that nobody waits for any more."""
        self._running.discard(call)
        self.drop()

    def drop(self, kind: str = "dropped") -> None:
        """Count a call that was not executed: ``dropped`` or ``denied``."""
        with self._lock:
            self._numbers[kind] += 1

    def show(self) -> OperationStatistics:
        """Return the numbers."""
        with self._lock:
            return OperationStatistics(
                name=self.name,
                in_progress=len(self._running),
                total_s=self._total_s,
                counts=list(self._counts),
                **self._numbers,
            )


class CallBook:
    """The tallies of one object."""

    def __init__(self) -> None:
        self._since = datetime.now(UTC)
        self._tallies: dict[str, Tally] = {}

    def of(self, operation: str) -> Tally:
        """Return the tally of an operation that is declared."""
        tally = self._tallies.get(operation)
        if tally is None:
            tally = self._tallies.setdefault(operation, Tally(operation))
        return tally

    def show(self) -> Statistics:
        """Return the numbers of all operations that were called."""
        tallies = sorted(dict(self._tallies).values(), key=lambda each: each.name)
        return Statistics(
            since=self._since,
            bounds_s=list(BOUNDS_S),
            operations=[each.show() for each in tallies],
        )


class SeenCalls:
    """Which calls were taken already, by the id that their stub gave them.

    Of each stub the last numbers are known one by one; older ones count as seen. Who sends
    from another address, or with another certificate, is another caller, whatever id it gives.
    """

    def __init__(self, window: int = _WINDOW, callers: int = _CALLERS) -> None:
        self._window = window
        self._mask = (1 << window) - 1
        self._callers = callers
        self._lock = threading.Lock()
        self._highest: OrderedDict[tuple[str, str, int], tuple[int, int]] = OrderedDict()

    def is_new(self, address: str, identity: str, caller: int, number: int) -> bool:
        """Take note of a call; tell whether it comes for the first time."""
        key = (address, identity, caller)
        with self._lock:
            highest, bits = self._highest.get(key, (0, 0))
            ahead = number - highest
            if ahead <= -self._window or (ahead <= 0 and bits >> -ahead & 1):
                return False
            if ahead > 0:
                bits = (bits << ahead | 1) & self._mask if ahead < self._window else 1
                highest = number
            else:
                bits |= 1 << -ahead
            self._highest[key] = (highest, bits)
            self._highest.move_to_end(key)
            if len(self._highest) > self._callers:
                self._highest.popitem(last=False)
            return True
