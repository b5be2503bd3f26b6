"""Waiting for any state from any state: told at the entry, or when it has become impossible."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.daqif import AwaitDaqReply, DaqStatus
from idl_like_interfaces.documents import MetadataSource
from objects.acquisition.context import Context, new_context
from objects.acquisition.record import Record, Surroundings, first_status
from objects.acquisition.salvage import Kept
from objects.acquisition.specification import Plan
from objects.acquisition.states import TRANSITIONS, Phase, Trigger
from objects.acquisition.store import Workspace
from tests.support.clock import ManualClock
from tests.support.eventually import eventually

PATIENCE_S = 20.0
WAITERS = 3

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
"""Section 3.7 of the specification."""

ABORTING = (Phase.ABORTING, Phase.ABORTING_MERGE)


def can_come(begin: Phase, wanted: Phase) -> bool:
    """Say what section 3.7 says of what can be entered later."""
    if begin.is_final or begin is wanted:
        return False
    if begin in ABORTING:
        return wanted is Phase.ABORTED
    match wanted:
        case Phase.ABORTING:
            return begin in CHAIN[:4]
        case Phase.ABORTING_MERGE | Phase.ABORTED:
            return True
        case _:
            return CHAIN.index(begin) < CHAIN.index(wanted)


class Nowhere(Workspace):
    """Keeps nothing: these tests write thousands of states."""

    @override
    def save(self, status: DaqStatus, context: Context, kept: Kept | None = None) -> None:
        """Forget it."""

    @override
    def archive(self, id: str) -> None:
        """Forget it."""


def record_in(phase: Phase) -> Record:
    """Return the record of an acquisition in a state."""
    source = MetadataSource(source_name="m", rr_uri="obs/m")
    plan = Plan(sources=[source], await_interval=1.0)
    context = new_context(plan, "x", "T.x", "ocm", datetime(2026, 1, 2, tzinfo=UTC))
    status = replace(first_status(context), state=phase.state, substate=phase.substate)
    return Record(status, replace(context, entered=[status]), _around())


def _around() -> Surroundings:
    return Surroundings(
        clock=ManualClock(),
        workspace=Nowhere(Path("/nowhere")),
        publish=lambda _: None,
        ended=lambda _: None,
    )


def ways(begin: Phase) -> dict[Phase, list[Trigger]]:
    """Return the shortest way to every state that can be reached."""
    found: dict[Phase, list[Trigger]] = {begin: []}
    open_ = deque([begin])
    while open_:
        phase = open_.popleft()
        for (start, trigger), end in TRANSITIONS.items():
            if start is phase and end not in found:
                found[end] = [*found[phase], trigger]
                open_.append(end)
    return found


def away_from(begin: Phase, wanted: Phase) -> list[Trigger]:
    """Return a way to a state from which the wanted one cannot come."""
    return next(
        way
        for end, way in ways(begin).items()
        if end is not wanted and not can_come(end, wanted) and wanted not in _on(begin, way)
    )


def _on(begin: Phase, way: list[Trigger]) -> list[Phase]:
    phases = [begin]
    for trigger in way:
        phases.append(TRANSITIONS[phases[-1], trigger])
    return phases


def test_a_state_that_was_noted_before_a_kill_is_entered_once() -> None:
    """A kill between the files of state and story leaves the older state and the newer story."""
    before = record_in(Phase.STOPPED)
    stopped = before.status
    before.move(Trigger.HAND_OVER)
    again = Record(stopped, before.context, _around())
    again.move(Trigger.HAND_OVER)
    assert [each.substate for each in again.context.entered] == [
        Phase.STOPPED.substate,
        Phase.NOT_SCHEDULED.substate,
    ]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Yield threads for those who wait."""
    with ThreadPoolExecutor(WAITERS) as threads:
        yield threads


def played(
    pool: ThreadPoolExecutor, begin: Phase, wanted: Phase, way: list[Trigger]
) -> list[AwaitDaqReply]:
    """Let some wait while the acquisition goes a way without a pause; return what they got."""
    record = record_in(begin)
    waiting = [pool.submit(record.await_phase, wanted, PATIENCE_S) for _ in range(WAITERS)]
    if way:
        eventually(lambda: record.waiting == WAITERS)
    for trigger in way:
        record.move(trigger)
    return [each.result(PATIENCE_S) for each in waiting]


PAIRS = list(product(Phase, Phase))


def _name(pair: tuple[Phase, Phase]) -> str:
    return "-".join(each.name.lower() for each in pair)


@pytest.mark.spec("ESO-074", "ESO-079", "ESO-081")
@pytest.mark.parametrize("pair", [each for each in PAIRS if can_come(*each)], ids=_name)
def test_who_waits_gets_the_moment_of_entry(
    pool: ThreadPoolExecutor, pair: tuple[Phase, Phase]
) -> None:
    """Each of several, although the acquisition has gone on to its end at once."""
    begin, wanted = pair
    way = ways(begin)[wanted]
    onward = min(ways(wanted).values(), key=lambda each: (not each, len(each)))
    for reply in played(pool, begin, wanted, way + onward):
        assert (reply.timeout, reply.status.state, reply.status.substate) == (False, *wanted.value)


@pytest.mark.spec("ESO-076")
@pytest.mark.parametrize(
    "pair",
    [each for each in PAIRS if can_come(*each) and each[0] not in ABORTING],
    ids=_name,
)
def test_who_waits_is_told_when_it_has_become_impossible(
    pool: ThreadPoolExecutor, pair: tuple[Phase, Phase]
) -> None:
    """No timeout, and the state that excludes it. What is being aborted has one end only."""
    begin, wanted = pair
    for reply in played(pool, begin, wanted, away_from(begin, wanted)):
        phase = Phase((reply.status.state, reply.status.substate))
        assert not reply.timeout
        assert phase is not wanted
        assert not can_come(phase, wanted)


@pytest.mark.spec("ESO-075", "ESO-076")
@pytest.mark.parametrize("pair", [each for each in PAIRS if not can_come(*each)], ids=_name)
def test_who_need_not_wait_is_told_at_once(
    pool: ThreadPoolExecutor, pair: tuple[Phase, Phase]
) -> None:
    """It is there already, or cannot come any more."""
    begin, wanted = pair
    for reply in played(pool, begin, wanted, []):
        assert (reply.timeout, reply.status.state, reply.status.substate) == (False, *begin.value)


@pytest.mark.spec("ESO-077")
@pytest.mark.parametrize("pair", [each for each in PAIRS if can_come(*each)][::7], ids=_name)
def test_who_waits_in_vain_is_told_so(pair: tuple[Phase, Phase]) -> None:
    """With the state as it is."""
    reply = record_in(pair[0]).await_phase(pair[1], 0.01)
    assert (reply.timeout, reply.status.substate) == (True, pair[0].substate)
