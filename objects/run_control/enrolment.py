"""Who has made itself known, and which orders it gets (pure but for the clock)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from idl_like_interfaces.run_configuration import Writer
from idl_like_interfaces.run_control import Member, Orders, Phase
from objects.component.clock import Clock
from objects.run_control.records import RunRecord

PRESENT_S = 15.0
"""So long after its last word a member counts as present."""


class Enrolment:
    """The members; any thread may call it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._members: dict[str, tuple[Member, float]] = {}

    def take(self, member: Member) -> Member | None:
        """Note a member; return what it said before, when it was present."""
        now = self._clock.monotonic()
        with self._lock:
            before = self._members.get(member.name)
            self._members[member.name] = member, now
        return before[0] if before is not None and now - before[1] < PRESENT_S else None

    def present(self) -> list[Member]:
        """Return who was heard lately, by name; who was not is forgotten."""
        now = self._clock.monotonic()
        with self._lock:
            self._members = {
                name: each for name, each in self._members.items() if now - each[1] < PRESENT_S
            }
            return [each for _, (each, _) in sorted(self._members.items())]

    def writing(self, writers: Iterable[Writer]) -> list[str]:
        """Return the names of the members that are these writers."""
        references = {each.reference for each in writers}
        return [each.name for each in self.present() if each.control in references]


def orders_for(member: Member, find: Callable[[int], RunRecord | None], fence: int) -> Orders:
    """Return which runs of a member go on.

    A run that run control does not know stands in no list: it was started by hand.
    """
    by_phase: dict[str, list[int]] = {"active": [], "paused": [], "ended": [], "aborted": []}
    for number in sorted({*member.runs, *member.restored}):
        record = find(number)
        if record is None:
            continue
        match record.phase:
            case Phase.ENDED:
                by_phase["ended"].append(number)
            case Phase.ABORTING | Phase.ABORTED:
                by_phase["aborted"].append(number)
            case Phase.PAUSED:
                by_phase["active"].append(number)
                by_phase["paused"].append(number)
            case Phase.STARTING | Phase.ACTIVE | Phase.ENDING:
                by_phase["active"].append(number)
    return Orders(**by_phase, fence=fence)
