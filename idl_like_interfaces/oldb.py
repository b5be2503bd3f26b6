"""The online database: the present configuration, state and status of everything, by key.

A *key* is a path such as ``ocm/cfg/dpm/uri`` (components of letters, digits and ``_.:+~-``, at most
250 characters in all); its first component is the component that writes it. A *key filter* is a
glob as for topics (see ``events``). Each change is published on the event channel under the topic
``oldb/`` + key, with a ``DataPoint`` as body: who watches connects first, reads then, and passes
over changes that are not newer (``revision``) than what it has read.

A database that was begun anew (its file was lost or damaged) has another ``base``: who wrote
writes again, who watches reads again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Protocol

from msgspec import Meta

from idl_like_interfaces.declare import Role, UtcTime, Value, interface, operation
from idl_like_interfaces.errors import RemoteError

OLDB_TOPIC = "oldb"
"""First component of the topics of changes."""


class Quality(StrEnum):
    """How far a value may be trusted."""

    OK = "ok"
    SUSPECT = "suspect"
    """Its source has fallen silent, or doubts it."""
    BAD = "bad"
    """Its source knows that it is wrong."""


class DataWrite(Value, frozen=True, kw_only=True):
    """A value that is to be written.

    Attributes:
        key: Where.
        value: Plain value; ``None`` with ``is_removed``.
        quality: How far it may be trusted.
        time: When it was so.
        is_removed: The key exists no longer.
        number: The source's own number of the write, growing in its incarnation: of two the
            higher is newer, whatever the clock does; 0: it does not count, its time decides.
    """

    key: str
    value: Any = None
    quality: Quality = Quality.OK
    time: UtcTime
    is_removed: bool = False
    number: Annotated[int, Meta(ge=0, le=2**53)] = 0


class DataPoint(Value, frozen=True, kw_only=True):
    """A value, and where it comes from.

    Attributes:
        key: Where it stands.
        value: Plain value.
        quality: How far it may be trusted.
        time: When its source says it was so.
        source: Who wrote it, e.g. ``obs/ocm``.
        incarnation: Start of the source.
        revision: Number of the change in the database; grows, also over restarts.
        is_removed: The key exists no longer (in changes only).
    """

    key: str
    value: Any
    quality: Quality
    time: UtcTime
    source: str
    incarnation: str = ""
    revision: int
    is_removed: bool = False


class WriteReply(Value, frozen=True, kw_only=True):
    """What a database says to who wrote.

    Attributes:
        revision: Number of the newest change.
        base: Number before the first change of this database; each one that is begun has its own.
    """

    revision: int
    base: int


class DataPage(Value, frozen=True, kw_only=True):
    """Data points in the order of their keys.

    Attributes:
        points: What matches.
        revision: Newest change of the database when they were read.
        base: Number before the first change of this database; each one that is begun has its own.
        after: Ask again with this to get the next page; empty: this is the last.
    """

    points: list[DataPoint]
    revision: int
    base: int
    after: str = ""


class KeyNode(Value, frozen=True, kw_only=True):
    """A component of keys: a value, or further components below it, or both."""

    name: str
    is_value: bool
    below: int


class OldbStats(Value, frozen=True, kw_only=True):
    """How much is stored.

    Attributes:
        keys: Keys that have a value.
        revision: Number of the newest change.
        base: Number before the first change of this database; each one that is begun has its own.
        bytes: Size of the store.
        by_source: Keys of each source.
        mirror: Address of the mirror; empty: there is none.
        mirror_behind: Changes that the mirror has not got yet.
        problem: Why changes are not stored or mirrored at the moment; empty: they are.
    """

    keys: int
    revision: int
    base: int
    bytes: int
    by_source: dict[str, int]
    mirror: str = ""
    mirror_behind: int = 0
    problem: str = ""


class InvalidKey(RemoteError, ValueError, repository_id="IDL:obsorb/oldb/InvalidKey:1.0"):
    """The text is not a key or a key filter; nothing was written.

    Attributes:
        key: The text.
    """

    key: str


class NoSuchKey(RemoteError, LookupError, repository_id="IDL:obsorb/oldb/NoSuchKey:1.0"):
    """Nothing is written under this key.

    Attributes:
        key: The key.
    """

    key: str


@interface("IDL:obsorb/oldb/OnlineDatabase:1.0")
class OnlineDatabase(Protocol):
    """Holds the newest value of each key (ESO's OLDB)."""

    @operation(InvalidKey, idempotent=True, role=Role.OPERATOR)
    def write(self, source: str, incarnation: str, points: list[DataWrite]) -> WriteReply:
        """Write values; on return they survive a crash of the database.

        A value that is older than the one of the same incarnation of the source that is written
        already is passed over; so is every value of an incarnation that another one has
        followed. All or nothing: one invalid key refuses all. Without values it is a sign of
        life of the source, and asks which database this is.

        Args:
            source: Who writes, e.g. ``obs/ocm``.
            incarnation: Its start; empty: it does not tell.
            points: The values.

        Raises:
            InvalidKey: One of the keys is none.
            BadParam: A value is none that can travel, or larger than 64 KiB as JSON, or its
                time is none that can be read back, or there are too many keys.
            PersistStore: It cannot be stored at the moment (a full disk): write again.
        """

    @operation(InvalidKey, NoSuchKey, idempotent=True)
    def read(self, key: str) -> DataPoint:
        """Return one value.

        Raises:
            InvalidKey: It is not a key.
            NoSuchKey: Nothing is written there.
        """

    @operation(InvalidKey, idempotent=True)
    def read_all(self, filters: list[str] = ["**"], after: str = "", limit: int = 1000) -> DataPage:
        """Return the values whose keys match, in pages.

        Raises:
            InvalidKey: A filter is malformed.
            BadParam: The limit is not within 1 to 10000.
        """

    @operation(InvalidKey, NoSuchKey, idempotent=True)
    def children(self, prefix: str = "") -> list[KeyNode]:
        """Return what stands directly below a key, sorted.

        Args:
            prefix: The key; empty: the root, below which nothing need stand.

        Raises:
            InvalidKey: It is not a key.
            NoSuchKey: Nothing stands below it.
        """

    @operation(InvalidKey, role=Role.ENGINEER)
    def remove(self, filters: list[str]) -> int:
        """Remove all keys that match; return how many there were.

        Raises:
            InvalidKey: A filter is malformed.
        """

    @operation(idempotent=True)
    def get_stats(self) -> OldbStats:
        """Return how much is stored."""
