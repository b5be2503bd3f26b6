"""All that the dashboard shows, as one immutable value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from idl_like_interfaces.accounts import Balance
from idl_like_interfaces.alarm_statistics import AlarmStats
from idl_like_interfaces.alarms import Overview
from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.daqif import DaqState, DaqStory, DaqSubstate
from idl_like_interfaces.event_logger import LoggerStatus
from idl_like_interfaces.events import ConsumerStats, JournalStats
from idl_like_interfaces.logs import LogLevel
from idl_like_interfaces.oldb import OldbStats
from idl_like_interfaces.project import ProjectInformation
from idl_like_interfaces.run_control import RunControlStatus
from idl_like_interfaces.supervision import SupervisorStatus

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
        readers: Its consumers, each with what waits for it and its quality of service.
        journal: On disk; None: there is none.
    """

    events: int = 0
    events_per_s: float = 0.0
    history: tuple[float, ...] = ()
    held_bytes: int = 0
    consumers: int = 0
    dropped: int = 0
    topics: tuple[tuple[str, int], ...] = ()
    readers: tuple[ConsumerStats, ...] = ()
    journal: JournalStats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """The calls of an object, without those of the dashboard for these figures.

    Attributes:
        name: Of the object.
        per_s: Calls per second over the last seconds; None when it was asked only once.
        p99_s: The time that 99 of 100 calls of the last half minute did not exceed, without
            long-polls; None without calls.
        highest_bound_s: A time that reaches this may be longer.
        calls: Since the object is active; the others too.
        in_progress: Executed or waiting now.
        refused: Ended by an error.
        failed: Ended by a bug.
        dropped: Not executed: out of time, sent twice, or too many.
        denied: Not executed: not allowed.
    """

    name: str
    per_s: float | None = None
    p99_s: float | None = None
    highest_bound_s: float = 0.0
    calls: int = 0
    in_progress: int = 0
    refused: int = 0
    failed: int = 0
    dropped: int = 0
    denied: int = 0

    @property
    def troubles(self) -> tuple[tuple[int, str], ...]:
        """What should not be, with its number; the worst first."""
        found = (self.failed, "failed"), (self.dropped, "dropped"), (self.denied, "denied")
        return tuple(each for each in found if each[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class NameServerLine:
    """One of several name servers; ``role`` is ``away`` when it does not answer."""

    address: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggerLine:
    """An event logger.

    Attributes:
        name: Of its control object.
        status: What it said last.
        rates: Events per second of all its runs, oldest first.
        why: Why it does not answer now; empty: it does.
    """

    name: str
    status: LoggerStatus
    rates: tuple[float, ...] = ()
    why: str = ""

    @property
    def short(self) -> str:
        """Its name without what all have in common."""
        return self.name.removesuffix("/control").rpartition("/")[2]


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
        calls: A line for each object that tells of its calls, the busiest first.
        name_servers: When there are several.
        alarms: Those that are bad or acknowledged; None: the service was never reached, or is
            no part of the installation. So of the others.
        alarm_stats: How much there is to do.
        balance: The accounts of all hops.
        oldb: The online database.
        project: Who does what.
        supervisor: The processes.
        chosen: Id of the acquisition whose story is told; empty: none.
        story: Its story; None: it was not asked for, or cannot be had.
        story_note: Why it cannot be had now.
        run_control: Who commands, and the active runs.
        loggers: The event loggers, sorted by name.
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
    calls: tuple[CallLine, ...] = ()
    name_servers: tuple[NameServerLine, ...] = ()
    alarms: Overview | None = None
    alarm_stats: AlarmStats | None = None
    balance: Balance | None = None
    oldb: OldbStats | None = None
    project: ProjectInformation | None = None
    supervisor: SupervisorStatus | None = None
    chosen: str = ""
    story: DaqStory | None = None
    story_note: str = ""
    run_control: RunControlStatus | None = None
    loggers: tuple[LoggerLine, ...] = ()
