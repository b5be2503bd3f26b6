"""How often alarms come: counted by the minute for a day, in a bounded memory."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec

from idl_like_interfaces.alarm_statistics import Offender

DAY_MINUTES = 24 * 60
WINDOW_MINUTES = 10
MOST_OFFENDERS = 10
MOST_KEYS = 2000
"""Kinds of alarms that are counted apart in an hour; the rest counts together, nameless."""


class Tally(msgspec.Struct, kw_only=True):
    """What is counted; goes to disk with a snapshot.

    Attributes:
        minutes: Begins in each minute since 1970 UTC.
        hours: For each hour the begins of each object and name.
    """

    minutes: dict[int, int] = msgspec.field(default_factory=dict)
    hours: dict[int, dict[str, int]] = msgspec.field(default_factory=dict)


class Rates:
    """Counts the begins of conditions."""

    def __init__(self, tally: Tally | None = None) -> None:
        self.tally = tally or Tally()

    def count(self, object: str, name: str, now: datetime) -> None:
        """Count the begin of a condition."""
        minute = _minute(now)
        minutes = self.tally.minutes
        minutes[minute] = minutes.get(minute, 0) + 1
        keys = self.tally.hours.setdefault(minute // 60, {})
        key = f"{object}\n{name}"
        if key not in keys and len(keys) >= MOST_KEYS:
            key = "\n"
        keys[key] = keys.get(key, 0) + 1
        if len(minutes) > DAY_MINUTES or len(self.tally.hours) > DAY_MINUTES // 60 + 1:
            self._forget(minute)

    def recent(self, now: datetime) -> int:
        """Return the begins of the last ten minutes."""
        minute = _minute(now)
        return sum(self.tally.minutes.get(minute - back, 0) for back in range(WINDOW_MINUTES))

    def peak(self, now: datetime) -> int:
        """Return the most begins within ten minutes of the last day."""
        minute = _minute(now)
        begins = [self.tally.minutes.get(minute - back, 0) for back in range(DAY_MINUTES)]
        total = most = sum(begins[:WINDOW_MINUTES])
        for place in range(WINDOW_MINUTES, DAY_MINUTES):
            total += begins[place] - begins[place - WINDOW_MINUTES]
            most = max(most, total)
        return most

    def offenders(self, now: datetime) -> list[Offender]:
        """Return what began most often within the last day, the most often first."""
        hour = _minute(now) // 60
        total: Counter[str] = Counter()
        for back in range(DAY_MINUTES // 60 + 1):
            total.update(self.tally.hours.get(hour - back, {}))
        del total["\n"]
        return [_offender(key, count) for key, count in total.most_common(MOST_OFFENDERS)]

    def _forget(self, minute: int) -> None:
        """Leave out what is older than a day, and what a wrong clock put into the future."""
        first = minute - DAY_MINUTES
        tally = self.tally
        tally.minutes = {at: n for at, n in tally.minutes.items() if first < at <= minute}
        tally.hours = {
            at: keys for at, keys in tally.hours.items() if first // 60 <= at <= minute // 60
        }


def _minute(now: datetime) -> int:
    return int(now.timestamp() // 60)


def _offender(key: str, count: int) -> Offender:
    object, _, name = key.partition("\n")
    return Offender(object=object, name=name, count=count)
