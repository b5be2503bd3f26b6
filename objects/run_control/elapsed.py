"""How long ago something was, by a clock that nobody sets; also over an end of this process."""

from __future__ import annotations

import math

from idl_like_interfaces.declare import Value
from objects.component.clock import Clock
from objects.messaging.disk_start import boot_id


class Stamp(Value, frozen=True, kw_only=True):
    """A moment that can be compared with later ones of the same start of the host.

    Attributes:
        boot: That start; empty: unknown.
        at_s: Of the monotonic clock, which counts from then.
    """

    boot: str = ""
    at_s: float = 0.0


def stamp(clock: Clock) -> Stamp:
    """Return this moment."""
    return Stamp(boot=boot_id(), at_s=clock.monotonic())


def elapsed_s(since: Stamp, clock: Clock) -> float:
    """Return how long ago a moment was; infinite when the host was started anew since, or it is unknown."""
    if not since.boot or since.boot != boot_id():
        return math.inf
    return max(0.0, clock.monotonic() - since.at_s)
