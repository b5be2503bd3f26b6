"""The table of states agrees with its description, and holds what it must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.daqif import DaqState, DaqSubstate
from objects.acquisition import states
from objects.acquisition.states import (
    AT_DPM,
    AT_SOURCES,
    LEGAL,
    TRANSITIONS,
    Command,
    Phase,
    Trigger,
    phase_of,
    reachable,
)

CHAIN = [
    Phase.NOT_STARTED,
    Phase.STARTING,
    Phase.ACQUIRING,
    Phase.STOPPING,
    Phase.STOPPED,
    Phase.NOT_SCHEDULED,
    Phase.SCHEDULED,
    Phase.COLLECTING,
    Phase.MERGING,
    Phase.RELEASING,
    Phase.COMPLETED,
]


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def test_the_described_table_is_the_table() -> None:
    """What the docstring shows is what the code does."""
    rows = (states.__doc__ or "").split("===============  =====================")[2:3][0]
    described = {
        (row[:17].strip(), row[17:40].strip(), row[40:].strip())
        for row in rows.splitlines()[1:]
        if row.strip()
    }
    coded = {
        (_camel(begin.name), str(trigger), _camel(end.name))
        for (begin, trigger), end in TRANSITIONS.items()
    }
    assert described == coded


def test_the_chain_is_walked_in_order() -> None:
    """Each state of the nominal path follows the one before and is never entered again."""
    for place, phase in enumerate(CHAIN):
        assert all(reachable(phase, later) for later in CHAIN[place + 1 :])
        assert not any(reachable(phase, earlier) for earlier in CHAIN[: place + 1])


def test_nothing_follows_the_end() -> None:
    """No transition leaves a final state and no command is legal there."""
    final = {phase for phase in Phase if phase.is_final}
    assert final == {Phase.COMPLETED, Phase.ABORTED}
    assert not any(begin in final for begin, _ in TRANSITIONS)
    assert not any(phases & final for phases in LEGAL.values())


@pytest.mark.parametrize("phase", [phase for phase in Phase if not phase.is_final])
def test_every_acquisition_can_be_aborted(phase: Phase) -> None:
    """The bad end is reachable from everywhere, and abort is legal everywhere."""
    assert reachable(phase, Phase.ABORTED)
    assert phase in LEGAL[Command.ABORT] & LEGAL[Command.FORCE_ABORT]


def test_after_an_abort_there_is_only_the_bad_end() -> None:
    """What is being aborted never completes."""
    for phase in (Phase.ABORTING, Phase.ABORTING_MERGE):
        assert {end for end in Phase if reachable(phase, end)} == {Phase.ABORTED}


def test_stop_is_legal_where_the_sources_acquire() -> None:
    """Stop and its forced form: Acquiring, and Stopping as a retry."""
    assert LEGAL[Command.STOP] == {Phase.ACQUIRING, Phase.STOPPING}
    assert LEGAL[Command.FORCE_STOP] == LEGAL[Command.STOP]


def test_sources_and_dpm_never_have_it_both() -> None:
    """Responsibility is with the sources, in between, or with the DPM."""
    assert not AT_SOURCES & AT_DPM
    assert {phase for phase in Phase if phase.state is DaqState.MERGING} - AT_DPM == {
        Phase.NOT_SCHEDULED
    }


@given(st.sampled_from(DaqState), st.sampled_from(DaqSubstate))
def test_a_pair_is_a_state_or_none(state: DaqState, substate: DaqSubstate) -> None:
    """Every public pair maps to the one phase of that name or to none."""
    phase = phase_of(state, substate)
    assert phase is None or (phase.state, phase.substate) == (state, substate)
    assert (phase is None) == ((state, substate) not in {each.value for each in Phase})


@given(st.lists(st.sampled_from(Trigger), max_size=40))
def test_walks_agree_with_reachability(triggers: list[Trigger]) -> None:
    """Wherever triggers lead, it was reachable from every state on the way, and only forward."""
    visited = [Phase.NOT_STARTED]
    for trigger in triggers:
        following = TRANSITIONS.get((visited[-1], trigger))
        if following is not None:
            assert all(reachable(earlier, following) for earlier in visited)
            assert following not in visited
            visited.append(following)
