"""How far an acquisition has come."""

from __future__ import annotations

from controller.progress import CHAIN, progress_of
from idl_like_interfaces.daqif import DaqSubstate


def test_progress_grows_along_the_chain() -> None:
    """From nothing to everything, in the order of the states."""
    steps = [progress_of(substate) for substate in CHAIN]
    assert steps == sorted(set(steps))
    assert steps[0] == 0.0
    assert steps[-1] == 1.0


def test_every_substate_has_a_progress() -> None:
    """Also those that are off the chain."""
    assert {progress_of(each) >= 0 for each in DaqSubstate} == {True}
    assert progress_of(DaqSubstate.ABORTED) == 1.0
    assert progress_of(DaqSubstate.ABORTING) == 0.0
