"""All that the dashboard shows, as one immutable value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.daqif import DaqState, DaqSubstate
from idl_like_interfaces.logs import LogLevel

SILENT_AFTER_S = 3.0
"""A component whose last heartbeat is older than this is shown as silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentLine:
    """A component: its lease in the name service and its last heartbeat.

    Attributes:
        name: Its name in the installation.
        kind: What it is; empty when no heartbeat was heard.
        state: As its heartbeat said; None when none was heard.
        detail: As its heartbeat said.
        pid: Process id; 0 when unknown.
        uptime_s: Since its start; None when unknown.
        silent_s: Age of the last heartbeat; None when none was heard.
        lease_s: What is left of its lease; None without a lease.
        names: Names that are bound under the lease.
    """

    name: str
    kind: str = ""
    state: ComponentState | None = None
    detail: str = ""
    pid: int = 0
    uptime_s: float | None = None
    silent_s: float | None = None
    lease_s: float | None = None
    names: tuple[str, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Tell whether heartbeats have stopped to come."""
        return self.silent_s is not None and self.silent_s > SILENT_AFTER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquisitionLine:
    """An acquisition; ``age_s`` is the time since its last change."""

    id: str
    file_id: str
    state: DaqState
    substate: DaqSubstate
    error: bool = False
    message: str = ""
    result: str = ""
    age_s: float = 0.0

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended, well or not."""
        return self.state is DaqState.COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A log record."""

    time: datetime
    level: LogLevel
    component: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLine:
    """The event channel.

    Attributes:
        events: Events of its epoch.
        events_per_s: Rate now.
        history: Rates of the last seconds, oldest first.
        held_bytes: Size of what it holds.
        consumers: Connected consumers.
        dropped: Events that these have lost.
        topics: The busiest topics with their counts, busiest first.
    """

    events: int = 0
    events_per_s: float = 0.0
    history: tuple[float, ...] = ()
    held_bytes: int = 0
    consumers: int = 0
    dropped: int = 0
    topics: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that the dashboard cannot reach.

    Attributes:
        what: e.g. ``name server localhost:9090``.
        since_s: For how long.
        why: The error.
    """

    what: str
    since_s: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An installation at a moment.

    Attributes:
        time: The moment, UTC.
        name_server: Its address.
        root: Root context of the installation's names.
        names: Number of bound objects.
        components: Sorted by name.
        acquisitions: Those that are active first, then the newest ended ones.
        channel: The event channel; None when it was never reached.
        log: Oldest first.
        troubles: What cannot be reached now; the rest is as it was last seen.
    """

    time: datetime
    name_server: str
    root: str
    names: int = 0
    components: tuple[ComponentLine, ...] = ()
    acquisitions: tuple[AcquisitionLine, ...] = ()
    channel: ChannelLine | None = None
    log: tuple[LogLine, ...] = ()
    troubles: tuple[Trouble, ...] = ()
