"""What is known of an alarm, and the moment at which something happens to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from idl_like_interfaces.alarms import Alarm, Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Now: the date for stamps, and seconds that never jump for intervals."""

    utc: datetime
    monotonic: float

    def ago(self, time: datetime | None) -> float:
        """Return the monotonic time of a past or future date."""
        return (
            self.monotonic if time is None else self.monotonic - (self.utc - time).total_seconds()
        )


class Flags(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What decides beside what everybody sees of an alarm; goes to disk with it.

    Attributes:
        latched: It stays bad until it is acknowledged.
        acknowledged: Somebody has taken note, and nobody took that back.
        pending: The condition holds, and nobody was told yet.
        shown: A display has shown it.
        incarnation: Start of the component that reported it last.
        number: That component's number of the last report.
        announcements: How often it was announced as a reason to pause a run.
    """

    latched: bool = False
    acknowledged: bool = False
    pending: bool = False
    shown: bool = False
    incarnation: str = ""
    number: int = 0
    announcements: int = 0


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm with all that decides.

    Attributes:
        alarm: As everybody sees it.
        flags: What decides beside.
        began_at: Monotonic time at which the condition began last.
        ended_at: The same of its end.
        shelf_ends_at: The same of the end of its shelving.
        begins: The same of its last begins, at most ``CHATTER_COUNT``.
    """

    alarm: Alarm
    flags: Flags
    began_at: float
    ended_at: float
    shelf_ends_at: float = 0.0
    begins: tuple[float, ...] = ()

    @property
    def stands(self) -> bool:
        """It is not over for who looks at it."""
        is_told = self.alarm.is_active and not self.flags.pending
        return is_told or self.flags.latched or self.alarm.is_chattering


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A condition after something happened, what of it is history, and what was said."""

    condition: Condition
    change: Change | None = None
    by: str = ""
    text: str = ""


def revived(alarm: Alarm, flags: Flags, at: Moment) -> Condition:
    """Return a condition that was read from disk; its intervals go on."""
    began_at = min(at.monotonic, at.ago(alarm.raised))
    return Condition(
        alarm=alarm,
        flags=flags,
        began_at=began_at,
        ended_at=min(at.monotonic, at.ago(alarm.cleared)) if alarm.cleared else began_at,
        shelf_ends_at=at.ago(alarm.until),
    )
