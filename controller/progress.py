"""How far an acquisition has come along the chain of its substates."""

from __future__ import annotations

from idl_like_interfaces.daqif import DaqSubstate

CHAIN = (
    DaqSubstate.NOT_STARTED,
    DaqSubstate.STARTING,
    DaqSubstate.ACQUIRING,
    DaqSubstate.STOPPING,
    DaqSubstate.STOPPED,
    DaqSubstate.NOT_SCHEDULED,
    DaqSubstate.SCHEDULED,
    DaqSubstate.COLLECTING,
    DaqSubstate.MERGING,
    DaqSubstate.RELEASING,
    DaqSubstate.COMPLETED,
)
"""The substates that an acquisition goes through when all is well."""


def progress_of(substate: DaqSubstate) -> float:
    """Return how far along the chain a substate stands, 0 to 1; 1 for every end."""
    if substate is DaqSubstate.ABORTED:
        return 1.0
    if substate not in CHAIN:
        return 0.0
    return CHAIN.index(substate) / (len(CHAIN) - 1)
