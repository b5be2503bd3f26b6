"""The states of a run and which command is legal in which.

=========  ========  ======  ======  ======  ========  ========  =======
command    Starting  Active  Paused  Ending  Ended     Aborting  Aborted
=========  ========  ======  ======  ======  ========  ========  =======
end        refused   Ending  Ending  again   again     refused   refused
abort      Aborting  Aborting Aborting Aborting refused again    again
pause      refused   Paused  again   refused refused   refused   refused
resume     refused   again   Active  refused refused   refused   refused
=========  ========  ======  ======  ======  ========  ========  =======

``again``: it is so already; the command waits until it has taken effect, and changes nothing.
"""

from __future__ import annotations

from enum import StrEnum

from idl_like_interfaces.run_control import Phase, RunRefused


class Order(StrEnum):
    """What a run can be told to do."""

    END = "end"
    ABORT = "abort"
    PAUSE = "pause"
    RESUME = "resume"


_S, _A, _P = Phase.STARTING, Phase.ACTIVE, Phase.PAUSED
_E, _ED, _AB, _ABD = Phase.ENDING, Phase.ENDED, Phase.ABORTING, Phase.ABORTED

NEXT: dict[Order, dict[Phase, Phase]] = {
    Order.END: {_A: _E, _P: _E, _E: _E, _ED: _ED},
    Order.ABORT: {_S: _AB, _A: _AB, _P: _AB, _E: _AB, _AB: _AB, _ABD: _ABD},
    Order.PAUSE: {_A: _P, _P: _P},
    Order.RESUME: {_P: _A, _A: _A},
}
"""Into which phase each order leads from each; what is missing is refused."""

STEPS: dict[Phase, frozenset[Phase]] = {
    _S: frozenset({_A, _P, _AB}),
    _A: frozenset({_P, _E, _AB}),
    _P: frozenset({_A, _E, _AB}),
    _E: frozenset({_ED, _AB}),
    _AB: frozenset({_ABD}),
    _ED: frozenset(),
    _ABD: frozenset(),
}
"""All changes of phase that there are, commands and what run control does by itself."""

_REMEDY = {
    _S: "wait until it has started, or abort it",
    _A: "it is active",
    _P: "it is paused: resume it first",
    _E: "it is ending; wait for it, or abort it",
    _ED: "it has ended; nothing can be changed any more",
    _AB: "it is being aborted; wait for it",
    _ABD: "it was aborted; nothing can be changed any more",
}


def next_phase(order: Order, phase: Phase, run: int) -> Phase:
    """Return into which phase an order leads.

    Raises:
        RunRefused: It is not legal.
    """
    found = NEXT[order].get(phase)
    if found is None:
        reason = f"run {run} is {phase.value}"
        raise RunRefused(
            f"{order.value} of run {run} is not possible: {reason}",
            cause="the command does not fit the state of the run",
            remedy=_REMEDY[phase],
            command=order.value,
            reasons=[reason],
        )
    return found
