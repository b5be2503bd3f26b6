"""What an acquisition went through in the DPM: states with their times, alerts that are over."""

from __future__ import annotations

from itertools import pairwise

from msgspec.structs import replace

from idl_like_interfaces.daq_contributions import MOST_TOLD
from idl_like_interfaces.daqif import StoryAlert, StoryState
from objects.products.job import Entered, Job
from objects.products.progress import state_of


def with_history(old: Job | None, new: Job) -> Job:
    """Note what a change ends and begins; both stay bounded, however often it is retried."""
    changes = {}
    if old is None or old.substate is not new.substate:
        entry = Entered(substate=new.substate, time=new.changed_at)
        changes["entered"] = [*new.entered, entry][-MOST_TOLD:]
    if old is not None and old.alerts != new.alerts:
        over = [each for each in old.alerts if each not in new.alerts]
        known = [StoryAlert(alert=each, cleared=new.changed_at) for each in over]
        return replace(new, past_alerts=[*new.past_alerts, *known][-MOST_TOLD:], **changes)
    return replace(new, **changes)


def stays(job: Job) -> list[StoryState]:
    """Return how long it was in each state; the last one is not over."""
    times = [each.time for each in job.entered]
    durations = [max((end - begin).total_seconds(), 0.0) for begin, end in pairwise(times)]
    return [
        StoryState(
            state=state_of(each.substate),
            substate=each.substate,
            entered=each.time,
            duration_s=duration_s,
        )
        for each, duration_s in zip(job.entered, [*durations, None], strict=False)
    ]


def alerts_of(job: Job) -> list[StoryAlert]:
    """Return past and active alerts, oldest first."""
    active = [StoryAlert(alert=each) for each in job.alerts]
    return sorted([*job.past_alerts, *active], key=lambda each: each.alert.time)
