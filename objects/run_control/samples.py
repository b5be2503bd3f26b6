"""How a run went, second by second: thinned so that it stays small however long the run is."""

from __future__ import annotations

from idl_like_interfaces.declare import Finite, UtcTime, Value

MOST_SAMPLES = 1200
"""Of one run; then every second one goes, and they are taken half as often."""


class WriterSample(Value, frozen=True, kw_only=True):
    """A writer at a moment.

    Attributes:
        events: So far.
        bytes: So far.
        events_s: Rate, 1/s.
        bytes_s: The same of bytes.
        gaps: Messages that are missing so far.
        queued: Events that wait in it.
        is_lost: It does not answer.
    """

    events: int = 0
    bytes: int = 0
    events_s: Finite = 0.0
    bytes_s: Finite = 0.0
    gaps: int = 0
    queued: int = 0
    is_lost: bool = False


class Sample(Value, frozen=True, kw_only=True):
    """A run at a moment.

    Attributes:
        time: When.
        writers: By name.
        is_paused: The run was paused.
        alarms: Conditions that would pause it.
    """

    time: UtcTime
    writers: dict[str, WriterSample] = {}
    is_paused: bool = False
    alarms: int = 0


class Thinner:
    """Decides which samples are kept: at most ``most``, evenly spread.

    Args:
        kept: How many there are already (after a restart).
        stride: How many seconds one of them stands for.
        most: So many are kept at most.
    """

    def __init__(self, kept: int = 0, stride: int = 1, most: int = MOST_SAMPLES) -> None:
        self._most = most
        self.kept = kept
        self.stride = stride
        self._skipped = 0

    def wants(self) -> bool:
        """Tell whether the sample of this second is kept."""
        self._skipped += 1
        if self._skipped < self.stride:
            return False
        self._skipped = 0
        self.kept += 1
        return True

    @property
    def is_full(self) -> bool:
        """Tell whether every second one must go now."""
        return self.kept >= self._most

    def halve(self, left: int) -> None:
        """Every second one is gone; ``left`` are kept."""
        self.kept = left
        self.stride *= 2
