"""Events of a stream that wait for a file: new ones, and those that a failed file did not keep."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from objects.logger_stream.live_file import Tail
from objects.logger_stream.records import Records


class Backlog:
    """A row of records, each with the slot of the file to which they belong.

    Ends of failed files are read back piece by piece, when nothing else waits: they take no memory.

    Args:
        lost: Told of an end that could not be read to the last event.
    """

    def __init__(self, lost: Callable[[Tail], None]) -> None:
        self._lost = lost
        self._work: deque[tuple[int, Records]] = deque()
        self._tails: deque[tuple[int, Tail, Iterator[Records]]] = deque()

    def __bool__(self) -> bool:
        return bool(self._work or self._tails)

    def put(self, slot: int, records: Records) -> None:
        """Add records behind all others."""
        self._work.append((slot, records))

    def put_back(self, slot: int, several: Sequence[Records]) -> None:
        """Add records before all others."""
        self._work.extendleft((slot, each) for each in reversed(several))

    def put_tail(self, slot: int, tail: Tail) -> None:
        """Add what can be read of the end of a failed file."""
        self._tails.append((slot, tail, tail.read()))

    def peek(self) -> tuple[int, Records] | None:
        """Return what comes next, with its slot; None: there is nothing."""
        while not self._work and self._tails:
            self._read_back()
        return self._work[0] if self._work else None

    def pop(self) -> None:
        """Take away what ``peek`` has returned."""
        self._work.popleft()

    def give_up(self) -> int:
        """Forget all; return how many events that are."""
        lost = sum(len(records) for _, records in self._work)
        lost += sum(tail.missing for _, tail, _ in self._tails)
        self._work.clear()
        self._tails.clear()
        return lost

    def _read_back(self) -> None:
        slot, tail, pieces = self._tails[0]
        records = next(pieces, None)
        if records is not None:
            self._work.append((slot, records))
            return
        self._tails.popleft()
        if tail.missing:
            self._lost(tail)
