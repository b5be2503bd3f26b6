"""The command table of an event logger (specification 2.3): which command is legal when.

=============  ===============  ===========  ==========  =======
command        PRE-INITIALIZED  INITIALIZED  CONFIGURED  RUNNING
=============  ===============  ===========  ==========  =======
init           INITIALIZED      refused      refused     refused
configure      refused          CONFIGURED   CONFIGURED  RUNNING
start_run      refused          refused      RUNNING     RUNNING
end_run        refused          refused      by run      by run
abort_run      refused          refused      by run      by run
pause          refused          refused      by run      by run
resume         refused          refused      by run      by run
reset          legal            legal        legal       refused
stop           exit             exit         exit        if forced
=============  ===============  ===========  ==========  =======

``by run``: legal; the run decides. INIT with the arguments that are in force, RESET of what is
reset, and END or ABORT of a run that ended so are repetitions: harmless, not refused.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from idl_like_interfaces.event_logger import CommandRefused, LoggerState


class Command(StrEnum):
    """What the logger can be told to do, beside giving its status."""

    INIT = "init"
    CONFIGURE = "configure"
    START_RUN = "start_run"
    END_RUN = "end_run"
    ABORT_RUN = "abort_run"
    PAUSE = "pause"
    RESUME = "resume"
    RESET = "reset"
    STOP = "stop"


_PRE = LoggerState.PRE_INITIALIZED
_INIT = LoggerState.INITIALIZED
_CONF = LoggerState.CONFIGURED
_RUN = LoggerState.RUNNING

LEGAL: Final[dict[Command, frozenset[LoggerState]]] = {
    Command.INIT: frozenset({_PRE}),
    Command.CONFIGURE: frozenset({_INIT, _CONF, _RUN}),
    Command.START_RUN: frozenset({_CONF, _RUN}),
    Command.END_RUN: frozenset({_CONF, _RUN}),
    Command.ABORT_RUN: frozenset({_CONF, _RUN}),
    Command.PAUSE: frozenset({_CONF, _RUN}),
    Command.RESUME: frozenset({_CONF, _RUN}),
    Command.RESET: frozenset({_PRE, _INIT, _CONF}),
    Command.STOP: frozenset({_PRE, _INIT, _CONF}),
}
"""In which states each command is legal; STOP also in RUNNING when it is forced."""

_REMEDY: Final[dict[LoggerState, str]] = {
    _PRE: "initialize it first (init); before that only init and stop are taken",
    _INIT: "load the streams first (configure)",
    _CONF: "it is initialized already: reset it first, or go on with start_run",
    _RUN: "end or abort the active runs first",
}


def state_of(*, is_initialized: bool, is_configured: bool, active_runs: int) -> LoggerState:
    """Return the state of the process that follows from what there is."""
    if active_runs:
        return _RUN
    if is_configured:
        return _CONF
    return _INIT if is_initialized else _PRE


def check_legal(command: Command, state: LoggerState, *, is_forced: bool = False) -> None:
    """Do nothing when a command is legal in a state.

    Args:
        command: Which.
        state: Of the logger.
        is_forced: Of STOP.

    Raises:
        CommandRefused: It is not; what to do first is the remedy.
    """
    if state in LEGAL[command] or (command is Command.STOP and is_forced):
        return
    remedy = _REMEDY[state]
    if command is Command.STOP:
        remedy += ", or stop it by force: their files are closed then, and the runs aborted"
    elif command is Command.INIT:
        remedy = "it is initialized already; reset it first if it shall get other arguments"
    legal = " or ".join(each for each in LoggerState if each in LEGAL[command])
    raise CommandRefused(
        f"{command} is legal in {legal} only, and the logger is {state}",
        command=command,
        state=state,
        cause=f"the logger is {state}",
        remedy=remedy,
    )
