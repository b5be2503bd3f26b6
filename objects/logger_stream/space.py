"""How much room is left on a volume, judged; and when it will be full."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from idl_like_interfaces.event_logger import StreamStatus

LEAVING: Final = 1.2
"""A level is left when there is so many times its threshold free: it does not flicker."""

WINDOW_S: Final = 60.0
"""The forecast goes by what became of the room in the last minute."""

_LEAST_WINDOW_S: Final = 2.0


class Level(IntEnum):
    """How little room there is."""

    OK = 0
    WARNING = 1
    """People should know."""
    PAUSE = 2
    """New files go elsewhere; when there is no elsewhere, run control should pause."""
    CLOSE = 3
    """Files are closed, and nothing is written."""

    @property
    def word(self) -> str:
        """How a status calls it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Parts of a volume (0 to 1); with less than so much free its level is reached."""

    warning: float = 0.10
    pause: float = 0.05
    close: float = 0.02

    def of(self, level: Level) -> float:
        """Return the threshold of a level."""
        return {Level.WARNING: self.warning, Level.PAUSE: self.pause, Level.CLOSE: self.close}.get(
            level, 1.0
        )


def judge(free: float, present: Level, thresholds: Thresholds) -> Level:
    """Return the level of a volume.

    Args:
        free: Part that is free.
        present: Its level till now: it is left only when there is clearly more room.
        thresholds: Of the levels.
    """
    for level in (Level.CLOSE, Level.PAUSE, Level.WARNING):
        threshold = thresholds.of(level)
        if free < (threshold * LEAVING if present >= level else threshold):
            return level
    return Level.OK


class Forecast:
    """Tells from the room that there was when there will be none."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now: float, free_bytes: int) -> None:
        """Take note of the room at a time, monotonic seconds."""
        self._seen.append((now, free_bytes))
        while now - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()

    def full_in_s(self, least_bytes: float) -> float | None:
        """Return after how many seconds only so many bytes are free; None: it does not fill."""
        if len(self._seen) < 2:  # noqa: PLR2004 (a rate needs two)
            return None
        (then, before), (now, free) = self._seen[0], self._seen[-1]
        if now - then < _LEAST_WINDOW_S or free >= before:
            return None
        return max(0.0, free - least_bytes) * (now - then) / (before - free)


def fullest(streams: Iterable[StreamStatus], volume: str) -> str:
    """Return the stream that writes most to a volume; empty: none writes to it."""
    own = [each for each in streams if each.volume == volume and each.bytes_s > 0]
    return max(own, key=lambda each: each.bytes_s).name if own else ""


def in_words(full_in_s: float) -> str:
    """Say when a volume is full: ``full in 42 min``."""
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if full_in_s >= 2 * size:
            return f"full in {full_in_s / size:.0f} {unit}"
    return f"full in {full_in_s:.0f} s"
