"""When a session ends, and what each command does in each state."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from idl_like_interfaces.recif import RecExceptionErr, RecProperties, RecStatusName
from objects.data_source import session as session_module
from objects.data_source.admission import check_properties, check_startable
from objects.data_source.frame import FramePlan
from objects.data_source.session import TRANSITIONS, Command, Session, outcome

UTC0 = datetime(2026, 1, 2, tzinfo=UTC)
T0 = 100.0
STATES = [
    RecStatusName.INACTIVE,
    RecStatusName.RECORDING,
    RecStatusName.PAUSED,
    RecStatusName.STOPPED,
    RecStatusName.COMPLETED,
    RecStatusName.ABORTED,
    RecStatusName.FAILED,
]
LEGAL = {
    (Command.PAUSE, RecStatusName.RECORDING),
    (Command.CONTINUE, RecStatusName.PAUSED),
    *product((Command.STOP, Command.ABORT), STATES[:3]),
}


def _session(plan: FramePlan | None = None, **conditions: object) -> Session:
    properties = RecProperties(**conditions)  # type: ignore[arg-type]
    plan = plan or FramePlan(frames=properties.frames)
    return Session.planned("s1", properties, plan).begun(UTC0, T0)


@pytest.mark.spec("ESO-176", "ESO-177")
@pytest.mark.parametrize(("command", "status"), list(product(Command, STATES)))
def test_a_command_is_legal_exactly_where_it_makes_sense(
    command: Command, status: RecStatusName
) -> None:
    """Elsewhere it is refused, naming session and state, with a remedy."""
    session = Session(id="s1", status=status)
    if (command, status) not in LEGAL:
        with pytest.raises(RecExceptionErr, match=f"{command} .* s1 is {status}") as refused:
            session.commanded(command, T0)
        assert refused.value.id == "s1"
        assert refused.value.remedy
        return
    after = session.commanded(command, T0)
    assert TRANSITIONS[command, status] == (after.ending or after.status)


def test_the_documented_table_is_the_one_in_force() -> None:
    """The docstring of the module shows the same transitions."""
    lines = re.findall(
        r"^(\w+) +(\S+) +(\S+) +(\S+) +-$", session_module.__doc__ or "", re.MULTILINE
    )
    shown = {
        (Command(row[0]), status): RecStatusName(cell)
        for row in lines
        for status, cell in zip(STATES[:3], row[1:], strict=True)
        if cell != "-"
    }
    assert shown == TRANSITIONS


def test_a_command_without_any_session_is_refused() -> None:
    """It says that none was started."""
    with pytest.raises(RecExceptionErr, match="there is no session"):
        outcome(Command.STOP, None)


def test_a_session_that_is_being_finished_takes_no_command() -> None:
    """Its end is decided."""
    session = _session().closing(RecStatusName.COMPLETED, T0)
    with pytest.raises(RecExceptionErr, match="ending as Completed"):
        session.commanded(Command.ABORT, T0)


def test_it_completes_when_the_frames_are_reached() -> None:
    """After the last wanted frame comes the end."""
    session = _session(frames=2).with_frame(10, T0)
    assert session.turn(UTC0, T0) == 0.0
    session = session.with_frame(10, T0)
    assert session.turn(UTC0, T0) is RecStatusName.COMPLETED
    assert session.size == 20


def test_it_completes_when_its_time_is_over() -> None:
    """Recording time counts, pauses do not."""
    session = _session(max_duration=5.0).commanded(Command.PAUSE, T0 + 3)
    assert session.turn(UTC0, T0 + 100) == math.inf
    session = session.commanded(Command.CONTINUE, T0 + 100)
    assert session.turn(UTC0, T0 + 101) == 0.0
    assert session.turn(UTC0, T0 + 102) is RecStatusName.COMPLETED


def test_without_limits_only_a_command_ends_it() -> None:
    """It goes on for as long as nobody stops it."""
    session = _session()
    for _ in range(1000):
        session = session.with_frame(1, T0 + 1e6)
    assert session.turn(UTC0, T0 + 1e6) == 0.0
    assert session.commanded(Command.STOP, T0).turn(UTC0, T0) is RecStatusName.STOPPED


def test_frames_are_due_one_period_apart() -> None:
    """The first comes after one period; lateness of a frame does not add up."""
    session = _session(FramePlan(period_s=2.0))
    assert session.turn(UTC0, T0) == 2.0
    session = session.with_frame(1, T0 + 2.5)
    assert session.turn(UTC0, T0 + 2.5) == 1.5


def test_a_slow_source_does_not_catch_up_in_a_burst() -> None:
    """When more than a period was lost, the cadence starts anew."""
    session = _session(FramePlan(period_s=2.0)).with_frame(1, T0 + 10)
    assert session.turn(UTC0, T0 + 10) == 0.0
    assert session.with_frame(1, T0 + 10).turn(UTC0, T0 + 10) == 2.0


def test_a_time_limit_cuts_the_wait_for_a_frame() -> None:
    """It ends in time, not with the next frame."""
    assert _session(FramePlan(period_s=60.0), max_duration=5.0).turn(UTC0, T0) == 5.0


def test_it_waits_for_its_absolute_time() -> None:
    """It is Inactive until then."""
    properties = RecProperties(abs_time=UTC0 + timedelta(seconds=30))
    session = Session.planned("s1", properties, FramePlan())
    assert session.turn(UTC0, T0) == 30.0
    assert session.turn(UTC0 + timedelta(seconds=31), T0) == 0.0


def test_the_status_estimates_what_remains() -> None:
    """By frames and by time, whichever ends it first."""
    session = _session(FramePlan(frames=10, period_s=2.0), frames=10).with_frame(7, T0 + 2)
    status = session.report(T0 + 2)
    assert (status.frames_remaining, status.remaining_time) == (9, 18.0)
    limited = _session(FramePlan(frames=10, period_s=2.0), max_duration=5.0)
    assert limited.report(T0 + 2).remaining_time == 3.0
    assert _session().report(T0).remaining_time == 0.0


def test_time_stands_still_after_the_end() -> None:
    """The elapsed time is that of recording."""
    ended = _session(frames=3).ended(RecStatusName.FAILED, UTC0, T0 + 4, reason="broken")
    status = ended.report(T0 + 1000)
    assert (status.time_elapsed, status.remaining_time, status.frames_remaining) == (4.0, 0.0, 0)
    assert status.info == "broken"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (RecProperties(id="../escape"), "cannot be the id"),
        (RecProperties(id="x" * 101), "cannot be the id"),
        (RecProperties(frames=-1), "-1 frames"),
        (RecProperties(abs_time=UTC0 - timedelta(seconds=5)), r"5.0 s in the past"),
    ],
)
def test_conditions_that_cannot_be_met_are_refused(properties: RecProperties, reason: str) -> None:
    """Each with cause and remedy."""
    with pytest.raises(RecExceptionErr, match=reason) as refused:
        check_properties(properties, UTC0)
    assert refused.value.cause
    assert refused.value.remedy


def test_a_start_that_is_a_moment_late_is_no_error() -> None:
    """The command needs some time to arrive."""
    check_properties(RecProperties(abs_time=UTC0 - timedelta(seconds=0.5)), UTC0)


def test_one_session_at_a_time() -> None:
    """A second one is refused as long as the first has not ended."""
    with pytest.raises(RecExceptionErr, match="s1 is Recording"):
        check_startable("s2", _session(), used=False)
    check_startable("s2", _session().ended(RecStatusName.STOPPED, UTC0, T0), used=False)
