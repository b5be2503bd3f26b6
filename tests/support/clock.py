"""A clock that a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from typing_extensions import override

from objects.component.clock import Clock


class ManualClock(Clock):
    """Stands still until it is advanced."""

    def __init__(self, start: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self._utc = start
        self._monotonic = 1000.0

    @override
    def utc(self) -> datetime:
        return self._utc

    @override
    def monotonic(self) -> float:
        return self._monotonic

    def set_utc(self, utc: datetime) -> None:
        """Set the clock, as somebody may do with that of a host; no time passes."""
        self._utc = utc

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._utc += timedelta(seconds=seconds)
        self._monotonic += seconds
