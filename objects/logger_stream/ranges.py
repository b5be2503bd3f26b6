"""Which file of a stream gets a record, when a file is full, and when a full one closes.

Pure decisions: no file is touched here, and the time is passed in. The events of a stream are
counted in *units*: luminosity blocks, or groups of event numbers. Each unit belongs to one
file, and files own neighbouring units: a full file owns all up to the greatest unit that was
in it when it became full, the open one owns everything beyond. So the events of one unit are
in one file, in whatever order they come.

=======  ==========================================  ==========================================
state    takes                                       ends when
=======  ==========================================  ==========================================
OPEN     units beyond those of all full files        it has ``max_bytes`` or ``max_events``, or
                                                     is ``max_s`` old: END
END      late events of its own units                a newer unit has come and ``range_grace_s``
                                                     are over: CLOSED
CLOSED   nothing; late events are garbage            never
=======  ==========================================  ==========================================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from idl_like_interfaces.event_logger import RangeUnit, WrittenFile
from objects.logger_stream.rules import Rules

GARBAGE: Final = -1
"""Number of the slot of events whose file is closed."""

Units: TypeAlias = npt.NDArray[np.integer[Any]]
Rows: TypeAlias = npt.NDArray[np.intp]

MAX_BYTES = "maxBytes"
MAX_EVENTS = "maxEvents"
MAX_S = "maxS"
LARGE_EVENT = "an event larger than maxBytes comes"


@dataclass(slots=True)
class Slot:
    """What a file owns; the file itself may be replaced by another when it fails.

    Attributes:
        number: Counts the slots of a stream.
        opened_at: When its present file was begun, monotonic seconds.
        events: In its present file.
        bytes: Of these.
        top: Greatest unit in it; -1: none.
        end: Why it is full; empty: it is open.
        newer_at: When the first event of a newer slot came, monotonic seconds; None: none has.
    """

    number: int
    opened_at: float
    events: int = 0
    bytes: int = 0
    top: int = -1
    end: str = ""
    newer_at: float | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Some records of a portion that go to one slot, in their order.

    Attributes:
        slot: Its number, or ``GARBAGE``.
        rows: Which records; ``None``: all of the portion.
    """

    slot: int
    rows: Rows | None


def unit_of(event: int, lbn: int, rules: Rules) -> int:
    """Return to which unit an event belongs."""
    if rules.range_unit is RangeUnit.LBN:
        return lbn
    return max(event - 1, 0) // rules.range_size


def units_of(index: npt.NDArray[np.void], rules: Rules) -> Units:
    """Return the unit of each row of an index of records, in signed numbers."""
    if rules.range_unit is RangeUnit.LBN:
        return index["lbn"].astype(np.int64)
    return (np.maximum(index["event"].astype(np.int64), 1) - 1) // rules.range_size


def last_unit_of(file: WrittenFile, rules: Rules) -> int:
    """Return the greatest unit in a file; -1: there is none."""
    return unit_of(file.last_event, file.last_lbn, rules) if file.events else -1


class Ranges:
    """The slots of one stream.

    Args:
        rules: When a file is full, and how long it waits for late events.

    Attributes:
        oversized: Events that were larger than a file may be.
    """

    def __init__(self, rules: Rules) -> None:
        self.oversized = 0
        self._rules = rules
        self._next = 0
        self._closed = -1
        self._ends: list[Slot] = []
        self._open: Slot | None = None

    @property
    def open(self) -> Slot | None:
        """The slot that takes new units; None: the next event begins one."""
        return self._open

    @property
    def live(self) -> list[Slot]:
        """All slots that take events: those that are full, and the open one behind them."""
        return [*self._ends, self._open] if self._open else list(self._ends)

    def take_up(self, top: int, events: int, octets: int, now: float, *, is_end: bool) -> Slot:
        """Go on with a slot that a start before this one has left; in the order of their units."""
        slot = self._new(now)
        slot.top, slot.events, slot.bytes = top, events, octets
        if is_end:
            self._finish("it was full before a restart")
        return slot

    def closed_up_to(self, unit: int) -> None:
        """Take note that a closed file owns all units up to this one."""
        self._closed = max(self._closed, unit)

    def place(self, units: Units, sizes: Units, now: float) -> list[Placement]:
        """Decide where the records of a portion go, and end the files that become full by them.

        Args:
            units: Of each record.
            sizes: Its bytes.
            now: Monotonic seconds.
        """
        if not len(units):
            return []
        if self._fits_whole(units, sizes):
            slot = self._open or self._new(now)
            self._add(slot, units, sizes)
            return [Placement(slot.number, None)]
        return list(self._split(units, sizes, now))

    def age(self, now: float) -> Slot | None:
        """End the open slot when its file is too old; return it."""
        slot, most = self._open, self._rules.max_s
        if slot is None or most is None or now - slot.opened_at < most:
            return None
        return self.end_open(MAX_S)

    def end_open(self, reason: str) -> Slot | None:
        """End the open slot, for a reason of the caller; return it."""
        return self._finish(reason) if self._open else None

    def due(self, now: float) -> list[Slot]:
        """Close the full slots whose time is over, and return them."""
        due = [slot for slot in self._ends if self._closes_at(slot) <= now]
        for slot in due:
            self._closed = max(self._closed, slot.top)
        self._ends = [slot for slot in self._ends if slot not in due]
        return due

    def next_due(self) -> float | None:
        """Return when the next slot ends by its age or closes; None: none will by itself."""
        times = [self._closes_at(slot) for slot in self._ends]
        if self._open and self._rules.max_s is not None:
            times.append(self._open.opened_at + self._rules.max_s)
        least = min(times, default=np.inf)
        return None if least == np.inf else least

    def renewed(self, number: int, now: float) -> None:
        """Take note that the file of a slot failed and another one goes on for it."""
        for slot in self.live:
            if slot.number == number:
                slot.events = slot.bytes = 0
                slot.opened_at = now

    def _closes_at(self, slot: Slot) -> float:
        return np.inf if slot.newer_at is None else slot.newer_at + self._rules.range_grace_s

    @property
    def _bound(self) -> int:
        """The greatest unit that a file owns which is not open."""
        return max(self._closed, self._ends[-1].top if self._ends else -1)

    def _new(self, now: float) -> Slot:
        self._open = Slot(self._next, now)
        self._next += 1
        for slot in self._ends:
            if slot.newer_at is None:
                slot.newer_at = now
        return self._open

    def _finish(self, reason: str) -> Slot:
        slot = self._open
        assert slot is not None
        slot.end = reason
        # Whatever a file of few units has in it: what is owned already stays owned.
        slot.top = max(slot.top, self._bound)
        self._ends.append(slot)
        self._open = None
        return slot

    def _fits_whole(self, units: Units, sizes: Units) -> bool:
        """Tell whether all goes to the open slot, without filling it: the common case."""
        if int(units.min()) <= self._bound:
            return False
        slot, rules = self._open, self._rules
        events, octets = (slot.events, slot.bytes) if slot else (0, 0)
        if rules.max_events is not None and events + len(units) >= rules.max_events:
            return False
        return rules.max_bytes is None or octets + int(sizes.sum()) < rules.max_bytes

    def _split(self, units: Units, sizes: Units, now: float) -> Iterator[Placement]:
        late = units <= self._bound
        yield from self._place_late(units, sizes, np.flatnonzero(late))
        rest = np.flatnonzero(~late)
        while len(rest):
            slot = self._open or self._new(now)
            count, reason = self._fill(slot, units[rest], sizes[rest])
            if count:
                taken = rest[:count]
                self._add(slot, units[taken], sizes[taken])
                yield Placement(slot.number, taken)
            rest = rest[count:]
            if reason:
                self._finish(reason)
                late = units[rest] <= slot.top
                yield from self._place_late(units, sizes, rest[late])
                rest = rest[~late]

    def _place_late(self, units: Units, sizes: Units, rows: Rows) -> Iterator[Placement]:
        """Place records whose units belong to files that are not open."""
        if not len(rows):
            return
        tops = [self._closed, *(slot.top for slot in self._ends)]
        owners = np.searchsorted(tops, units[rows], side="left")
        for owner in np.unique(owners).tolist():
            own = rows[owners == owner]
            if not owner:
                yield Placement(GARBAGE, own)
                continue
            slot = self._ends[owner - 1]
            self._add(slot, units[own], sizes[own])
            yield Placement(slot.number, own)

    def _add(self, slot: Slot, units: Units, sizes: Units) -> None:
        slot.events += len(units)
        slot.bytes += int(sizes.sum())
        slot.top = max(slot.top, int(units.max()))

    def _fill(self, slot: Slot, units: Units, sizes: Units) -> tuple[int, str]:
        """Return how many leading records go to the open slot, and why it is full then."""
        count, reason = len(units), ""
        most_bytes, most_events = self._rules.max_bytes, self._rules.max_events
        if most_events is not None and slot.events + count >= most_events:
            count, reason = max(0, most_events - slot.events), MAX_EVENTS
        if most_bytes is None:
            return count, reason
        ends = slot.bytes + np.cumsum(sizes, dtype=np.int64)
        full = int(np.searchsorted(ends, most_bytes, side="left")) + 1
        if slot.bytes >= most_bytes:
            full = 0
        if full <= count:
            count, reason = full, MAX_BYTES
        return self._before_large(slot, units, sizes[:count], (count, reason))

    def _before_large(
        self, slot: Slot, units: Units, sizes: Units, found: tuple[int, str]
    ) -> tuple[int, str]:
        """Stop before an event that is larger than a file, so that it has one of its own.

        Unless its unit is begun already: that has to stay together.
        """
        large = np.flatnonzero(sizes > (self._rules.max_bytes or np.inf))
        if not len(large):
            return found
        at = int(large[0])
        before = max(slot.top, int(units[:at].max(initial=-1)))
        if (slot.events or at) and int(units[at]) > before:
            return at, LARGE_EVENT
        self.oversized += 1
        return found
