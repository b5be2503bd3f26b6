"""Run control (COOR's role): one run over any number of loggers, acquisitions and archivers."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TypeAlias

from idl_like_interfaces.declare import (
    Finite,
    Role,
    Seconds,
    UtcTime,
    Value,
    interface,
    operation,
)
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.event_logger import GapNote, NoSuchRun, RunNumber, WrittenFile
from idl_like_interfaces.run_configuration import (
    Label,
    RunBegin,
    RunConfiguration,
    RunEnd,
    Text,
    WriterKind,
)

RUN_TOPIC = "run/changed"
"""At each change of a run, body ``Run``; urgent."""

CONTROL_TOPIC = "run/control"
"""When the control lease changes hands, body ``Control`` without its token; urgent."""

LOGBOOK_TOPIC = "run/logbook"
"""At each entry in the logbook, body ``LogbookEntry``."""


class Phase(StrEnum):
    """State of a run."""

    STARTING = "Starting"
    ACTIVE = "Active"
    PAUSED = "Paused"
    ENDING = "Ending"
    ENDED = "Ended"
    ABORTING = "Aborting"
    ABORTED = "Aborted"


class Verdict(StrEnum):
    """Whether all that a run has taken is known to be on disk."""

    OPEN = "open"
    """It has not ended."""
    GOOD = "GOOD"
    """Every writer has confirmed counts and digests on disk."""
    FLAGGED = "flagged"
    """Something is missing: ``missing`` says what."""


class WriterPhase(StrEnum):
    """How a writer stands in a run."""

    WAITING = "waiting"
    STARTING = "starting"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDING = "ending"
    CONFIRMED = "confirmed"
    """Counts and digests of its files are known, and they are on disk."""
    LOST = "lost"
    """It does not answer; it is asked again."""
    FAILED = "failed"


class RunWriter(Value, frozen=True, kw_only=True):
    """A writer in a run.

    Attributes:
        name: Its name in the configuration.
        kind: What it is.
        reference: Its control object.
        phase: How it stands.
        events: Events, or files of an acquisition.
        bytes: Their bytes.
        events_s: Rate, 1/s.
        bytes_s: The same of bytes.
        gap_count: Messages that are missing.
        files: Closed files, at most 1000 told one by one.
        files_total: All of them.
        problem: What is wrong; empty: nothing.
        since: In this phase since then.
    """

    name: str
    kind: WriterKind
    reference: str
    phase: WriterPhase
    events: int = 0
    bytes: int = 0
    events_s: Finite = 0.0
    bytes_s: Finite = 0.0
    gap_count: int = 0
    files: list[WrittenFile] = []
    files_total: int = 0
    problem: str = ""
    since: UtcTime


class RunNote(Value, frozen=True, kw_only=True):
    """Something that happened in a run: commands, changes of phase, alarms, gaps.

    Attributes:
        time: When.
        text: What.
        by: Who; empty: by itself.
    """

    time: UtcTime
    text: str
    by: str = ""


class Run(Value, frozen=True, kw_only=True):
    """A run, active or ended.

    Attributes:
        run: Its number: gap-free, never used twice.
        phase: Its state.
        verdict: Whether all is on disk.
        missing: What is missing, in words.
        begin: What was said at its begin.
        end: What was said at its end.
        started: When it was started.
        ended: When it had ended; None: it has not.
        configuration_digest: ``sha256:...`` of its configuration.
        writers: Its writers.
        events: Events of all loggers.
        bytes: Their bytes.
        gaps: Where messages are missing; the latest 100.
        gap_count: How many are.
        pause_reason: Why it is paused; empty: it is not.
        notes: The latest 200.
        report: Path of its report (HTML); empty before there is one.
    """

    run: RunNumber
    phase: Phase
    verdict: Verdict = Verdict.OPEN
    missing: list[str] = []
    begin: RunBegin
    end: RunEnd | None = None
    started: UtcTime
    ended: UtcTime | None = None
    configuration_digest: str
    writers: list[RunWriter] = []
    events: int = 0
    bytes: int = 0
    gaps: list[GapNote] = []
    gap_count: int = 0
    pause_reason: str = ""
    notes: list[RunNote] = []
    report: str = ""


Runs: TypeAlias = list[Run]


class LogbookMoment(StrEnum):
    """At what an entry in the logbook is made."""

    BEGIN = "begin"
    END = "end"


class LogbookEntry(Value, frozen=True, kw_only=True):
    """An entry that run control makes by itself: at the begin of each run and at its end.

    Attributes:
        number: Grows by one.
        moment: Begin or end.
        time: When it was made.
        run: The run.
        by: Who commanded; empty: run control itself.
        begin: What the shifter said at the begin.
        end: What the shifter said at the end; None: nothing (yet).
        phase: State of the run.
        verdict: Whether all is on disk.
        missing: What is missing, in words.
        started: When the run was started.
        ended: When it had ended; None: it has not.
        events: Events of all loggers.
        bytes: Their bytes.
        files: How many files there are.
        configuration_digest: Of its configuration.
        writers: Who took part.
        project: Project information then; empty: it could not be asked.
        remark: What run control has to say, e.g. that the project service was away, or why it aborted.
    """

    number: int
    moment: LogbookMoment
    time: UtcTime
    run: RunNumber
    by: str = ""
    begin: RunBegin
    end: RunEnd | None = None
    phase: Phase
    verdict: Verdict = Verdict.OPEN
    missing: list[str] = []
    started: UtcTime
    ended: UtcTime | None = None
    events: int = 0
    bytes: int = 0
    files: int = 0
    configuration_digest: str
    writers: list[str] = []
    project: dict[str, str] = {}
    remark: str = ""


Logbook: TypeAlias = list[LogbookEntry]


class Control(Value, frozen=True, kw_only=True):
    """The control lease: who may command.

    Attributes:
        holder: Operator; empty: nobody.
        place: From where, e.g. host and terminal.
        fence: Grows by one each time that control changes hands; goes with each command to the writers.
        until: It ends then unless it is renewed.
        token: Secret of the holder; empty for everybody else.
    """

    holder: str = ""
    place: str = ""
    fence: int = 0
    until: UtcTime | None = None
    token: str = ""


class Member(Value, frozen=True, kw_only=True):
    """A writer that has made itself known (D0 question Q2).

    Attributes:
        name: Its component.
        kind: What it is.
        control: Its control object: name or URI.
        incarnation: Its start.
        runs: Runs that are active in it.
        restored: Of these, taken up after a crash: it asks whether they still go on.
        newest_run: Greatest run number that it has seen.
        pause_wish: Why it asks for a pause (a disk that fills up); empty: it does not.
    """

    name: Label
    kind: WriterKind
    control: Label
    incarnation: str
    runs: list[RunNumber] = []
    restored: list[RunNumber] = []
    newest_run: int = 0
    pause_wish: Text = ""


class Orders(Value, frozen=True, kw_only=True):
    """What run control answers to a member.

    Attributes:
        active: Runs of it that go on.
        paused: Of these, paused.
        ended: Runs of it that have ended meanwhile: end them, too.
        aborted: The same, aborted.
        fence: The newest fence.
    """

    active: list[RunNumber] = []
    paused: list[RunNumber] = []
    ended: list[RunNumber] = []
    aborted: list[RunNumber] = []
    fence: int = 0


Members: TypeAlias = list[Member]


class RunControlStatus(Value, frozen=True, kw_only=True):
    """Run control at a glance.

    Attributes:
        control: Who commands.
        configuration: In force for the next run; None: not configured.
        initialized: Writers that are initialized.
        active: Runs that have not ended.
        last_run: The greatest number given; 0: none yet.
        members: Who has made itself known within the last seconds.
        pause_conditions: Alarm conditions for which runs are paused now.
        problem: What is wrong; empty: nothing.
    """

    control: Control
    configuration: RunConfiguration | None = None
    initialized: list[str] = []
    active: Runs = []
    last_run: int = 0
    members: Members = []
    pause_conditions: list[str] = []
    problem: str = ""


class ControlHeld(RemoteError, PermissionError, repository_id="IDL:obsorb/coor/ControlHeld:1.0"):
    """Somebody else has control.

    Attributes:
        holder: Who.
        place: From where.
        until: Until when, unless it is renewed; ISO-8601.
    """

    holder: str
    place: str
    until: str


class NotInControl(RemoteError, PermissionError, repository_id="IDL:obsorb/coor/NotInControl:1.0"):
    """The token is not that of the control lease (any more); nothing was done.

    Attributes:
        holder: Who has control now; empty: nobody.
    """

    holder: str


class RunRefused(RemoteError, RuntimeError, repository_id="IDL:obsorb/coor/RunRefused:1.0"):
    """The command is not possible now; nothing has changed.

    Attributes:
        command: Which.
        reasons: All that stands against it.
    """

    command: str
    reasons: list[str]


@interface("IDL:obsorb/coor/RunControl:1.0")
class RunControl(Protocol):
    """Begins and ends runs, and knows what became of them (``obs/run``).

    Commands need the token of the control lease. They return when they have taken effect or
    their time is over; what they began goes on, also over a crash of run control. Repeating
    one with the same ``request`` has no further effect.
    """

    @operation(ControlHeld, role=Role.OPERATOR)
    def take_control(
        self, operator: str, place: str = "", term_s: Seconds = 15.0, is_forced: bool = False
    ) -> Control:
        """Take the control lease; renew it within its term.

        Args:
            operator: Who; when the caller has a certificate its identity is put before.
            place: From where.
            term_s: How long it lasts without renewal, 1 to 3600 s.
            is_forced: Take it away from who has it; who had it is told at the next command.

        Raises:
            ControlHeld: Somebody has it, and it is not forced.
        """

    @operation(NotInControl, idempotent=True, role=Role.OPERATOR)
    def renew_control(self, token: str) -> Control:
        """Begin the term of the lease anew.

        Raises:
            NotInControl: It has ended, or somebody took it.
        """

    @operation(idempotent=True, role=Role.OPERATOR)
    def release_control(self, token: str) -> None:
        """Give it back; harmless when it is gone."""

    @operation(NotInControl, RunRefused, idempotent=True, role=Role.OPERATOR)
    def configure(self, token: str, configuration: RunConfiguration) -> RunControlStatus:
        """Take a configuration: check it, and bring all writers to it.

        Loggers are initialized when they are not, and configured. Active runs keep their own.

        Raises:
            NotInControl: See the interface.
            RunRefused: A writer is away or refuses; with all reasons.
            BadParam: It contradicts itself (unknown name in ``after``, a circle, a name twice),
                with the path of the field.
        """

    @operation(NotInControl, RunRefused, idempotent=True, role=Role.OPERATOR)
    def init(self, token: str, configuration: RunConfiguration) -> RunControlStatus:
        """Initialize all loggers of a configuration, and no more.

        Raises:
            NotInControl: See the interface.
            RunRefused: A writer is away or refuses.
            BadParam: As ``configure``.
        """

    @operation(NotInControl, RunRefused, idempotent=True, role=Role.OPERATOR)
    def start(self, token: str, begin: RunBegin, request: str) -> Run:
        """Give the next number to a new run and start its writers in the declared order.

        When an essential writer does not start, those that have are stopped again and the run is
        aborted: its number stays used, and its record says why.

        Args:
            token: Of the control lease.
            begin: What the shifter says.
            request: Made by the client; a repetition returns the run that was begun with it.

        Raises:
            NotInControl: See the interface.
            RunRefused: Not configured, a writer is away, has no room or is busy with another run
                of the same kind; no number was used.
        """

    @operation(NotInControl, RunRefused, NoSuchRun, idempotent=True, role=Role.OPERATOR)
    def end(self, token: str, run: int, end: RunEnd) -> Run:
        """Stop its writers in the reverse order, and judge whether all is on disk.

        Raises:
            NotInControl: See the interface.
            NoSuchRun: There is none.
            RunRefused: It was aborted.
        """

    @operation(NotInControl, RunRefused, NoSuchRun, idempotent=True, role=Role.OPERATOR)
    def abort(self, token: str, run: int, reason: Text) -> Run:
        """End it at once; what is written is kept.

        Raises:
            NotInControl: See the interface.
            NoSuchRun: There is none.
            RunRefused: It has ended.
        """

    @operation(NotInControl, RunRefused, NoSuchRun, idempotent=True, role=Role.OPERATOR)
    def pause(self, token: str, run: int, reason: Text) -> Run:
        """Have its writers accept nothing for now; files stay open.

        Raises:
            NotInControl: See the interface.
            NoSuchRun: There is none.
            RunRefused: It is not active.
        """

    @operation(NotInControl, RunRefused, NoSuchRun, idempotent=True, role=Role.OPERATOR)
    def resume(self, token: str, run: int) -> Run:
        """Go on.

        Raises:
            NotInControl: See the interface.
            NoSuchRun: There is none.
            RunRefused: It is not paused, or a condition that pauses it still holds.
        """

    @operation(idempotent=True)
    def get_status(self) -> RunControlStatus:
        """Return who commands, what is configured, and the active runs."""

    @operation(NoSuchRun, idempotent=True)
    def get_run(self, run: int) -> Run:
        """Return a run.

        Raises:
            NoSuchRun: There is none.
        """

    @operation(NoSuchRun, idempotent=True)
    def get_configuration(self, run: int) -> RunConfiguration:
        """Return the configuration with which a run was started.

        Raises:
            NoSuchRun: There is none.
        """

    @operation(idempotent=True)
    def list_runs(self, limit: int = 100, before: int = 0) -> Runs:
        """Return runs without notes and files, the newest first; those before ``before`` when it is not 0."""

    @operation(idempotent=True)
    def get_logbook(self, limit: int = 100) -> Logbook:
        """Return the newest entries of the logbook, the oldest of them first.

        Raises:
            BadParam: The limit is not 1 to 10000.
        """

    @operation(idempotent=True, role=Role.OPERATOR)
    def enroll(self, member: Member) -> Orders:
        """Make oneself known, again every few seconds; the answer says which runs go on."""
