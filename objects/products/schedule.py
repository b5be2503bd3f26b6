"""What may start next: first in, first out, within the limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from idl_like_interfaces.daqif import DaqSubstate


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may go on at once; 0: no limit.

    Attributes:
        daq: Acquisitions between Collecting and their end.
        merge: Mergers.
    """

    daq: int
    merge: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An acquisition in the queue.

    Attributes:
        id: The acquisition.
        substate: Where it is.
        stuck: It waits for a retry.
        admitted: It takes one of the places of ``limits.daq``.
        busy: A step of it is under way.
    """

    id: str
    substate: DaqSubstate
    stuck: bool = False
    admitted: bool = False
    busy: bool = False


def plan(queue: Sequence[Entry], limits: Limits, free_workers: int) -> list[str]:
    """Return the acquisitions whose next step starts now, in the order of the queue.

    One that is stuck holds no place: a missing file must not stop a night. Aborting
    needs no place.
    """
    started: list[str] = []
    room = _Room.of(queue, limits)
    for entry in queue:
        if len(started) >= free_workers:
            break
        if entry.busy or entry.stuck:
            continue
        room, admitted = room.admit(entry)
        if not admitted or (_merges(entry) and not room.merges):
            continue
        room = room.take(entry)
        started.append(entry.id)
    return started


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """What the limits leave."""

    daqs: float
    merges: float

    @classmethod
    def of(cls, queue: Sequence[Entry], limits: Limits) -> _Room:
        admitted = sum(entry.admitted for entry in queue)
        merging = sum(entry.busy and _merges(entry) for entry in queue)
        return cls(
            daqs=max(0, (limits.daq or float("inf")) - admitted),
            merges=max(0, (limits.merge or float("inf")) - merging),
        )

    def admit(self, entry: Entry) -> tuple[_Room, bool]:
        if entry.admitted or entry.substate is DaqSubstate.ABORTING:
            return self, True
        if not self.daqs:
            return self, False
        # One that then waits for a merger has its place all the same: first in, first out.
        return replace(self, daqs=self.daqs - 1), True

    def take(self, entry: Entry) -> _Room:
        return replace(self, merges=self.merges - 1) if _merges(entry) else self


def _merges(entry: Entry) -> bool:
    return entry.substate is DaqSubstate.MERGING
