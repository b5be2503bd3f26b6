"""The standard interface of a server (``stdif.StdCmds``): its life and its logs."""

from __future__ import annotations

from typing import Protocol

from idl_like_interfaces.declare import Role, Value, interface, operation
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.logs import LogLevel

STATUS_TOPIC = "std/status"
"""Every change of a server's state, body ``StdStatus``."""


class StdStatus(Value, frozen=True, kw_only=True):
    """A server's state.

    Attributes:
        status: e.g. ``Operational;Idle``.
        source: The server.
    """

    status: str
    source: str


class LogInfo(Value, frozen=True, kw_only=True):
    """A logger and the level that it shall have.

    Attributes:
        level: The level.
        logger: Its name; empty: the root.
    """

    level: LogLevel
    logger: str = ""


class ExceptionErr(RemoteError, repository_id="IDL:obsorb/stdif/ExceptionErr:1.0"):
    """The command is not possible in this state; the state is unchanged.

    Attributes:
        state: The state.
    """

    state: str


@interface("IDL:obsorb/stdif/StdCmds:1.0")
class StdCmds(Protocol):
    """The application state machine.

    ====================  =========  ====================
    from                  command    to
    ====================  =========  ====================
    NotOperational;NotReady  init     NotOperational;Ready
    NotOperational;Ready     enable   Operational;Idle
    Operational;Idle         disable  NotOperational;Ready
    NotOperational;Ready     stop     NotOperational;NotReady
    Operational;Idle         stop     NotOperational;NotReady
    any                      reset    NotOperational;NotReady
    Operational;Idle         (first acquisition becomes active)  Operational;Active
    Operational;Active       (none is active any more)           Operational;Idle
    ====================  =========  ====================

    ``disable`` and ``stop`` are refused while acquisitions are active. Commands
    that succeed answer ``OK``.
    """

    @operation(ExceptionErr, role=Role.ENGINEER)
    def init(self) -> str:
        """Load the configuration and become ready.

        Raises:
            ExceptionErr: Not in NotReady.
        """

    @operation(ExceptionErr)
    def enable(self) -> str:
        """Begin to accept acquisition commands.

        Raises:
            ExceptionErr: Not in Ready.
        """

    @operation(ExceptionErr)
    def disable(self) -> str:
        """Refuse acquisition commands again.

        Raises:
            ExceptionErr: Not in Idle.
        """

    @operation(ExceptionErr, role=Role.ENGINEER)
    def stop(self) -> str:
        """Go back to NotReady.

        Raises:
            ExceptionErr: Not in Ready or Idle.
        """

    @operation(ExceptionErr, role=Role.ENGINEER)
    def reset(self) -> str:
        """Go back to NotReady from any state.

        Raises:
            ExceptionErr: Acquisitions are active.
        """

    @operation(idempotent=True)
    def get_state(self) -> str:
        """Return the state, e.g. ``Operational;Active``."""

    @operation(idempotent=True)
    def get_status(self) -> str:
        """Return the state and what the server is doing, for people."""

    @operation(idempotent=True)
    def get_version(self) -> str:
        """Return the version of the program."""

    @operation(role=Role.ENGINEER)
    def exit(self) -> str:
        """Answer, then end the server in good order."""

    @operation(role=Role.ENGINEER)
    def set_log_level(self, info: LogInfo) -> str:
        """Change the level of a logger at run time.

        Raises:
            BadParam: The server has no such logger.
        """
