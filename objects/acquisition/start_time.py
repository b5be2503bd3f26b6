"""When an acquisition shall begin: which times can be kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from objects.acquisition.refusals import refusal
from objects.acquisition.specification import Plan

LATE = timedelta(seconds=1)
"""So far in the past it may lie when the command arrives: sources allow for that, too."""


def check_start_time(plan: Plan, now: datetime) -> None:
    """Refuse a time that no source could keep; before anything is asked of one.

    Raises:
        DaqException: It is in the past, or there is no source that would wait for it.
    """
    if plan.start_time is None:
        return
    if not plan.primaries:
        raise refusal(
            plan.id,
            "startTime is given, and there is no primary source that could begin then",
            cause="metadata sources begin at once and accompany the primary ones",
            remedy="leave startTime out, or add a primary source",
        )
    late = now - plan.start_time
    if late > LATE:
        raise refusal(
            plan.id,
            f"startTime {plan.start_time.isoformat()} is {late.total_seconds():.1f} s in the past",
            cause="the command came late, or the clocks of client and server differ",
            remedy="give a later time; compare the clocks",
        )


def age_of(creation: datetime, plan: Plan, now: datetime) -> timedelta:
    """Return how old an acquisition is: one that waits for its time is not older for that."""
    return now - max(creation, plan.start_time or creation)
