"""When acquisitions that are stuck are tried again without anybody asking for it."""

from __future__ import annotations

from dataclasses import dataclass

from objects.component.clock import Clock

LONGEST_S = 300.0
"""However long it lasts: after that it is looked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    until: float
    pause_s: float


class Patience:
    """Doubles the pause before each further try of the same acquisition.

    Args:
        clock: The time.
        first_s: The first pause; 0: nothing is tried again.
    """

    def __init__(self, clock: Clock, first_s: float) -> None:
        self._clock = clock
        self._first_s = first_s
        self._waits: dict[str, _Wait] = {}

    def note_failure(self, id: str) -> None:
        """Plan another try."""
        if self._first_s:
            before = self._waits.get(id)
            pause_s = min(2 * before.pause_s, LONGEST_S) if before else self._first_s
            until = self._clock.monotonic() + pause_s
            self._waits[id] = _Wait(until=until, pause_s=pause_s)

    def forget(self, id: str) -> None:
        """Plan none: it goes on, or somebody must act."""
        self._waits.pop(id, None)

    def due(self) -> list[str]:
        """Return what shall be tried now."""
        now = self._clock.monotonic()
        return [id for id, wait in self._waits.items() if wait.until <= now]
