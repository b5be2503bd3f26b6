"""The way of an acquisition through the DPM, as a table.

=============  =========  ===========  ==========================================
substate       step       done, next   failed
=============  =========  ===========  ==========================================
Scheduled      (admit)    Collecting
Collecting     collect    Merging      stays, stuck, alerts ``collect/…``
Merging        merge      Releasing    stays, stuck, alerts ``merge/…``
Releasing      release    Completed    stays, stuck, alerts ``release/…``
Aborting       discard    Aborted      stays, stuck, alerts ``discard/…``
=============  =========  ===========  ==========================================

Any substate before Completed goes to Aborting on request. A stuck acquisition goes
on in the same substate when it is retried or the DPM starts again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from idl_like_interfaces.daqif import DaqState, DaqSubstate


class Step(StrEnum):
    """What is done in a substate; also the beginning of its alerts' ids."""

    COLLECT = "collect"
    MERGE = "merge"
    RELEASE = "release"
    DISCARD = "discard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A step and the substate that follows its success."""

    step: Step
    next: DaqSubstate


STAGES: dict[DaqSubstate, Stage] = {
    DaqSubstate.COLLECTING: Stage(step=Step.COLLECT, next=DaqSubstate.MERGING),
    DaqSubstate.MERGING: Stage(step=Step.MERGE, next=DaqSubstate.RELEASING),
    DaqSubstate.RELEASING: Stage(step=Step.RELEASE, next=DaqSubstate.COMPLETED),
    DaqSubstate.ABORTING: Stage(step=Step.DISCARD, next=DaqSubstate.ABORTED),
}

ADMITTED_TO = DaqSubstate.COLLECTING
"""Where a scheduled acquisition goes when there is room for it."""

FINAL = frozenset({DaqSubstate.COMPLETED, DaqSubstate.ABORTED})


def state_of(substate: DaqSubstate) -> DaqState:
    """Return the state that a substate of the DPM belongs to."""
    return DaqState.COMPLETED if substate in FINAL else DaqState.MERGING
