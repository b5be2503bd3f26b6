"""Starting the writers of a run, level by level; and rolling back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from msgspec.structs import replace

from idl_like_interfaces.errors import TimeIsUp
from idl_like_interfaces.run_configuration import Writer
from idl_like_interfaces.run_control import Phase, WriterPhase
from objects.run_control.elapsed import elapsed_s
from objects.run_control.entry import OpenRun
from objects.run_control.graph import start_order
from objects.run_control.records import RunRecord, entered, noted, with_writers
from objects.run_control.surroundings import Surroundings
from objects.run_control.together import Outcome, patiently, together

_TO_START = frozenset({WriterPhase.WAITING, WriterPhase.STARTING})


class Starting:
    """Starts one run.

    Args:
        run: The run.
        around: What it needs.
        stop: Set when run control ends: what is not done is done by its next start.
    """

    def __init__(self, run: OpenRun, around: Surroundings, stop: threading.Event) -> None:
        self._run = run
        self._around = around
        self._stop = stop
        self._clock = around.site.clock

    def is_too_late(self) -> bool:
        """Tell whether a start that a crash has interrupted is rolled back instead of completed.

        The date decides nothing: it may have been set since. After a start of the host it is.
        """
        record = self._run.record
        levels = len(start_order(record.configuration.writers))
        patience_s = levels * record.configuration.start_timeout_s
        return elapsed_s(record.begun_at, self._clock) > patience_s

    def roll_back(self, reason: str) -> None:
        """Have the run aborted: who has started is stopped again."""
        now = self._clock.utc()

        def change(record: RunRecord) -> RunRecord:
            if record.phase is not Phase.STARTING:
                return record
            told = noted(record, f"the start failed: {reason}", now)
            return replace(entered(told, Phase.ABORTING, now), reason=f"the start failed: {reason}")

        self._run.change(change)

    def start(self) -> None:
        """Start all levels, or roll back."""
        for level in start_order(self._run.record.configuration.writers):
            if self._stop.is_set() or self._run.record.phase is not Phase.STARTING:
                return
            self._start_level(level)
            if self._stop.is_set():
                return
            failed = self._failed(level)
            if failed:
                self.roll_back("; ".join(failed))
                return
        self._enter_active()

    def _failed(self, level: list[Writer]) -> list[str]:
        """Return who must start and has not, by the record: also when a crash came just then."""
        states = {
            each.name: self._run.record.writer(each.name) for each in level if each.is_essential
        }
        return [
            f"{name}: {state.problem}"
            for name, state in states.items()
            if state.phase is WriterPhase.FAILED
        ]

    def _start_level(self, level: list[Writer]) -> None:
        record = self._run.record
        names = [each.name for each in level if record.writer(each.name).phase in _TO_START]
        starting = {name: {"phase": WriterPhase.STARTING} for name in names}
        now = self._clock.utc()
        record = self._run.change(lambda old: with_writers(old, starting, now))
        until = time.monotonic() + record.configuration.start_timeout_s
        actions = {
            each.name: self._action(each, record, until) for each in level if each.name in names
        }
        outcomes = together(actions, until)
        if not self._stop.is_set():
            self._enter_outcomes(outcomes)

    def _action(self, writer: Writer, record: RunRecord, until: float) -> Callable[[], bool]:
        link = self._around.link(writer)

        def once() -> bool:
            link.start(writer, record, self._around.fence())
            return True

        def start() -> bool:
            said: list[str] = []
            if patiently(once, until, self._stop, said.append):
                return True
            limit = f"not started within {record.configuration.start_timeout_s:g} s"
            raise TimeIsUp(": ".join([limit, *said[-1:]]))

        return start

    def _enter_outcomes(self, outcomes: dict[str, Outcome[bool]]) -> None:
        now = self._clock.utc()
        changes = {
            name: {
                "phase": WriterPhase.FAILED if each.error else WriterPhase.ACTIVE,
                "problem": each.error,
            }
            for name, each in outcomes.items()
        }

        def change(record: RunRecord) -> RunRecord:
            changed = with_writers(record, changes, now)
            for name, each in outcomes.items():
                if each.error:
                    changed = noted(changed, f"{name} has not started: {each.error}", now)
            return changed

        self._run.change(change)

    def _enter_active(self) -> None:
        now = self._clock.utc()

        def change(record: RunRecord) -> RunRecord:
            if record.phase is not Phase.STARTING:
                return record
            return noted(entered(record, Phase.ACTIVE, now), "all writers have started", now)

        self._run.change(change)
