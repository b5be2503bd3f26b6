"""The standard servant: a server's life as a table of transitions, and its log levels."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version

from typing_extensions import override

from idl_like_interfaces.errors import BadParam, RemoteError
from idl_like_interfaces.logs import LEVEL_NUMBERS
from idl_like_interfaces.stdif import STATUS_TOPIC, ExceptionErr, LogInfo, StdCmds, StdStatus
from objects.component.loggers import ACTION, NAMED, STATE
from objects.component.site import Site

log = logging.getLogger(__name__)

DONE = "OK"
"""Answer of a command that succeeded."""


class ServerState(StrEnum):
    """State of a server."""

    NOT_READY = "NotOperational;NotReady"
    READY = "NotOperational;Ready"
    IDLE = "Operational;Idle"
    ACTIVE = "Operational;Active"

    @property
    def is_operational(self) -> bool:
        """Tell whether it accepts the commands of its trade."""
        return self in (ServerState.IDLE, ServerState.ACTIVE)


class Cause(StrEnum):
    """What changes the state: a command, or the work itself."""

    INIT = "init"
    ENABLE = "enable"
    DISABLE = "disable"
    STOP = "stop"
    RESET = "reset"
    BUSY = "first acquisition becomes active"
    DONE = "none is active any more"


TRANSITIONS: dict[tuple[ServerState, Cause], ServerState] = {
    (ServerState.NOT_READY, Cause.INIT): ServerState.READY,
    (ServerState.READY, Cause.ENABLE): ServerState.IDLE,
    (ServerState.IDLE, Cause.DISABLE): ServerState.READY,
    (ServerState.READY, Cause.STOP): ServerState.NOT_READY,
    (ServerState.IDLE, Cause.STOP): ServerState.NOT_READY,
    (ServerState.NOT_READY, Cause.RESET): ServerState.NOT_READY,
    (ServerState.READY, Cause.RESET): ServerState.NOT_READY,
    (ServerState.IDLE, Cause.RESET): ServerState.NOT_READY,
    (ServerState.IDLE, Cause.BUSY): ServerState.ACTIVE,
    (ServerState.ACTIVE, Cause.DONE): ServerState.IDLE,
}
"""Where each command or event leads; what is not listed is refused."""


def _nothing() -> None:
    """Do nothing: the hook of a server that has nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StdHooks:
    """What a server does at a command; a hook that raises keeps the state unchanged.

    Attributes:
        on_init: Loads the configuration.
        on_enable: Begins to accept commands.
        on_disable: Refuses them again.
        on_stop: Goes back to NotReady, also at a reset.
        is_active: Tells whether there is work in progress.
        describe: Says in a few words what the server is doing.
    """

    on_init: Callable[[], None] = _nothing
    on_enable: Callable[[], None] = _nothing
    on_disable: Callable[[], None] = _nothing
    on_stop: Callable[[], None] = _nothing
    is_active: Callable[[], bool] = field(default=lambda: False)
    describe: Callable[[], str] = field(default=lambda: "")

    def of(self, cause: Cause) -> Callable[[], None]:
        """Return what is done at a command."""
        match cause:
            case Cause.INIT:
                return self.on_init
            case Cause.ENABLE:
                return self.on_enable
            case Cause.DISABLE:
                return self.on_disable
            case Cause.STOP | Cause.RESET:
                return self.on_stop
            case Cause.BUSY | Cause.DONE:
                return _nothing


class StdServant(StdCmds):
    """Implements ``StdCmds`` for any server; every change is published as ``std/status``.

    Args:
        site: Where it runs.
        hooks: What the server does at a command.
        logger: Under which name it logs its life; empty: that of this module.
    """

    def __init__(self, site: Site, hooks: StdHooks | None = None, logger: str = "") -> None:
        self._site = site
        self._log = logging.getLogger(logger) if logger else log
        self._hooks = hooks or StdHooks()
        self._state = ServerState.NOT_READY
        self._lock = threading.RLock()

    @property
    def state(self) -> ServerState:
        """The state now."""
        return self._state

    def announce(self) -> None:
        """Publish the state as it is."""
        with self._lock:
            self._site.publish(
                STATUS_TOPIC, StdStatus(status=self._state.value, source=self._site.name)
            )
            self._site.record("std/state", self._state.value)

    def refresh_activity(self) -> None:
        """Go to Active or Idle, as there is work in progress or not."""
        with self._lock:
            cause = Cause.BUSY if self._hooks.is_active() else Cause.DONE
            target = TRANSITIONS.get((self._state, cause))
            if target is not None:
                self._enter(target)

    @override
    def init(self) -> str:
        return self._command(Cause.INIT)

    @override
    def enable(self) -> str:
        with self._lock:
            answer = self._command(Cause.ENABLE)
            self.refresh_activity()
            return answer

    @override
    def disable(self) -> str:
        return self._command(Cause.DISABLE)

    @override
    def stop(self) -> str:
        return self._command(Cause.STOP)

    @override
    def reset(self) -> str:
        return self._command(Cause.RESET)

    @override
    def get_state(self) -> str:
        return self._state.value

    @override
    def get_status(self) -> str:
        doing = self._hooks.describe()
        return f"{self._state.value}: {doing}" if doing else self._state.value

    @override
    def get_version(self) -> str:
        try:
            return version("obsorb")
        except PackageNotFoundError:
            return "unknown"

    @override
    def exit(self) -> str:
        self._log.log(ACTION, "%s was asked to exit", self._site.name)
        self._site.request_exit()
        return DONE

    @override
    def set_log_level(self, info: LogInfo) -> str:
        if info.logger and info.logger not in logging.Logger.manager.loggerDict:
            raise BadParam(
                f"{self._site.name} has no logger {info.logger!r}",
                field="info.logger",
                cause="the name is mistyped, or nothing has been logged under it yet",
                remedy=f"give '' for all of them, a module of the server, or one of {_named()}",
            )
        logging.getLogger(info.logger or None).setLevel(LEVEL_NUMBERS[info.level])
        self._log.log(ACTION, "level of logger %s is %s", info.logger or "(root)", info.level)
        return DONE

    def _command(self, cause: Cause) -> str:
        with self._lock:
            target = TRANSITIONS.get((self._state, cause))
            if target is None:
                raise self._illegal(cause)
            try:
                self._hooks.of(cause)()
            except (RemoteError, OSError) as error:
                raise self._failed(cause, error) from error
            self._enter(target)
            return DONE

    def _enter(self, target: ServerState) -> None:
        self._state = target
        self._log.log(STATE, "%s: %s", self._site.name, target)
        self.announce()

    def _illegal(self, cause: Cause) -> ExceptionErr:
        possible = [str(begin) for begin, each in TRANSITIONS if each is cause]
        busy = self._state is ServerState.ACTIVE
        return ExceptionErr(
            f"{cause} is not possible in {self._state}",
            state=self._state.value,
            cause="acquisitions are in progress" if busy else "",
            remedy=f"it is possible in {', '.join(possible)}"
            + ("; stop or abort the acquisitions first" if busy else ""),
        )

    def _failed(self, cause: Cause, error: RemoteError | OSError) -> ExceptionErr:
        return ExceptionErr(
            f"{cause} has failed: {error}",
            state=self._state.value,
            cause=error.cause if isinstance(error, RemoteError) else "",
            remedy=error.remedy if isinstance(error, RemoteError) else "repair it and repeat",
        )


def _named() -> str:
    """List the loggers that ESO names and this process has."""
    return ", ".join(each for each in NAMED if each in logging.Logger.manager.loggerDict)
