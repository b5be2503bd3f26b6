"""The commands of a logger that concern its runs."""

from __future__ import annotations

import logging

from idl_like_interfaces.event_logger import (
    CommandRefused,
    LoggerConfiguration,
    LoggerRun,
    LoggerRunStart,
    LoggerState,
    RunCertificate,
    RunState,
)
from objects.logger_stream.configuration import complete
from objects.logger_stream.core import Core
from objects.logger_stream.fences import check_fence
from objects.logger_stream.listening import RunListener
from objects.logger_stream.memory import Began, Ending, WasPaused, WasResumed
from objects.logger_stream.run import ActiveRun
from objects.logger_stream.states import Command, check_legal
from objects.logger_stream.volumes import choose

log = logging.getLogger(__name__)

BY_HAND = "paused"


class RunCommands:
    """Begins, ends, pauses and resumes runs; see ``LoggerControl``.

    Args:
        core: What the logger is made of.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    def start(self, start: LoggerRunStart, fence: int) -> LoggerRun:
        core = self._core
        with core.turn:
            check_fence(fence, core.safe)
            if core.runs.is_active(start.run) and core.runs.get(start.run).start == start:
                return core.runs.get(start.run).status()
            check_legal(Command.START_RUN, core.state)
            self._check_number(start.run)
            configuration = self._configuration()
            self._check_bounds(configuration)
            if start.recording:
                self._check_room(configuration)
            run = self._begin(start, configuration, fence)
            core.tell(f"run {run.number} is {run.state}")
            return run.status()

    def end(self, number: int, fence: int, timeout_s: float) -> RunCertificate:
        return self._end(number, None, fence, timeout_s)

    def abort(self, number: int, reason: str, fence: int, timeout_s: float) -> RunCertificate:
        return self._end(number, reason or "aborted", fence, timeout_s)

    def begin_end(self, run: ActiveRun, aborted: str | None) -> None:
        """Have a run take no more events and end, ``aborted``: why it is aborted.

        Raises:
            PersistStore: That cannot be journaled; the run goes on.
        """
        is_ending = run.state is RunState.ENDING
        if is_ending and (aborted is None or run.aborted is not None):
            return
        self._core.safe.write(Ending(run=run.number, aborted=aborted))
        run.begin_end(aborted)
        if is_ending:
            self._core.ender.hasten(run)
            return
        self._core.runs.close(run)
        self._core.ender.begin(run)

    def pause(self, number: int, reason: str, fence: int) -> LoggerState:
        core = self._core
        with core.turn:
            check_fence(fence, core.safe)
            check_legal(Command.PAUSE, core.state)
            for run in self._named(number, Command.PAUSE):
                self.pause_one(run, reason or BY_HAND)
            return core.state

    def pause_one(self, run: ActiveRun, reason: str) -> None:
        """Pause a run; harmless when it is."""
        if run.state is not RunState.ACTIVE:
            return
        self._core.safe.write(WasPaused(run=run.number, reason=reason))
        run.pause(reason)
        self._core.tell(f"run {run.number} is PAUSED: {reason}")

    def resume(self, number: int, fence: int) -> LoggerState:
        core = self._core
        with core.turn:
            check_fence(fence, core.safe)
            check_legal(Command.RESUME, core.state)
            runs = self._named(number, Command.RESUME)
            for run in runs:
                if run.is_recording and run.is_paused:
                    self._check_room(run.configuration)
            for run in runs:
                self.resume_one(run)
            return core.state

    def resume_one(self, run: ActiveRun) -> None:
        """Let a run go on; harmless when it does."""
        if run.state is not RunState.PAUSED:
            return
        self._core.safe.write(WasResumed(run=run.number))
        run.resume()
        self._core.tell(f"run {run.number} is ACTIVE again")

    def certificate(self, number: int) -> RunCertificate:
        core = self._core
        if core.runs.is_active(number):
            run = core.runs.get(number)
            if run.state is RunState.ENDING:
                return core.ender.certificate(run)
        return core.certificates.read(number)

    def _end(
        self, number: int, aborted: str | None, fence: int, timeout_s: float
    ) -> RunCertificate:
        core = self._core
        with core.turn:
            check_fence(fence, core.safe)
            if not core.runs.is_active(number):
                return self._ended(core.certificates.read(number), aborted)
            run = core.runs.get(number)
            before = run.state, run.aborted
            self.begin_end(run, aborted)
            if (run.state, run.aborted) != before:
                core.tell(f"run {number} is {run.state}")
        return core.ender.await_end(run, timeout_s)

    def _ended(self, certificate: RunCertificate, aborted: str | None) -> RunCertificate:
        if certificate.state is RunState.ABORTED and aborted is None:
            raise self._refusal(
                Command.END_RUN,
                f"run {certificate.run} was aborted",
                "its certificate tells what is on the disk",
            )
        return certificate

    def _check_number(self, number: int) -> None:
        runs = self._core.runs
        if runs.is_known(number):
            raise self._refusal(
                Command.START_RUN,
                f"run {number} was started here before",
                f"give a number that was never used; the greatest till now is {runs.newest}",
            )
        if number <= runs.newest:
            raise self._refusal(
                Command.START_RUN,
                f"run {number} is below run {runs.newest}, which was started here already",
                f"give a number above {runs.newest}: numbers of runs only grow",
            )

    def _configuration(self) -> LoggerConfiguration:
        core = self._core
        configured = core.memory.configured
        assert configured is not None, "CONFIGURED without a configuration"
        return complete(configured.configuration, configured.defaults, core.default_volumes)

    def _check_bounds(self, configuration: LoggerConfiguration) -> None:
        most = self._core.settings.most_streams
        there = sum(len(run.all_streams) for run in self._core.runs.active)
        if there + len(configuration.streams) > most:
            raise self._refusal(
                Command.START_RUN,
                f"{there} streams of active runs and {len(configuration.streams)} of this one are "
                f"more than {most}",
                "end a run, configure fewer streams, or raise the setting most_streams: each "
                "stream is a thread",
            )

    def _check_room(self, configuration: LoggerConfiguration) -> None:
        volumes = self._core.volumes
        for names in {tuple(each.parameters.volumes or ()) for each in configuration.streams}:
            found = volumes.of(names)
            for each in found:
                each.look(volumes.thresholds)
            if choose(found) is None:
                paths = ", ".join(str(each.path) for each in found)
                raise self._refusal(
                    Command.START_RUN,
                    f"no volume has room: {paths}",
                    "make room, or configure others",
                )

    def _begin(
        self, start: LoggerRunStart, configuration: LoggerConfiguration, fence: int
    ) -> ActiveRun:
        core = self._core
        listener = RunListener(start.run, core.site, core.safe, core.alerts, set())
        try:
            run = core.maker.make(start, configuration, listener, core.runs.changed)
        except RuntimeError as error:
            raise self._refusal(
                Command.START_RUN, f"its streams cannot be made: {error}", "configure fewer streams"
            ) from error
        try:
            core.safe.write(
                Began(start=start, configuration=configuration, time=run.started, fence=fence)
            )
        except BaseException:
            run.abort_streams("the start cannot be journaled")
            raise
        core.ender.knows(run, listener)
        core.runs.add(run)
        return run

    def _named(self, number: int, command: Command) -> list[ActiveRun]:
        runs = self._core.runs
        if number:
            if runs.is_known(number) and not runs.is_active(number):
                raise self._refusal(command, f"run {number} has ended", "it cannot go on any more")
            run = runs.get(number)
            if run.state is RunState.ENDING:
                raise self._refusal(command, f"run {number} is ending", "wait for its end")
            return [run]
        return [run for run in runs.active if run.state is not RunState.ENDING]

    def _refusal(self, command: Command, text: str, remedy: str) -> CommandRefused:
        return CommandRefused(
            text, command=command, state=self._core.state, cause=text, remedy=remedy
        )
