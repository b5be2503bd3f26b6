"""The alarm service: what is wrong now, why, what to do about it, and who knows of it.

After D0's Significant Event System. An *alarm* is a condition of an object that somebody should
know of; it is known by its object and name, e.g. ``obs/dpm`` and ``disk full``. It is *bad* as
long as the condition holds, *acknowledged* when somebody has taken note, and *good* when it is
over. A latched alarm stays bad until it was acknowledged, also when the condition is over.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Protocol, TypeAlias

from msgspec import Meta

from idl_like_interfaces.alarm_statistics import AlarmStats
from idl_like_interfaces.declare import Role, Seconds, UtcTime, Value, interface, operation
from idl_like_interfaces.errors import BadParam, RemoteError

ALARM_TOPIC = "alarms/changed"
"""At each change of an alarm, body ``Alarm``; urgent (``Priority.HIGH``)."""

PAUSE_TOPIC = "alarms/pause"
"""When a condition that must pause a run begins, every 120 s while it lasts, and when it ends;
body ``PauseCondition``; urgent."""

NOTE_TOPIC = "alarms/noted"
"""At each note: a state of a run or a component changed; body ``HistoryEntry``."""

REANNOUNCE_S = 120.0

LONGEST_TEXT = 4096
LONGEST_NAME = 255

Text = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
Label = Annotated[str, Meta(max_length=LONGEST_NAME)]
Remark = Annotated[str, Meta(max_length=LONGEST_TEXT)]


class Severity(StrEnum):
    """How bad it is, the least first."""

    INFO = "info"
    WARNING = "warning"
    MINOR = "minor"
    MAJOR = "major"
    FATAL = "fatal"

    def is_at_least(self, other: Severity) -> bool:
        """Tell whether it is as bad as another one, or worse."""
        order = list(Severity)
        return order.index(self) >= order.index(other)


class AlarmState(StrEnum):
    """Where an alarm stands."""

    RAISED = "raised"
    """The condition holds (or did, and the alarm is latched); nobody has taken note."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody has taken note; it is announced no more until it is un-acknowledged."""
    SHELVED = "shelved"
    """Put aside until a time, with a reason."""
    CLEARED = "cleared"
    """The condition is over."""


class Column(StrEnum):
    """Where a display shows an alarm."""

    BAD = "bad"
    ACKNOWLEDGED = "acknowledged"
    GOOD = "good"


class AlarmReport(Value, frozen=True, kw_only=True, tag_field="kind", tag="raise"):
    """What a component says of a condition that holds. Cause and remedy must be given.

    Attributes:
        object: What it is about, e.g. ``obs/dpm`` or ``crate 7/fan 2``.
        name: Of the condition, e.g. ``disk full``.
        severity: How bad.
        text: What was found.
        cause: The probable cause.
        remedy: What to do.
        time: When it was found.
        subsystem: Which it belongs to, e.g. ``archive``.
        system_id: Which system, e.g. ``obs``; for sites with several.
        attribute: Which attribute of the object, e.g. ``free_space``.
        latch: Stays bad until it was acknowledged.
        pauses_run: A run must pause while it holds.
    """

    object: Name
    name: Name
    severity: Severity
    text: Text
    cause: Text
    remedy: Text
    time: UtcTime
    subsystem: Label = ""
    system_id: Label = ""
    attribute: Label = ""
    latch: bool = False
    pauses_run: bool = False

    def __post_init__(self) -> None:
        """Refuse blanks where something must be said, also from who builds it in Python."""
        for field in ("object", "name", "text", "cause", "remedy"):
            said = getattr(self, field)
            if not isinstance(said, str) or not said.strip():
                raise BadParam(
                    f"the report of an alarm has no {field}: {said!r}",
                    field=field,
                    remedy="say what is wrong with what, the probable cause, and what to do",
                )


class AlarmClear(Value, frozen=True, kw_only=True, tag_field="kind", tag="clear"):
    """What a component says of a condition that is over."""

    object: Name
    name: Name
    time: UtcTime
    text: Remark = ""


class AlarmNote(Value, frozen=True, kw_only=True, tag_field="kind", tag="note"):
    """Something for the history that is no alarm, e.g. that a run begins."""

    text: Text
    time: UtcTime


class AllReported(Value, frozen=True, kw_only=True, tag_field="kind", tag="all"):
    """All that holds was reported again, from the number ``since`` on: what was not is over."""

    since: Annotated[int, Meta(ge=1)]


class AlarmBatch(Value, frozen=True, kw_only=True):
    """Consecutive reports of one component.

    Attributes:
        source: Who reports, e.g. ``obs/dpm``.
        incarnation: Its start.
        first: Its own number of the first; the others follow. What was taken before is passed over.
        reports: In the order in which they were made, at most 1000; none: only ask whether
            the service knows all.
        lost: Reports just before that it had to drop.
    """

    source: Name
    incarnation: Label
    first: Annotated[int, Meta(ge=1, le=2**53)]
    reports: Annotated[
        list[AlarmReport | AlarmClear | AlarmNote | AllReported], Meta(max_length=1000)
    ]
    lost: Annotated[int, Meta(ge=0, le=2**53)] = 0


class ReportReply(Value, frozen=True, kw_only=True):
    """What the service did with a batch.

    Attributes:
        taken: Reports that were new.
        is_complete: It knows all that the component said before. If not (something was
            dropped on the way, or the service lost its store), the component must report
            again all that holds and then say ``AllReported``.
    """

    taken: int
    is_complete: bool


class Alarm(Value, frozen=True, kw_only=True):
    """An alarm as the service has it.

    Attributes:
        alarm_id: Number of this occurrence; grows.
        report: What its component said last.
        source: Who reported it.
        state: Where it stands.
        column: Where a display shows it.
        is_active: The condition holds.
        raised: When the condition began.
        changed: When the state changed last.
        cleared: When the condition ended; ``None``: it holds.
        count: How often the condition began since the alarm was last good for a while.
        is_glitch: It was over before anybody was told.
        is_chattering: It comes and goes all the time.
        is_stale: Its component has fallen silent, or was started anew and has not said it again:
            nobody knows whether the condition still holds.
        by: Who acknowledged or shelved it.
        comment: What he said.
        until: Of a shelved alarm: until when.
    """

    alarm_id: int
    report: AlarmReport
    source: str
    state: AlarmState
    column: Column
    is_active: bool
    raised: UtcTime
    changed: UtcTime
    cleared: UtcTime | None = None
    count: int = 1
    is_glitch: bool = False
    is_chattering: bool = False
    is_stale: bool = False
    by: str = ""
    comment: str = ""
    until: UtcTime | None = None


Alarms: TypeAlias = list[Alarm]


class AlarmFilter(Value, frozen=True, kw_only=True):
    """Which alarms; what is left out does not restrict, and of a list one must match.

    All patterns are globs (``*``, ``?``); one that begins with ``!`` must *not* match.

    Attributes:
        names: Of the condition.
        objects: What it is about.
        attributes: Which attribute.
        subsystems: Which subsystem.
        system_ids: Which system.
        severity: At least so bad.
        columns: Where a display shows it.
        states: Where it stands.
        negate: Take exactly those that the rest would not take.
    """

    names: list[str] = []
    objects: list[str] = []
    attributes: list[str] = []
    subsystems: list[str] = []
    system_ids: list[str] = []
    severity: Severity = Severity.INFO
    columns: list[Column] = []
    states: list[AlarmState] = []
    negate: bool = False


class AlarmLine(Value, frozen=True, kw_only=True):
    """A line of the operator's list: one alarm, or many that are alike.

    Attributes:
        severity: The worst of them.
        text: What to read first.
        count: How many alarms it stands for.
        alarms: Their numbers, at most 1000.
        newest: The one that changed last.
    """

    severity: Severity
    text: str
    count: int
    alarms: list[int]
    newest: Alarm


class Overview(Value, frozen=True, kw_only=True):
    """What an operator reads in a glance, worst first, however many alarms there are."""

    lines: list[AlarmLine]
    columns: dict[str, int]


class Change(StrEnum):
    """What happened to an alarm."""

    RAISED = "raised"
    CLEARED = "cleared"
    GLITCH = "glitch"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SEVERITY = "severity"
    ANNOUNCED = "announced"
    STALE = "stale"
    NOTED = "noted"
    """Something that is no alarm: a state of a run or a component changed."""


class HistoryEntry(Value, frozen=True, kw_only=True):
    """A line of the alarm log, which is a sequential file.

    Attributes:
        number: Grows by one.
        time: When it happened.
        change: What happened.
        alarm: As it was then; ``None`` for what is no alarm.
        by: Who did it.
        text: What he said, or what happened.
    """

    number: int
    time: UtcTime
    change: Change
    alarm: Alarm | None = None
    by: str = ""
    text: str = ""


History: TypeAlias = list[HistoryEntry]


class HistoryQuery(Value, frozen=True, kw_only=True):
    """Which lines of the history; what is left out does not restrict.

    Attributes:
        since: Not older than this.
        until: Older than this.
        changes: Which happenings.
        filter: Which alarms.
        text: Must be contained in the text, the cause or what was said, regardless of case.
        after: Behind this number.
        limit: Most lines in the reply, 1 to 10000.
        newest: Take the newest when there are more than ``limit``, else the oldest.
    """

    since: UtcTime | None = None
    until: UtcTime | None = None
    changes: list[Change] = []
    filter: AlarmFilter = AlarmFilter()
    text: str = ""
    after: int = 0
    limit: int = 1000
    newest: bool = True


class PauseCondition(Value, frozen=True, kw_only=True):
    """A condition that must pause a run.

    Attributes:
        alarm: The alarm.
        is_over: It ended: the condition is resolved, or the alarm was acknowledged.
        number: 1 at the first announcement, and one more at each.
        since: When it began.
    """

    alarm: Alarm
    is_over: bool
    number: int
    since: UtcTime


PauseConditions: TypeAlias = list[PauseCondition]


class NoSuchAlarm(RemoteError, LookupError, repository_id="IDL:obsorb/alarms/NoSuchAlarm:1.0"):
    """There is no alarm of this number (any more).

    Attributes:
        alarm_id: The number.
    """

    alarm_id: int


class NotPossible(RemoteError, RuntimeError, repository_id="IDL:obsorb/alarms/NotPossible:1.0"):
    """The alarm is not in a state in which that can be done; nothing has changed.

    Attributes:
        alarm_id: The number.
        state: Its state.
    """

    alarm_id: int
    state: AlarmState


@interface("IDL:obsorb/alarms/AlarmService:1.0")
class AlarmService(Protocol):
    """Knows all alarms, tells of their changes, and remembers them (``obs/alarms``).

    All changes survive a crash of the service. Of an operation on several alarms each is done
    or refused by itself.
    """

    @operation(idempotent=True, role=Role.OPERATOR)
    def report(self, batch: AlarmBatch) -> ReportReply:
        """Take reports; those that came before from this incarnation are passed over.

        A condition that holds already is not raised again; its report is renewed. On a full
        disk it goes on in memory: what a crash takes then, the components report again.

        Raises:
            PersistStore: Neither disk nor memory holds more: report again later.
        """

    @operation(idempotent=True, role=Role.OPERATOR)
    def note(self, source: Name, text: Text) -> None:
        """Enter into the history what is no alarm, e.g. that a run begins."""

    @operation(idempotent=True)
    def get_alarms(self, filter: AlarmFilter = AlarmFilter(), limit: int = 1000) -> Alarms:
        """Return alarms, the worst and then the newest first.

        Good ones stand here for a while (an hour), glitches too.
        """

    @operation(idempotent=True)
    def overview(self, filter: AlarmFilter = AlarmFilter(), limit: int = 10) -> Overview:
        """Return at most ``limit`` lines, in which alarms that are alike stand for each other."""

    @operation(NoSuchAlarm, NotPossible)
    def acknowledge(self, alarm_ids: list[int], by: str, comment: str = "") -> Alarms:
        """Take note of alarms; return them.

        Raises:
            NoSuchAlarm: There is none of a number; the others are done.
            NotPossible: It is good or acknowledged already; the others are done.
        """

    @operation(NoSuchAlarm, NotPossible)
    def unacknowledge(self, alarm_ids: list[int], by: str) -> Alarms:
        """Have alarms announced again.

        Raises:
            NoSuchAlarm: There is none of a number; the others are done.
            NotPossible: It is not acknowledged; the others are done.
        """

    @operation(NoSuchAlarm, NotPossible)
    def shelve(self, alarm_ids: list[int], by: str, reason: Text, for_s: Seconds) -> Alarms:
        """Put alarms aside for a time, at most a week; then they are what they would be else.

        Raises:
            NoSuchAlarm: There is none of a number; the others are done.
            NotPossible: It is good; the others are done.
            BadParam: The time is 0 or longer than a week; nothing was done.
        """

    @operation(NoSuchAlarm, NotPossible)
    def unshelve(self, alarm_ids: list[int], by: str) -> Alarms:
        """Take alarms back.

        Raises:
            NoSuchAlarm: There is none of a number; the others are done.
            NotPossible: It is not shelved; the others are done.
        """

    @operation(NoSuchAlarm, NotPossible)
    def clear(self, alarm_ids: list[int], by: str, comment: str = "") -> Alarms:
        """Declare conditions to be over whose component cannot say so any more.

        Raises:
            NoSuchAlarm: There is none of a number; the others are done.
            NotPossible: It is good already; the others are done.
        """

    @operation(idempotent=True)
    def history(self, query: HistoryQuery = HistoryQuery()) -> History:
        """Return lines of the history, sorted by number.

        Raises:
            BadParam: The limit is out of range.
        """

    @operation(idempotent=True)
    def pause_conditions(self) -> PauseConditions:
        """Return the conditions that must pause a run now."""

    @operation(idempotent=True)
    def get_stats(self) -> AlarmStats:
        """Return how much there is to do."""
