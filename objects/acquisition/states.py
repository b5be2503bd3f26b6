"""What can become of an acquisition: its states, transitions and legal commands, as data.

===============  =====================  ===============
from             trigger                to
===============  =====================  ===============
NotStarted       begin                  Starting
NotStarted       abort                  Aborting
Starting         acknowledged           Acquiring
Starting         start failed           Aborting
Starting         abort                  Aborting
Acquiring        stop                   Stopping
Acquiring        sources ended          Stopping
Acquiring        abort                  Aborting
Stopping         stopped                Stopped
Stopping         abort                  Aborting
Aborting         aborted                Aborted
Stopped          hand over              NotScheduled
Stopped          abort                  Aborted
NotScheduled     queued                 Scheduled
NotScheduled     abort                  Aborted
Scheduled        collect                Collecting
Scheduled        abort                  AbortingMerge
Scheduled        force abort            Aborted
Collecting       merge                  Merging
Collecting       abort                  AbortingMerge
Collecting       force abort            Aborted
Merging          release                Releasing
Merging          abort                  AbortingMerge
Merging          force abort            Aborted
Releasing        complete               Completed
Releasing        abort                  AbortingMerge
Releasing        force abort            Aborted
AbortingMerge    aborted                Aborted
AbortingMerge    force abort            Aborted
===============  =====================  ===============

Aborting is one public substate in two states; inside, the two are told apart as
Aborting (sources are being aborted) and AbortingMerge (the DPM is).
"""

from __future__ import annotations

from enum import Enum, StrEnum

from typing_extensions import override

from idl_like_interfaces.daqif import DaqState, DaqSubstate


class Phase(Enum):
    """A state with its substate; the pairs that are none do not exist here."""

    NOT_STARTED = (DaqState.ACQUIRING, DaqSubstate.NOT_STARTED)
    STARTING = (DaqState.ACQUIRING, DaqSubstate.STARTING)
    ACQUIRING = (DaqState.ACQUIRING, DaqSubstate.ACQUIRING)
    STOPPING = (DaqState.ACQUIRING, DaqSubstate.STOPPING)
    STOPPED = (DaqState.ACQUIRING, DaqSubstate.STOPPED)
    ABORTING = (DaqState.ACQUIRING, DaqSubstate.ABORTING)
    NOT_SCHEDULED = (DaqState.MERGING, DaqSubstate.NOT_SCHEDULED)
    SCHEDULED = (DaqState.MERGING, DaqSubstate.SCHEDULED)
    COLLECTING = (DaqState.MERGING, DaqSubstate.COLLECTING)
    MERGING = (DaqState.MERGING, DaqSubstate.MERGING)
    RELEASING = (DaqState.MERGING, DaqSubstate.RELEASING)
    ABORTING_MERGE = (DaqState.MERGING, DaqSubstate.ABORTING)
    COMPLETED = (DaqState.COMPLETED, DaqSubstate.COMPLETED)
    ABORTED = (DaqState.COMPLETED, DaqSubstate.ABORTED)

    @property
    def state(self) -> DaqState:
        """The public state."""
        return self.value[0]

    @property
    def substate(self) -> DaqSubstate:
        """The public substate."""
        return self.value[1]

    @property
    def is_final(self) -> bool:
        """Tell whether nothing can follow."""
        return self.state is DaqState.COMPLETED

    @override
    def __str__(self) -> str:
        return f"{self.state}/{self.substate}"


class Trigger(StrEnum):
    """What makes an acquisition go on."""

    BEGIN = "begin"
    ACKNOWLEDGED = "acknowledged"
    START_FAILED = "start failed"
    STOP = "stop"
    SOURCES_ENDED = "sources ended"
    STOPPED = "stopped"
    HAND_OVER = "hand over"
    QUEUED = "queued"
    COLLECT = "collect"
    MERGE = "merge"
    RELEASE = "release"
    COMPLETE = "complete"
    ABORT = "abort"
    ABORTED = "aborted"
    FORCE_ABORT = "force abort"


class Command(StrEnum):
    """What a client may ask of an acquisition that exists."""

    STOP = "stop_daq"
    FORCE_STOP = "force_stop_daq"
    ABORT = "abort_daq"
    FORCE_ABORT = "force_abort_daq"
    UPDATE_KEYWORDS = "update_keywords"
    RETRY_MERGE = "retry_merge_daq"


TRANSITIONS: dict[tuple[Phase, Trigger], Phase] = {
    (Phase.NOT_STARTED, Trigger.BEGIN): Phase.STARTING,
    (Phase.NOT_STARTED, Trigger.ABORT): Phase.ABORTING,
    (Phase.STARTING, Trigger.ACKNOWLEDGED): Phase.ACQUIRING,
    (Phase.STARTING, Trigger.START_FAILED): Phase.ABORTING,
    (Phase.STARTING, Trigger.ABORT): Phase.ABORTING,
    (Phase.ACQUIRING, Trigger.STOP): Phase.STOPPING,
    (Phase.ACQUIRING, Trigger.SOURCES_ENDED): Phase.STOPPING,
    (Phase.ACQUIRING, Trigger.ABORT): Phase.ABORTING,
    (Phase.STOPPING, Trigger.STOPPED): Phase.STOPPED,
    (Phase.STOPPING, Trigger.ABORT): Phase.ABORTING,
    (Phase.ABORTING, Trigger.ABORTED): Phase.ABORTED,
    (Phase.STOPPED, Trigger.HAND_OVER): Phase.NOT_SCHEDULED,
    (Phase.STOPPED, Trigger.ABORT): Phase.ABORTED,
    (Phase.NOT_SCHEDULED, Trigger.QUEUED): Phase.SCHEDULED,
    (Phase.NOT_SCHEDULED, Trigger.ABORT): Phase.ABORTED,
    (Phase.SCHEDULED, Trigger.COLLECT): Phase.COLLECTING,
    (Phase.SCHEDULED, Trigger.ABORT): Phase.ABORTING_MERGE,
    (Phase.SCHEDULED, Trigger.FORCE_ABORT): Phase.ABORTED,
    (Phase.COLLECTING, Trigger.MERGE): Phase.MERGING,
    (Phase.COLLECTING, Trigger.ABORT): Phase.ABORTING_MERGE,
    (Phase.COLLECTING, Trigger.FORCE_ABORT): Phase.ABORTED,
    (Phase.MERGING, Trigger.RELEASE): Phase.RELEASING,
    (Phase.MERGING, Trigger.ABORT): Phase.ABORTING_MERGE,
    (Phase.MERGING, Trigger.FORCE_ABORT): Phase.ABORTED,
    (Phase.RELEASING, Trigger.COMPLETE): Phase.COMPLETED,
    (Phase.RELEASING, Trigger.ABORT): Phase.ABORTING_MERGE,
    (Phase.RELEASING, Trigger.FORCE_ABORT): Phase.ABORTED,
    (Phase.ABORTING_MERGE, Trigger.ABORTED): Phase.ABORTED,
    (Phase.ABORTING_MERGE, Trigger.FORCE_ABORT): Phase.ABORTED,
}
"""Where each trigger leads; what is not listed does not happen."""

AT_SOURCES = frozenset(
    {
        Phase.NOT_STARTED,
        Phase.STARTING,
        Phase.ACQUIRING,
        Phase.STOPPING,
        Phase.ABORTING,
    }
)
"""The sources have it."""

AT_DPM = frozenset(
    {
        Phase.SCHEDULED,
        Phase.COLLECTING,
        Phase.MERGING,
        Phase.RELEASING,
        Phase.ABORTING_MERGE,
    }
)
"""The DPM has it and is the one that knows."""

_ABORTABLE = frozenset(phase for phase in Phase if not phase.is_final)

LEGAL: dict[Command, frozenset[Phase]] = {
    Command.STOP: frozenset({Phase.ACQUIRING, Phase.STOPPING}),
    Command.FORCE_STOP: frozenset({Phase.ACQUIRING, Phase.STOPPING}),
    Command.ABORT: _ABORTABLE,
    Command.FORCE_ABORT: _ABORTABLE,
    Command.UPDATE_KEYWORDS: frozenset(
        {Phase.NOT_STARTED, Phase.STARTING, Phase.ACQUIRING, Phase.STOPPING}
    ),
    Command.RETRY_MERGE: frozenset(phase for phase in Phase if phase.state is DaqState.MERGING),
}
"""Where each command is legal; the queries are legal everywhere."""


def _reach() -> dict[Phase, frozenset[Phase]]:
    """Close the table over its transitions."""
    following: dict[Phase, set[Phase]] = {phase: set() for phase in Phase}
    for (begin, _), end in TRANSITIONS.items():
        following[begin].add(end)
    grown = True
    while grown:
        grown = False
        for ends in following.values():
            more = set().union(*(following[end] for end in ends)) - ends
            ends.update(more)
            grown = grown or bool(more)
    return {phase: frozenset(ends) for phase, ends in following.items()}


_REACHABLE = _reach()


def reachable(begin: Phase, end: Phase) -> bool:
    """Tell whether one phase can be entered at some time after another."""
    return end in _REACHABLE[begin]


def phase_of(state: DaqState, substate: DaqSubstate) -> Phase | None:
    """Return the phase of a public pair, ``None`` when the pair is no state."""
    try:
        return Phase((state, substate))
    except ValueError:
        return None


def legal_phases(command: Command) -> str:
    """Say for people where a command is legal."""
    return ", ".join(str(phase) for phase in Phase if phase in LEGAL[command])
