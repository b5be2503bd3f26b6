"""Drives one run from wherever it stands to its end; a thread of its own.

What is to be done follows from the record alone, which is on disk: after a crash a new driver
goes on where the old one was. A start that is interrupted is completed when its time is not over
yet, otherwise rolled back; an end goes on ending.
"""

from __future__ import annotations

import logging
import threading

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.run_control import Phase
from objects.run_control.ending import Ending
from objects.run_control.entry import OpenRun
from objects.run_control.starting import Starting
from objects.run_control.surroundings import Surroundings
from objects.run_control.watching import Watching

log = logging.getLogger(__name__)

ROUND_S = 1.0


class RunDriver(Closing):
    """Drives a run.

    Args:
        run: The run.
        around: What it needs.
        is_restored: It was interrupted by a crash or an end of run control.

    Attributes:
        run: The run.
        problem: Why it cannot go on now; empty: it can.
    """

    def __init__(self, run: OpenRun, around: Surroundings, *, is_restored: bool = False) -> None:
        self.run = run
        self.problem = ""
        self._around = around
        self._is_restored = is_restored
        self._stop = threading.Event()
        self._watching: Watching | None = None
        self._thread = threading.Thread(target=self._drive, name=f"run {run.record.number}")

    def start(self) -> None:
        """Begin to drive."""
        self._thread.start()

    @override
    def close(self) -> None:
        """Drive no more; what is under way ends with its calls, and goes on at the next start."""
        self._stop.set()
        self.run.wake.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def is_done(self) -> bool:
        """Tell whether nothing is left to be done."""
        return self.run.record.is_settled

    def _drive(self) -> None:
        while not self._stop.is_set() and not self.is_done:
            try:
                self._step()
                self.problem = ""
            except RemoteError as error:
                self._stumble(error.message)
            except OSError as error:
                self._stumble(str(error))
            except Exception as error:
                log.exception("run %d cannot be driven", self.run.record.number)
                self._stumble(f"a failure of run control: {error!r}")

    def _stumble(self, problem: str) -> None:
        if problem != self.problem:
            log.error("run %d waits: %s", self.run.record.number, problem)
        self.problem = problem
        self._stop.wait(ROUND_S)

    def _step(self) -> None:
        match self.run.record.phase:
            case Phase.STARTING:
                self._begin()
            case Phase.ACTIVE | Phase.PAUSED:
                self._watch()
            case Phase.ENDING | Phase.ABORTING:
                Ending(self.run, self._around, self._stop).end()
            case Phase.ENDED | Phase.ABORTED:
                self._settle()

    def _begin(self) -> None:
        starting = Starting(self.run, self._around, self._stop)
        if self._is_restored and starting.is_too_late():
            starting.roll_back("run control was away while it started")
        else:
            starting.start()

    def _watch(self) -> None:
        if self._watching is None:
            self._around.begun(self.run.record)
            self._watching = Watching(self.run, self._around, self._stop)
        self._watching.look()
        self.run.wake.wait(ROUND_S)
        self.run.wake.clear()

    def _settle(self) -> None:
        self._around.begun(self.run.record)
        report = self._around.settle(self.run.record)
        self.run.change(
            lambda old: replace(old, run=replace(old.run, report=report), is_settled=True)
        )
