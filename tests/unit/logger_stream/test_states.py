"""The command table of the logger: the docstring, the table and the decision agree."""

from __future__ import annotations

import pytest

from idl_like_interfaces.event_logger import CommandRefused, LoggerState
from objects.logger_stream import states
from objects.logger_stream.states import LEGAL, Command, check_legal, state_of

_COLUMNS = list(LoggerState)
_NOT = {"refused", "if forced"}


def table() -> dict[str, list[str]]:
    """Return the cells of the table in the docstring, by command."""
    assert states.__doc__ is not None
    head, *_ = [line for line in states.__doc__.splitlines() if line.startswith("=====")]
    edges = [n for n, char in enumerate(head) if char == "=" and (n == 0 or head[n - 1] == " ")]
    rows = states.__doc__.split(head)[2].strip("\n").splitlines()
    cells = [
        [row[a:b].strip() for a, b in zip(edges, [*edges[1:], None], strict=True)] for row in rows
    ]
    return {command: states for command, *states in cells}


@pytest.mark.parametrize("command", list(Command))
@pytest.mark.parametrize("state", list(LoggerState))
def test_the_tables_agree(command: Command, state: LoggerState) -> None:
    """What the docstring says is what is decided."""
    said = table()[command][_COLUMNS.index(state)]
    assert (state in LEGAL[command]) == (said not in _NOT)
    if said in _NOT:
        with pytest.raises(CommandRefused) as caught:
            check_legal(command, state)
        assert caught.value.cause
        assert caught.value.remedy
    else:
        check_legal(command, state)


def test_a_forced_stop_is_always_legal() -> None:
    """Also with active runs."""
    check_legal(Command.STOP, LoggerState.RUNNING, is_forced=True)


def test_the_state_follows_from_what_there_is() -> None:
    """Runs before configuration before initialization."""
    assert state_of(is_initialized=False, is_configured=False, active_runs=0) == _COLUMNS[0]
    assert state_of(is_initialized=True, is_configured=False, active_runs=0) == _COLUMNS[1]
    assert state_of(is_initialized=True, is_configured=True, active_runs=0) == _COLUMNS[2]
    assert state_of(is_initialized=True, is_configured=True, active_runs=2) == _COLUMNS[3]
