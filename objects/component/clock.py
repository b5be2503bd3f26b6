"""Time, passed in: every decision that depends on it takes a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

from typing_extensions import override


class Clock(Protocol):
    """The two times that a component needs."""

    def utc(self) -> datetime:
        """Return the date and time, aware, UTC."""

    def monotonic(self) -> float:
        """Return seconds that never jump, for intervals and deadlines."""


class SystemClock(Clock):
    """The time of the host."""

    @override
    def utc(self) -> datetime:
        return datetime.now(UTC)

    @override
    def monotonic(self) -> float:
        return time.monotonic()
