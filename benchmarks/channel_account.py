"""What the parts of all channels share: the event that is sent, and the account of arrivals."""

from __future__ import annotations

from typing import Any

import msgspec

TOPIC = "daq/status"

SILENCE_S = 5.0
"""A consumer that has heard nothing for so long takes the rest for lost."""

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder().decode


def body(number: int) -> dict[str, Any]:
    """Return an event's body, about 100 bytes when it is encoded."""
    return {
        "number": number,
        "id": "STIS.2026-03-01T12:00:00.123",
        "state": "StateAcquiring",
        "substate": "Acquiring",
        "progress": 0.75,
        "source": "dcs1",
    }


def own_topics(count: int) -> list[str]:
    """Return so many topics."""
    return [f"{TOPIC}/{number}" for number in range(count)]


class Arrivals:
    """Counts the events of a run; each in its place counts, any other is lost.

    Attributes:
        expected: How many.
        arrived: Those that came in their place.
        strays: Events that came twice or out of order.
        lost_before: Number of the next event that should come.
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.arrived = 0
        self.strays = 0
        self.next = 0

    @property
    def is_complete(self) -> bool:
        """Tell whether the last event has come."""
        return self.next >= self.expected

    def take(self, number: int) -> None:
        """Book an event by the number in its body."""
        if number >= self.next:
            self.arrived += 1
            self.next = number + 1
        else:
            self.strays += 1

    def account(self, ended: float) -> dict[str, float]:
        """Return the run's account; ``ended`` is the monotonic time of the last event."""
        return {"ended": ended, "lost": self.expected - self.arrived, "strays": self.strays}
