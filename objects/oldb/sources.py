"""Who writes into the online database, in which start, and whether it lives: decided here.

| state    | a sign of life  | 3 s without one | says that it stops |
|----------|-----------------|-----------------|--------------------|
| unknown  | living          | silent          | stopped            |
| living   | living          | silent          | stopped            |
| silent   | living          | silent          | stopped            |
| stopped  | stopped         | stopped         | stopped            |

A new start of a source is unknown first. Only sources that have a heartbeat are judged.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

SILENT_AFTER_S = 3.0

MOST_STARTS = 16
_MOST_SOURCES = 10_000


class Life(StrEnum):
    """What is known of a source."""

    UNKNOWN = "unknown"
    LIVING = "living"
    SILENT = "silent"
    STOPPED = "stopped"


@dataclass(slots=True)
class _Source:
    """A source, its starts, the newest last."""

    starts: list[str] = field(default_factory=list)
    life: Life = Life.UNKNOWN
    beats: bool = False
    heard_at: float = 0.0


class Sources:
    """What the database knows of its sources; the time is passed in, monotonic seconds."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Source] = OrderedDict()

    def recall(self, starts: Iterable[tuple[str, str]], now: float) -> None:
        """Take over the starts of sources with a heartbeat, as they were known before."""
        for source, incarnation in starts:
            found = self._known.setdefault(source, _Source(beats=True, heard_at=now))
            found.starts.append(incarnation)

    def is_past(self, source: str, incarnation: str) -> bool:
        """Tell whether another start of the source has followed this one."""
        found = self._known.get(source)
        return found is not None and incarnation in found.starts[:-1]

    def is_trusted(self, source: str, incarnation: str) -> bool:
        """Tell whether what this start of a source writes now holds."""
        found = self._known.get(source)
        return found is None or found.life is not Life.STOPPED or incarnation != found.starts[-1]

    def living(self, source: str) -> str | None:
        """Return the start of a source whose values hold, ``None`` when there is none."""
        found = self._known.get(source)
        if found is None or not found.starts or found.life in (Life.SILENT, Life.STOPPED):
            return None
        return found.starts[-1]

    def beats(self, source: str) -> bool:
        """Tell whether the source ever had a heartbeat; one without is never judged."""
        found = self._known.get(source)
        return found is not None and found.beats

    def starts(self, source: str) -> list[str]:
        """Return the known starts of a source, the newest last."""
        found = self._known.get(source)
        return [] if found is None else list(found.starts)

    def hear(
        self,
        source: str,
        incarnation: str,
        now: float,
        *,
        is_beat: bool = False,
        is_last: bool = False,
    ) -> bool:
        """Take note of a sign of life; tell whether values of the source must be judged anew.

        Args:
            source: Of whom.
            incarnation: Of which start.
            now: The time.
            is_beat: It is a heartbeat; else a write.
            is_last: It says that it stops.
        """
        if not incarnation or self.is_past(source, incarnation):
            return False
        found = self._found(source)
        is_new = self._begin(found, incarnation)
        is_first_beat = is_beat and not found.beats
        found.beats = found.beats or is_beat
        found.heard_at = now
        before = found.life
        if is_last:
            found.life = Life.STOPPED
        elif found.life is not Life.STOPPED:
            found.life = Life.LIVING
        return found.beats and (is_new or is_first_beat or found.life is not before)

    def fallen_silent(self, now: float) -> list[str]:
        """Return the sources that have given no sign of life for too long, each once."""
        silent = [
            name
            for name, each in self._known.items()
            if each.beats
            and each.life in (Life.UNKNOWN, Life.LIVING)
            and now - each.heard_at >= SILENT_AFTER_S
        ]
        for name in silent:
            self._known[name].life = Life.SILENT
        return silent

    def wait_anew(self, now: float) -> None:
        """Give each source its time again: until now nobody could hear it."""
        for each in self._known.values():
            each.heard_at = now

    def _found(self, source: str) -> _Source:
        found = self._known.setdefault(source, _Source())
        self._known.move_to_end(source)
        while len(self._known) > _MOST_SOURCES:
            self._known.popitem(last=False)
        return found

    @staticmethod
    def _begin(found: _Source, incarnation: str) -> bool:
        if found.starts and found.starts[-1] == incarnation:
            return False
        found.starts.append(incarnation)
        del found.starts[:-MOST_STARTS]
        found.life = Life.UNKNOWN
        return True
