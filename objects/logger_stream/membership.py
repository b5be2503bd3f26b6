"""The logger as a member of run control's runs: what it says of itself, and what it is ordered."""

from __future__ import annotations

import logging

from idl_like_interfaces.event_logger import RunState
from idl_like_interfaces.run_configuration import WriterKind
from idl_like_interfaces.run_control import Member, Orders
from objects.logger_stream.core import Core
from objects.logger_stream.memory import Seen
from objects.logger_stream.run import ActiveRun
from objects.logger_stream.run_commands import RunCommands

log = logging.getLogger(__name__)

BY_RUN_CONTROL = "paused by run control"
ENDED_ELSEWHERE = "run control says that it was aborted"


class Membership:
    """Speaks with run control; nothing here holds up events.

    Args:
        core: What the logger is made of.
        commands: Does what is ordered.
        control: Name of the logger's control object.
    """

    def __init__(self, core: Core, commands: RunCommands, control: str) -> None:
        self._core = core
        self._commands = commands
        self._control = control

    def member(self) -> Member:
        """Return how the logger makes itself known."""
        core = self._core
        active = [run for run in core.runs.active if run.state is not RunState.ENDING]
        return Member(
            name=core.site.name,
            kind=WriterKind.LOGGER,
            control=self._control,
            incarnation=core.site.incarnation,
            runs=[run.number for run in active],
            restored=[run.number for run in active if run.is_restored],
            newest_run=core.runs.newest,
            pause_wish=core.wish,
        )

    def follow(self, orders: Orders) -> None:
        """Do what run control says of the runs; what it does not name stays as it is.

        Raises:
            PersistStore: It cannot be journaled; it is ordered again.
        """
        core = self._core
        with core.turn:
            if orders.fence > core.memory.fence:
                core.safe.write(Seen(fence=orders.fence))
            for run in core.runs.active:
                self._follow_for(run, orders)

    def _follow_for(self, run: ActiveRun, orders: Orders) -> None:
        if run.state is RunState.ENDING:
            return
        if run.number in orders.aborted:
            log.warning("run %d: %s", run.number, ENDED_ELSEWHERE)
            self._commands.begin_end(run, ENDED_ELSEWHERE)
        elif run.number in orders.ended:
            log.warning("run %d: run control says that it has ended", run.number)
            self._commands.begin_end(run, None)
        elif run.number in orders.paused:
            self._commands.pause_one(run, BY_RUN_CONTROL)
            run.is_restored = False
        elif run.number in orders.active and run.is_restored:
            self._commands.resume_one(run)
            run.is_restored = False
