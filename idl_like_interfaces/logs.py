"""The log service: one merged, time-ordered history of all components."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Protocol, TypeAlias

from msgspec import Meta

from idl_like_interfaces.declare import Role, Seconds, UtcTime, Value, interface, operation


class LogLevel(StrEnum):
    """ESO's level names, most severe first."""

    CRITICAL = "CRITICAL"
    ERROR = "ERROR"
    WARNING = "WARNING"
    STATE = "STATE"
    EVENT = "EVENT"
    ACTION = "ACTION"
    INFO = "INFO"
    DEBUG = "DEBUG"
    TRACE = "TRACE"


LEVEL_NUMBERS = {
    LogLevel.CRITICAL: 50,
    LogLevel.ERROR: 40,
    LogLevel.WARNING: 30,
    LogLevel.STATE: 27,
    LogLevel.EVENT: 25,
    LogLevel.ACTION: 23,
    LogLevel.INFO: 20,
    LogLevel.DEBUG: 10,
    LogLevel.TRACE: 5,
}
"""The levels as Python's ``logging`` numbers them."""


class LogRecord(Value, frozen=True, kw_only=True):
    """One log record.

    Attributes:
        time: When it was made at the component.
        level: How severe.
        component: Who made it, e.g. ``ocm``.
        logger: Which logger of it, e.g. ``daq.ocm.manager``.
        text: The message.
        traceback: Of the exception that it tells of; empty without.
        owner: The run, acquisition or session that it belongs to; empty: none.
        count: It stands for so many records of its logger and level that came in a flood and
            were folded into it; their texts differ at most in numbers.
        until: Of a folded record, when the last of them was made.
    """

    time: UtcTime
    level: LogLevel
    component: str
    logger: str
    text: str
    traceback: str = ""
    owner: str = ""
    count: Annotated[int, Meta(ge=1)] = 1
    until: UtcTime | None = None


class LogBatch(Value, frozen=True, kw_only=True):
    """Consecutive records of one component.

    Attributes:
        component: Who sends.
        incarnation: Start of the component.
        first: The component's own number of the first record; the others follow.
        records: In the order in which they were made.
        lost: Records that the component had to drop since the batch before; those for which a
            folded one stood are among them.
        why: Why it had to, in words; empty: it has not said.
    """

    component: str
    incarnation: str
    first: int
    records: list[LogRecord]
    lost: int = 0
    why: str = ""


class StoredRecord(Value, frozen=True, kw_only=True):
    """A record with its number in the store (grows in order of arrival)."""

    number: int
    record: LogRecord


StoredRecords: TypeAlias = list[StoredRecord]


class LogQuery(Value, frozen=True, kw_only=True):
    """Which records; what is left out does not restrict.

    Attributes:
        since: Not older than this.
        until: Older than this.
        level: At least this severe.
        components: Globs over the component's name; one must match.
        text: Must be contained in the text, regardless of case.
        after: Stored behind this number.
        limit: Most records in the reply, 1 to 10000.
        newest: Take the newest when there are more than ``limit``, else the oldest.
        owner: A glob over the run, acquisition or session.
        loggers: Globs over the logger's name; one must match.
        beyond: Of the records that are exactly as old as ``since``, only those stored behind this
            number: with the last record of a page it leads ``query`` to the next page.
    """

    since: UtcTime | None = None
    until: UtcTime | None = None
    level: LogLevel = LogLevel.TRACE
    components: list[str] = []
    text: str = ""
    after: int = 0
    limit: int = 1000
    newest: bool = True
    owner: str = ""
    loggers: list[str] = []
    beyond: int = 0


class LogStats(Value, frozen=True, kw_only=True):
    """How much is stored.

    Attributes:
        records: Records in the store.
        last: Number of the newest; 0 when there is none.
        lost: Records that did not get here since the store was made: components had to drop
            them, or they never came. For each such loss there is a record of the log service.
        by_level: Records for each level.
        by_component: Records for each component.
        folded: For how many further records the folded ones of the store stand.
        bytes: Size of the store on disk.
        oldest: Time of the oldest record; ``None`` when there is none.
        removed: Records that had to go since the store was made, as its limits say.
        problem: Why records are not stored at the moment, e.g. a full disk; empty: they are.
    """

    records: int
    last: int
    lost: int
    by_level: dict[str, int]
    by_component: dict[str, int]
    folded: int = 0
    bytes: int = 0
    oldest: UtcTime | None = None
    removed: int = 0
    problem: str = ""


@interface("IDL:obsorb/logs/LogService:1.1")
class LogService(Protocol):
    """Takes the records of all components and finds them again."""

    @operation(idempotent=True, role=Role.OPERATOR)
    def append(self, batch: LogBatch) -> int:
        """Store a batch; records stored before from this incarnation are skipped.

        What is missing between this batch and the one before is counted, and told in a record
        of the log service itself: how many, of whom, which numbers, why.

        Returns:
            How many were stored. They survive a crash of the service.

        Raises:
            PersistStore: They cannot be stored at the moment (a full disk): send them again.
        """

    @operation(idempotent=True)
    def query(self, query: LogQuery) -> StoredRecords:
        """Return matching records, sorted by time, then by number.

        To read all of them page by page: ``newest=False``, and ``since`` and ``beyond`` from
        the last record of the page before, until a page is empty.

        Raises:
            BadParam: The limit is out of range.
            PersistStore: The store cannot be read.
        """

    @operation(long_poll=True, idempotent=True)
    def follow(self, query: LogQuery, timeout_s: Seconds = 25.0) -> StoredRecords:
        """As ``query`` with ``after``, sorted by number, but wait until there is one.

        Returns:
            At least one record, or none after ``timeout_s``.

        Raises:
            BadParam: The limit is out of range.
            PersistStore: The store cannot be read.
        """

    @operation(idempotent=True)
    def get_stats(self) -> LogStats:
        """Return how much is stored."""
