"""How a component stands, and who sees to it that it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from idl_like_interfaces.accounts import Accountant
from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.declare import Role, Seconds, UtcTime, Value, interface, operation
from idl_like_interfaces.errors import RemoteError


class Health(Value, frozen=True, kw_only=True):
    """How a component stands.

    Attributes:
        component: Its name in the installation.
        kind: What it is.
        incarnation: Its start.
        state: Of its life.
        is_ready: It can do its work now.
        reason: Why it is not ready, or what it must do without (``event channel away since 10:04``);
            empty when all is well.
        detail: A few words on what it does.
        uptime_s: Since its start.
        pid: Process id.
        host: Host name.
    """

    component: str
    kind: str
    incarnation: str
    state: ComponentState
    is_ready: bool
    reason: str = ""
    detail: str = ""
    uptime_s: Seconds = 0.0
    pid: int = 0
    host: str = ""


@interface("IDL:obsorb/component/ComponentObject:1.0")
class ComponentObject(Accountant, Protocol):
    """Every component, as ``obs/components/<name>``."""

    @operation(idempotent=True)
    def get_health(self) -> Health:
        """Return how it stands; that it answers says that it lives."""


class PartState(StrEnum):
    """Life of a supervised process."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """It died, and is started again in a while."""
    ENDED = "ended"
    """It ended on request."""


class PartStatus(Value, frozen=True, kw_only=True):
    """A process that is supervised.

    Attributes:
        name: In the installation; also ``name server``.
        kind: What it is.
        state: Its life.
        pid: Process id; 0 when it does not run.
        since: When it came into this state.
        deaths: How often it died since the supervisor was started.
        recent_deaths: Of these, within the last minute.
        last_death: How it died last, e.g. ``signal SIGKILL``; empty: never.
        restart_in_s: Of one that waits: when it is started again.
        is_alarming: It dies again and again: an alarm is raised.
    """

    name: str
    kind: str
    state: PartState
    pid: int
    since: UtcTime
    deaths: int = 0
    recent_deaths: int = 0
    last_death: str = ""
    restart_in_s: Seconds = 0.0
    is_alarming: bool = False


class SupervisorStatus(Value, frozen=True, kw_only=True):
    """An installation that runs.

    Attributes:
        installation: Its name.
        file: The installation file.
        host: Where it runs.
        started: Since when.
        parts: Its processes, in the order of the file.
    """

    installation: str
    file: str
    host: str
    started: UtcTime
    parts: list[PartStatus]


class NoSuchPart(RemoteError, LookupError, repository_id="IDL:obsorb/component/NoSuchPart:1.0"):
    """The installation has no such part.

    Attributes:
        part: The name.
    """

    part: str


@interface("IDL:obsorb/component/Supervisor:1.0")
class Supervisor(Protocol):
    """Who started an installation and keeps it running (``obsorb up``), as ``obs/supervisor``."""

    @operation(idempotent=True)
    def get_status(self) -> SupervisorStatus:
        """Return how all parts stand."""

    @operation(NoSuchPart, role=Role.ENGINEER)
    def restart(self, part: str) -> None:
        """End a part in good order and start it again; at once when it waits for its restart.

        Raises:
            NoSuchPart: There is none of this name.
        """
