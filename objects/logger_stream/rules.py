"""How a stream is written: its parameters, complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from idl_like_interfaces.event_logger import RangeUnit, StreamParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Parameters of a stream; what nobody has said is as here.

    Attributes:
        max_bytes: A file is full with so many bytes of records; ``None``: never by bytes.
        max_events: Or with so many events.
        max_s: Or at this age, seconds.
        flush_period_s: After so long at most what was written goes to the system.
        flush_bytes: Or when there is so much of it.
        sync_period_s: After so long at most it is durable.
        range_unit: Of what a file holds a contiguous range.
        range_size: Event numbers of one range, for the unit ``event``.
        range_grace_s: How long a full file waits for late events when newer ranges flow.
        queue_events: Events that wait for the stream's thread at most.
        queue_bytes: And their bytes.
    """

    max_bytes: int | None = 2 << 30
    max_events: int | None = None
    max_s: float | None = None
    flush_period_s: float = 1.0
    flush_bytes: int = 4 << 20
    sync_period_s: float = 5.0
    range_unit: RangeUnit = RangeUnit.LBN
    range_size: int = 10_000
    range_grace_s: float = 10.0
    queue_events: int = 20_000
    queue_bytes: int = 64 << 20

    @classmethod
    def of(cls, parameters: StreamParameters) -> Self:
        """Return the rules of a stream; a parameter that is ``None`` leaves what stands here."""
        said = {name: getattr(parameters, name) for name in cls.__slots__}
        return cls(**{name: value for name, value in said.items() if value is not None})
