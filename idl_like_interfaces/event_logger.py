"""The event logger: streams of events to files, several runs at once (after D0's DataLogger)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Protocol

from msgspec import Meta, field

from idl_like_interfaces.declare import (
    Document,
    Finite,
    Period,
    Role,
    Seconds,
    UtcTime,
    Value,
    interface,
    operation,
)
from idl_like_interfaces.errors import RemoteError

LOGGER_TOPIC = "logger/status"
"""Each period and at each change of state, body ``LoggerStatus``."""

RunNumber = Annotated[int, Meta(ge=1, le=4_294_967_295)]
StreamId = Annotated[int, Meta(ge=0, le=65_535)]
StreamName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_+-][A-Za-z0-9_.+-]*(?!\n)$",
        max_length=64,
        description="letters, digits, _ . + and -, not a dot at the begin, at most 64",
    ),
]
"""Name of a stream: part of file names."""

UNASSIGNED = "unassigned"
"""Stream of a run for events whose stream id nobody configured."""

MOST_STREAMS = 4096
"""Streams of one configuration; each has a thread in each run."""

MOST_FILES = 2000
"""Files that one reply of a certificate tells; the others are asked for page by page."""


class LoggerState(StrEnum):
    """State of the process."""

    PRE_INITIALIZED = "PRE-INITIALIZED"
    INITIALIZED = "INITIALIZED"
    CONFIGURED = "CONFIGURED"
    RUNNING = "RUNNING"


class RunState(StrEnum):
    """State of a run in a logger."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ENDING = "ENDING"
    ENDED = "ENDED"
    ABORTED = "ABORTED"


class FileState(StrEnum):
    """State of a file of a stream."""

    OPEN = "OPEN"
    """Takes events."""
    END = "END"
    """Full; still takes events that belong to its range."""
    CLOSED = "CLOSED"
    """Never changes any more."""
    ERROR = "ERROR"
    """Could not be written; what is in it is kept."""


class FileKind(StrEnum):
    """What a file holds."""

    EVENTS = "events"
    GARBAGE = "garbage"
    """Events of a range whose file is closed."""
    ORPHAN = "orphan"
    """Events of a run that was never started or has ended."""


class RangeUnit(StrEnum):
    """Of what a file holds a contiguous range."""

    LBN = "lbn"
    """Luminosity blocks: the events of one are in one file of a stream."""
    EVENT = "event"
    """Event numbers, in groups of ``rangeSize``."""


class StreamParameters(Document, frozen=True, kw_only=True, rename="camel"):
    """How a stream is written; ``None``: as the stream defaults say.

    Attributes:
        max_bytes: A file is full with so many bytes; at least 1 MiB.
        max_events: Or with so many events.
        max_s: Or at this age.
        volumes: Folders to write to, by preference; the next one when one fails. Relative:
            below the data root.
        flush_period_s: After so long at most what was written goes to the system.
        flush_bytes: Or when there is so much of it.
        sync_period_s: After so long at most it is synced to the disk: durable.
        range_unit: What a range is.
        range_size: Event numbers of one range, for the unit ``event``.
        range_grace_s: So long after its range has gone by a full file waits for late events.
        queue_events: Events that wait for the stream's thread at most.
        queue_bytes: And their bytes.
    """

    max_bytes: Annotated[int, Meta(ge=1 << 20, le=1 << 46)] | None = None
    max_events: Annotated[int, Meta(ge=1)] | None = None
    max_s: Period | None = None
    volumes: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)] | None = None
    flush_period_s: Period | None = None
    flush_bytes: Annotated[int, Meta(ge=4096, le=1 << 28)] | None = None
    sync_period_s: Period | None = None
    range_unit: RangeUnit | None = None
    range_size: Annotated[int, Meta(ge=1)] | None = None
    range_grace_s: Seconds | None = None
    queue_events: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    queue_bytes: Annotated[int, Meta(ge=1 << 16, le=1 << 32)] | None = None


class StreamConfiguration(Document, frozen=True, kw_only=True, rename="camel"):
    """A stream that the logger writes.

    Attributes:
        name: Unique in the logger, whatever the case of its letters.
        id: By which events name it; unique.
        parameters: Its own; what it does not say comes from the defaults.
    """

    name: StreamName
    id: StreamId
    parameters: StreamParameters = StreamParameters()


class DebugLevel(StrEnum):
    """How much the logger writes to its log."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"
    DEBUG = "DEBUG"


class LoggerInit(Document, frozen=True, kw_only=True, rename="camel"):
    """Arguments of INIT; what is ``None`` comes from the component's settings.

    Attributes:
        event_port: Port of the event server; 0: any free one.
        alarm_service: Name of the alarm service.
        event_channel: Name of the channel for status and statistics (the monitor).
        defaults: Defaults for all streams.
        debug_level: Of its log.
    """

    event_port: Annotated[int, Meta(ge=0, le=65_535)] | None = None
    alarm_service: Annotated[str, Meta(min_length=1)] | None = None
    event_channel: Annotated[str, Meta(min_length=1)] | None = None
    defaults: StreamParameters = StreamParameters()
    debug_level: DebugLevel | None = None


class LoggerConfiguration(Document, frozen=True, kw_only=True, rename="camel"):
    """Arguments of CONFIG: all streams that the logger writes. For runs that start later.

    Attributes:
        streams: All of them.
        defaults: Changes of the stream defaults; ``None`` in a field: as before.
        debug_level: Of its log, at once; ``None``: as before.
        min_free_warning: Part of a volume that is free below which it is warned.
        min_free_pause: Below which run control is asked to pause.
        min_free_close: Below which files are closed and events are refused.
        status_period_s: How often the status is published.
    """

    streams: Annotated[list[StreamConfiguration], Meta(min_length=1, max_length=MOST_STREAMS)]
    defaults: StreamParameters = StreamParameters()
    debug_level: DebugLevel | None = None
    min_free_warning: Annotated[float, Meta(ge=0, le=1)] = 0.10
    min_free_pause: Annotated[float, Meta(ge=0, le=1)] = 0.05
    min_free_close: Annotated[float, Meta(ge=0, le=1)] = 0.02
    status_period_s: Period = 1.0


class LoggerRunStart(Document, frozen=True, kw_only=True, rename="camel"):
    """Arguments of START_RUN.

    Attributes:
        run: Its number; greater than that of any run before.
        recording: False: events are counted, and nothing is written.
        comment: Goes into the files.
        data_type: Goes into the files, e.g. ``physics``.
        shifter: Goes into the files.
    """

    run: RunNumber
    recording: bool = True
    comment: str = ""
    data_type: str = ""
    shifter: str = ""


class WrittenFile(Value, frozen=True, kw_only=True):
    """A file of a run.

    Attributes:
        path: Absolute; of one that is not closed with ``.part`` behind.
        stream: Its stream.
        kind: What it holds.
        state: Its state.
        events: Records in it.
        size_bytes: Bytes written.
        durable_bytes: Of these synced.
        first_event: Smallest event number; 0: none.
        last_event: Greatest.
        first_lbn: Begin of its range.
        last_lbn: Its end.
        digest: ``sha256:`` and 64 hexadecimal digits, of a closed file; else empty.
        reason_closed: Why it was closed, e.g. ``maxBytes``, ``end of run``.
        problem: Why it is in ERROR; else empty.
    """

    path: str
    stream: str
    kind: FileKind = FileKind.EVENTS
    state: FileState
    events: int
    size_bytes: int
    durable_bytes: int = 0
    first_event: int = 0
    last_event: int = 0
    first_lbn: int = 0
    last_lbn: int = 0
    digest: str = ""
    reason_closed: str = ""
    problem: str = ""


class StreamStatus(Value, frozen=True, kw_only=True):
    """A stream of a run.

    Attributes:
        name: Its name.
        id: Its id.
        events: Written, all files together.
        bytes: Their bytes.
        events_s: Rate over the last periods, 1/s.
        bytes_s: The same of bytes.
        queue_events: Waiting for its thread.
        queue_bytes: Their bytes.
        blocked_s: For so long somebody has waited for room in its queue, without end till now.
        garbage: Events that came too late for their file.
        files: The latest files, at most 32; ``files_total`` of them.
        files_total: All files.
        volume: Where it writes now.
        problem: Why it does not write; empty: it does.
    """

    name: str
    id: int
    events: int = 0
    bytes: int = 0
    events_s: Finite = 0.0
    bytes_s: Finite = 0.0
    queue_events: int = 0
    queue_bytes: int = 0
    blocked_s: Seconds = 0.0
    garbage: int = 0
    files: list[WrittenFile] = []
    files_total: int = 0
    volume: str = ""
    problem: str = ""


class GapNote(Value, frozen=True, kw_only=True):
    """Messages of a sender that never came.

    Attributes:
        sender: Its name.
        count: How many; 0: not known.
        time: When it was noticed.
        reason: Why.
    """

    sender: str
    count: int
    time: UtcTime
    reason: str


class LoggerRun(Value, frozen=True, kw_only=True):
    """A run in a logger.

    Attributes:
        run: Its number.
        state: Its state.
        recording: False: nothing is written.
        started: When.
        ended: When; None: it has not.
        events: Accepted for it, each counted once.
        bytes: Of the messages of these events, frames included; each counted once, in however
            many streams it is.
        events_s: Rate, 1/s.
        bytes_s: The same of bytes.
        mismatches: Messages whose run number was not that of an active run, on senders of it.
        gaps: Where messages are missing; the latest 100, and at most 10 older ones of unknown
            length.
        gap_count: How many messages are missing.
        is_restored: It was taken up after a crash and awaits run control's word.
        streams: Its streams.
        reason: Why it is paused, aborted or in trouble; empty: all is well.
    """

    run: int
    state: RunState
    recording: bool = True
    started: UtcTime
    ended: UtcTime | None = None
    events: int = 0
    bytes: int = 0
    events_s: Finite = 0.0
    bytes_s: Finite = 0.0
    mismatches: int = 0
    gaps: list[GapNote] = []
    gap_count: int = 0
    is_restored: bool = False
    streams: list[StreamStatus] = []
    reason: str = ""


class SenderStatus(Value, frozen=True, kw_only=True):
    """A sender as the logger knows it.

    Attributes:
        name: Its name.
        incarnation: Its start.
        address: From where it spoke last.
        is_connected: It was heard within the last seconds.
        accepted: Its messages, accepted.
        durable: Of these, synced.
        duplicates: Came again and were dropped.
        refused: Damaged, or of no use.
        skipped: Messages of other types, by type.
        last_heard: When.
    """

    name: str
    incarnation: int
    address: str = ""
    is_connected: bool = False
    accepted: int = 0
    durable: int = 0
    duplicates: int = 0
    refused: int = 0
    skipped: dict[str, int] = {}
    last_heard: UtcTime


class VolumeStatus(Value, frozen=True, kw_only=True):
    """A file system that is written to.

    Attributes:
        path: A folder on it.
        free_bytes: Room.
        size_bytes: Its size.
        full_in_s: Forecast at the present rate; None: it does not fill.
        fullest_stream: Which stream fills it most; empty: none.
        level: ``ok``, ``warning``, ``pause`` or ``close``.
    """

    path: str
    free_bytes: int
    size_bytes: int
    full_in_s: Seconds | None = None
    fullest_stream: str = ""
    level: str = "ok"


class LoggerStatus(Value, frozen=True, kw_only=True):
    """The whole logger; made once a second at most, the same for all who ask (D69).

    Attributes:
        name: The component.
        state: Of the process.
        time: When this was made.
        parameters: What INIT and CONFIG set: port, services, defaults, debug level.
        streams: The streams of the present configuration, with all parameters.
        runs: Active runs, and the latest that ended (16).
        senders: Who sends, the latest 256.
        connections: Of the event server.
        not_accepted: Events that came in a state without an active run.
        unassigned: Stream ids that nobody configured, with how many events named them.
        orphans: Events of no active run, by run number; -1: of all further numbers, when
            there are too many to tell them apart.
        volumes: Where it writes.
        links: Its clients: ``run_control``, ``alarms``, ``channel``, ``names`` and how they are
            (``connected``, ``disconnected since ...``).
        problem: FAILURE: why it cannot go on; empty: it can.
    """

    name: str
    state: LoggerState
    time: UtcTime
    parameters: LoggerInit = LoggerInit()
    streams: list[StreamConfiguration] = []
    runs: list[LoggerRun] = []
    senders: list[SenderStatus] = []
    connections: int = 0
    not_accepted: int = 0
    unassigned: dict[str, int] = {}
    orphans: dict[str, int] = {}
    volumes: list[VolumeStatus] = []
    links: dict[str, str] = {}
    problem: str = ""


class RunCertificate(Value, frozen=True, kw_only=True):
    """What a writer confirms of a run that has ended: counts and digests that are on the disk.

    Attributes:
        run: Its number.
        state: ENDED or ABORTED.
        recording: False: nothing was to be written.
        events: Accepted, each counted once.
        bytes: Of their messages, frames included.
        files: Files, closed and digested: at most 2000 of them, from the one that was asked for on.
        missing: What is missing or damaged, in words; empty: all that was accepted is on the disk.
        files_total: All files; 0: those that are told here.
        gap_count: Messages of senders that never came, as far as it is known how many.
        gaps: Where they are missing; the latest 100, and at most 10 older ones of unknown length.
    """

    run: int
    state: RunState
    recording: bool
    events: int
    bytes: int
    files: list[WrittenFile] = []
    missing: list[str] = field(default_factory=list)
    files_total: Annotated[int, Meta(ge=0)] = 0
    gap_count: Annotated[int, Meta(ge=0)] = 0
    gaps: list[GapNote] = []


class CommandRefused(
    RemoteError, RuntimeError, repository_id="IDL:obsorb/logger/CommandRefused:1.0"
):
    """The command is not legal now; nothing has changed.

    Attributes:
        command: Which.
        state: Of the logger.
    """

    command: str
    state: str


class NoSuchRun(RemoteError, LookupError, repository_id="IDL:obsorb/coor/NoSuchRun:1.0"):
    """No such run is known.

    Attributes:
        run: Its number.
    """

    run: int


class Fenced(RemoteError, PermissionError, repository_id="IDL:obsorb/logger/Fenced:1.0"):
    """The command comes from who has lost control meanwhile; nothing has changed.

    Attributes:
        fence: With which it came.
        newest: The newest that was seen.
    """

    fence: int
    newest: int


@interface("IDL:obsorb/logger/LoggerControl:1.0")
class LoggerControl(Protocol):
    """Commands of an event logger (``obs/logger/<n>/control``); specification section 2.3.

    Each command takes a ``fence``, the number of the control lease under which it is given:
    one below the newest that the logger has seen is refused. 0: by hand, without a lease;
    legal as long as no run is active that run control started. A refused command changes nothing.
    Repeating a command that has taken effect is harmless.
    """

    @operation(CommandRefused, Fenced, idempotent=True, role=Role.OPERATOR)
    def init(self, arguments: LoggerInit, fence: int = 0) -> LoggerState:
        """PRE-INITIALIZED to INITIALIZED: open the event server, connect to the services.

        Services that are away do not matter: they are connected to when they are there.

        Raises:
            CommandRefused: It is initialized already with other arguments, or the port is not free.
            Fenced: See the interface.
            BadParam: An argument contradicts another.
        """

    @operation(CommandRefused, Fenced, idempotent=True, role=Role.OPERATOR)
    def configure(self, configuration: LoggerConfiguration, fence: int = 0) -> LoggerState:
        """Load all streams; for runs that start later. Legal in all states but PRE-INITIALIZED.

        Raises:
            CommandRefused: It is PRE-INITIALIZED.
            Fenced: See the interface.
            BadParam: A name or id stands twice, thresholds contradict each other, a volume
                cannot be written; with the path of the field.
        """

    @operation(CommandRefused, Fenced, idempotent=True, role=Role.OPERATOR)
    def start_run(self, start: LoggerRunStart, fence: int = 0) -> LoggerRun:
        """Begin a run with a copy of the configuration: one stream object each.

        Raises:
            CommandRefused: It is not CONFIGURED or RUNNING; the number is used or too small; no
                volume has room.
            Fenced: See the interface.
        """

    @operation(CommandRefused, NoSuchRun, Fenced, idempotent=True, role=Role.OPERATOR)
    def end_run(self, run: int, fence: int = 0, timeout_s: Seconds = 10.0) -> RunCertificate:
        """Take no more events of the run, write what waits, close and digest its files.

        Returns:
            What is on the disk; the first page of its files. When this takes longer than
            ``timeout_s`` the run is ENDING and ``missing`` says so: ask again.

        Raises:
            NoSuchRun: There is none.
            CommandRefused: It was aborted.
            Fenced: See the interface.
        """

    @operation(NoSuchRun, Fenced, idempotent=True, role=Role.OPERATOR)
    def abort_run(
        self, run: int, reason: str, fence: int = 0, timeout_s: Seconds = 10.0
    ) -> RunCertificate:
        """Close the files of a run at once and mark it aborted; what is written stays readable.

        Raises:
            NoSuchRun: There is none.
            Fenced: See the interface.
        """

    @operation(CommandRefused, NoSuchRun, Fenced, idempotent=True, role=Role.OPERATOR)
    def pause(self, run: int = 0, reason: str = "", fence: int = 0) -> LoggerState:
        """Accept no events of a run (0: of all) for now; its files stay open.

        Raises:
            NoSuchRun: There is none.
            CommandRefused: It is ending or has ended.
            Fenced: See the interface.
        """

    @operation(CommandRefused, NoSuchRun, Fenced, idempotent=True, role=Role.OPERATOR)
    def resume(self, run: int = 0, fence: int = 0) -> LoggerState:
        """Accept events again, into the same files.

        Raises:
            NoSuchRun: There is none.
            CommandRefused: It is ending or has ended, or its volume has no room.
            Fenced: See the interface.
        """

    @operation(idempotent=True)
    def get_status(self) -> LoggerStatus:
        """Return the latest status; it is at most a second old."""

    @operation(NoSuchRun, idempotent=True)
    def get_certificate(
        self, run: int, first_file: Annotated[int, Meta(ge=0)] = 0
    ) -> RunCertificate:
        """Return what is on the disk of a run that has ended or is ending.

        Args:
            run: Its number.
            first_file: Tell its files from this one on, counted from 0.

        Raises:
            NoSuchRun: There is none, or it is active.
        """

    @operation(CommandRefused, Fenced, idempotent=True, role=Role.OPERATOR)
    def reset(self, fence: int = 0) -> LoggerState:
        """Back to PRE-INITIALIZED: close the event server, forget the configuration.

        Raises:
            CommandRefused: A run is active.
            Fenced: See the interface.
        """

    @operation(CommandRefused, Fenced, role=Role.OPERATOR)
    def stop(self, is_forced: bool = False, fence: int = 0) -> None:
        """End the process in good order.

        Args:
            is_forced: Also with active runs: their files are closed, the runs aborted.
            fence: See the interface.

        Raises:
            CommandRefused: A run is active, and it is not forced.
            Fenced: See the interface.
        """
