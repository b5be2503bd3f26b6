"""The commands of a logger that concern the process; those of runs are in ``run_commands``."""

from __future__ import annotations

import logging
from typing import Final

import msgspec

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_logger import (
    CommandRefused,
    DebugLevel,
    LoggerConfiguration,
    LoggerInit,
    LoggerRun,
    LoggerRunStart,
    LoggerState,
    LoggerStatus,
    RunCertificate,
    StreamParameters,
)
from idl_like_interfaces.event_server import EventServer
from objects.component.site import ActiveObject
from objects.logger_stream.configuration import check, over
from objects.logger_stream.core import Core
from objects.logger_stream.event_server import EventServerServant
from objects.logger_stream.fences import check_fence
from objects.logger_stream.memory import Configured, Initialized, WasReset
from objects.logger_stream.run_commands import RunCommands
from objects.logger_stream.settings import number_of
from objects.logger_stream.space import Thresholds
from objects.logger_stream.states import Command, check_legal

log = logging.getLogger(__name__)

STOPPED: Final = "the logger was stopped"

_STOP_S: Final = 10.0

_LEVELS: Final = {
    DebugLevel.ERROR: logging.ERROR,
    DebugLevel.WARNING: logging.WARNING,
    DebugLevel.INFO: logging.INFO,
    DebugLevel.DEBUG: logging.DEBUG,
}


class Logger:
    """Follows commands, one at a time; any thread may give them. See ``LoggerControl``.

    Args:
        core: What it is made of.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self.runs = RunCommands(core)
        site = core.site
        self._path = f"logger/{number_of(core.settings, site.name)}/events"

    def init(self, arguments: LoggerInit, fence: int = 0) -> LoggerState:
        core = self._core
        with core.turn:
            check_fence(fence, core.safe)
            if core.memory.init == arguments:
                return core.state
            check_legal(Command.INIT, core.state)
            self.open(arguments)
            try:
                core.safe.write(Initialized(arguments=arguments))
            except BaseException:
                self.shut()
                raise
            core.tell("initialized")
            return core.state

    def open(self, arguments: LoggerInit) -> None:
        """Open the event server and the connections.

        Raises:
            CommandRefused: The port is not free; nothing is open.
        """
        core = self._core
        port = core.settings.event_port if arguments.event_port is None else arguments.event_port
        server = EventServerServant(core.intake)
        offered = ActiveObject(path=self._path, interface=EventServer, servant=server)
        try:
            core.offered = core.site.offer(offered, port)
        except OSError as error:
            raise CommandRefused(
                f"the event server cannot be opened at port {port}: {error.strerror or error}",
                command=Command.INIT,
                state=LoggerState.PRE_INITIALIZED,
                cause="another process has the port, perhaps another logger",
                remedy="end that one, or give another port; 0 takes any free one",
            ) from error
        core.use_services(arguments)
        set_debug_level(arguments.debug_level)

    def shut(self) -> None:
        """Close the event server; the connections that every component has stay."""
        core = self._core
        offered, core.offered = core.offered, None
        if offered is not None:
            offered.close()

    def configure(self, configuration: LoggerConfiguration, fence: int = 0) -> LoggerState:
        core = self._core
        with core.turn:
            check_fence(fence, core.safe)
            check_legal(Command.CONFIGURE, core.state)
            check(configuration)
            self._check_volumes(configuration)
            defaults = over(configuration.defaults, self._defaults())
            entry = Configured(configuration=configuration, defaults=defaults)
            if core.memory.configured != entry:
                core.safe.write(entry)
                self.put_into_force(configuration)
                core.tell(f"configured with {len(configuration.streams)} streams")
            return core.state

    def put_into_force(self, configuration: LoggerConfiguration) -> None:
        """Use what does not wait for the next run: thresholds and debug level."""
        set_debug_level(configuration.debug_level)
        self._core.schedule_status(configuration.status_period_s)
        self._core.volumes.thresholds = Thresholds(
            warning=configuration.min_free_warning,
            pause=configuration.min_free_pause,
            close=configuration.min_free_close,
        )

    def reset(self, fence: int = 0) -> LoggerState:
        core = self._core
        with core.turn:
            check_fence(fence, core.safe)
            check_legal(Command.RESET, core.state)
            if core.memory.init is not None:
                core.safe.write(WasReset())
                self.shut()
                core.orphans.close()
                core.tell("reset")
                core.use_services(LoggerInit())
            return core.state

    def stop(self, fence: int = 0, *, is_forced: bool = False) -> None:
        core = self._core
        with core.turn:
            check_fence(fence, core.safe)
            check_legal(Command.STOP, core.state, is_forced=is_forced)
            active = core.runs.active
            for run in active:
                self.runs.begin_end(run, STOPPED)
        for run in active:
            core.ender.await_end(run, _STOP_S)
        core.safe.note(WasReset(), sync=True)
        core.site.request_exit()

    def start_run(self, start: LoggerRunStart, fence: int = 0) -> LoggerRun:
        return self.runs.start(start, fence)

    def end_run(self, run: int, fence: int = 0, timeout_s: float = 10.0) -> RunCertificate:
        return self.runs.end(run, fence, timeout_s)

    def abort_run(
        self, run: int, reason: str, fence: int = 0, timeout_s: float = 10.0
    ) -> RunCertificate:
        return self.runs.abort(run, reason, fence, timeout_s)

    def pause(self, run: int = 0, reason: str = "", fence: int = 0) -> LoggerState:
        return self.runs.pause(run, reason, fence)

    def resume(self, run: int = 0, fence: int = 0) -> LoggerState:
        return self.runs.resume(run, fence)

    def certificate(self, run: int) -> RunCertificate:
        return self.runs.certificate(run)

    def status(self) -> LoggerStatus:
        return self._core.board.get()

    def _defaults(self) -> StreamParameters:
        memory, settings = self._core.memory, self._core.settings
        if memory.configured is not None:
            return memory.configured.defaults
        given = StreamParameters() if memory.init is None else memory.init.defaults
        return over(given, settings.defaults)

    def _check_volumes(self, configuration: LoggerConfiguration) -> None:
        seen: set[str] = set()
        for path, names in _volumes_of(configuration, self._core.default_volumes):
            for number, name in enumerate(names):
                if name not in seen:
                    seen.add(name)
                    self._check_volume(name, f"{path}[{number}]")

    def _check_volume(self, name: str, path: str) -> None:
        [volume] = self._core.volumes.of([name])
        try:
            volume.prepare()
        except OSError as error:
            raise BadParam(
                f"{path}: the volume {volume.path} cannot be written: {error.strerror or error}",
                field=path,
                cause="it is not mounted, full, broken, or belongs to somebody else",
                remedy="mend it, or name another folder",
            ) from error


def _volumes_of(
    configuration: LoggerConfiguration, built_in: list[str]
) -> list[tuple[str, list[str]]]:
    """Return all lists of volumes that a configuration leads to, each with its path."""
    defaults = configuration.defaults.volumes
    found = [
        (f"configuration.streams[{number}].parameters.volumes", each.parameters.volumes)
        for number, each in enumerate(configuration.streams)
        if each.parameters.volumes is not None
    ]
    if len(found) < len(configuration.streams):
        common = ("configuration.defaults.volumes", built_in if defaults is None else defaults)
        found.insert(0, common)
    return found


def set_debug_level(level: DebugLevel | None) -> None:
    """Set how much the logger writes to its log, at once; None: as before."""
    if level is not None:
        logging.getLogger(__package__).setLevel(_LEVELS[level])


def with_level(arguments: LoggerInit, configuration: LoggerConfiguration | None) -> LoggerInit:
    """Return what INIT and CONFIG together have set."""
    if configuration is None or configuration.debug_level is None:
        return arguments
    return msgspec.structs.replace(arguments, debug_level=configuration.debug_level)
