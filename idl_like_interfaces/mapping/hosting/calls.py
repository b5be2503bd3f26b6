"""What a daemon remembers of calls: how they went, and which it has seen."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from datetime import UTC, datetime

from idl_like_interfaces.object import OperationStatistics, Statistics

BOUNDS_S = tuple(64e-6 * 2**power for power in range(20))
"""Upper bounds of the histograms of latency: 64 us to 34 s, each twice the one before."""

_GAPS = 512
"""So many calls of one stub may be overtaken by later ones, or be lost, until the oldest of
them counts as seen."""

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

    Of each stub the highest number is known, and which below it have not come: a call may
    wait for long while others of its stub overtake it. Who sends from another address, or
    with another certificate, is another caller, whatever id it gives.

    Args:
        gaps: Runs of numbers that have not come, of one stub; of more the lowest counts
            as seen.
        callers: Stubs that are remembered.
    """

    def __init__(self, gaps: int = _GAPS, callers: int = _CALLERS) -> None:
        self._most_bounds = 2 * gaps
        self._callers = callers
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str, int], _Known] = OrderedDict()

    def is_new(self, address: str, identity: str, caller: int, number: int) -> bool:
        """Take note of a call; tell whether it comes for the first time."""
        key = (address, identity, caller)
        with self._lock:
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = _Known()
                if len(self._known) > self._callers:
                    self._known.popitem(last=False)
            elif not known.is_new(number):
                return False
            else:
                self._known.move_to_end(key)
            known.add(number, self._most_bounds)
            return True


class _Known:
    """What is known of the calls of one stub."""

    __slots__ = ("bounds", "highest")

    def __init__(self) -> None:
        self.highest = -1
        # Of the runs that have not come: begin, behind the end, begin, and so on.
        self.bounds = array("Q")

    def is_new(self, number: int) -> bool:
        return number > self.highest or bisect_right(self.bounds, number) % 2 == 1

    def add(self, number: int, most_bounds: int) -> None:
        begin = self.highest + 1
        if number >= begin:
            self.highest = number
            if number > begin:
                self.bounds.extend((begin, number))
        else:
            self._fill(number)
        if len(self.bounds) > most_bounds:
            del self.bounds[:2]

    def _fill(self, number: int) -> None:
        """Take a number out of the run in which it is."""
        place = bisect_right(self.bounds, number)
        begin, end = self.bounds[place - 1], self.bounds[place]
        left = (begin, number) if begin < number else ()
        right = (number + 1, end) if number + 1 < end else ()
        self.bounds[place - 1 : place + 1] = array("Q", left + right)
