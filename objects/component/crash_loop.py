"""The alarm of a part that dies again and again."""

from __future__ import annotations

from datetime import datetime

from idl_like_interfaces.alarms import AlarmReport, Severity
from objects.component.restarts import ALARMING_DEATHS, RestartPlan

CRASH_LOOP = "crash loop"


def object_of(root: str, part: str) -> str:
    """Return what the alarm of a part is about."""
    return f"{root}/{part}"


def crash_loop(
    object: str, part: str, how: str, plan: RestartPlan, *, refusal: str, now: datetime
) -> AlarmReport:
    """Return the report.

    Args:
        object: What it is about.
        part: Who dies.
        how: How it died last.
        plan: What is done about it.
        refusal: What it said when it refused to start; empty: it did not.
        now: The time.
    """
    see = f"`obsorb log query --component {part} --level WARNING` and what `obsorb up` prints"
    return AlarmReport(
        object=object,
        name=CRASH_LOOP,
        severity=Severity.MAJOR,
        text=f"{part} died {_how_often(plan)}, at last: {how}"[:_LONGEST],
        cause=(refusal or "a bug in it, a lack of memory, or files that it cannot use")[:_LONGEST],
        remedy=f"see {see}; mended, it starts by itself, or at once with "
        f"`obsorb supervisor restart {part}`",
        time=now,
        subsystem="supervisor",
    )


def _how_often(plan: RestartPlan) -> str:
    if plan.recent_deaths >= ALARMING_DEATHS:
        return f"{plan.recent_deaths} times within a minute"
    return f"{plan.all_deaths} times within ten minutes"


_LONGEST = 4096
