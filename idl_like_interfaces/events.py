"""The event channel: who says what to whom, in which order, and what was lost.

An *event* is a header and a body. The supplier encodes the body once; the channel
numbers it and hands it on unopened. A *topic* is a path such as ``daq/status``;
a *topic filter* is a glob over it: ``*`` stands for any run of characters within one
component, ``**`` for any number of components, ``?`` for one character.

The channel numbers events from 1 within its *epoch*; a new epoch says that it was
restarted and forgot what it held (one that keeps a journal goes on in the same epoch).
A *cursor* is a text that the channel gives: the position behind the last event that its
owner has seen. Three texts are special: ``new`` (only what comes from now on), ``oldest``
(all that is still held) and ``latest`` (the newest event of each topic, in the order of the
channel, and then all that come: no hole between, nothing twice).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

import msgspec

from idl_like_interfaces.declare import Role, Seconds, UtcTime, Value, interface, operation
from idl_like_interfaces.event_errors import (
    InvalidCursor,
    InvalidTopic,
    MalformedBatch,
    NoSuchSubscription,
    SubscriptionTaken,
    UnsupportedQoS,
)
from idl_like_interfaces.event_quality import LONGEST_BLOCK_S, QoS
from idl_like_interfaces.octets import OctetBlocks


class Priority(StrEnum):
    """How urgent an event is, the least urgent first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class EventRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a supplier encodes (msgpack) and the channel never opens.

    Attributes:
        time_ns: When it happened, ns since 1970 UTC.
        repository_id: Type of the body; empty for free content.
        body: Plain values.
    """

    time_ns: int
    repository_id: str
    body: Any


class Batch(Value, frozen=True, kw_only=True):
    """Consecutive events of one supplier.

    Attributes:
        source: Who supplies them, e.g. ``obs/ocm``.
        incarnation: Start of the supplier.
        first: Its own sequence number of the first; the others follow one by one.
        topics: The distinct topics; one twice when its events are of two priorities.
        topic_of: For each event the index of its topic; empty when there is only one.
        records: One encoded ``EventRecord`` for each event.
        lost: Events just before ``first`` that the supplier had to drop; it lets a
            restarted channel tell them from those that its predecessor took.
        priorities: One for each of ``topics``; empty: all are normal.
    """

    source: str
    incarnation: str
    first: int
    topics: list[str]
    topic_of: list[int] = []
    records: OctetBlocks
    lost: int = 0
    priorities: list[Priority] = []


class PublishReply(Value, frozen=True, kw_only=True):
    """What the channel did with a batch.

    Attributes:
        epoch: The channel's epoch.
        accepted: Events that it took.
        duplicates: Events that it had already taken from this incarnation.
        last: Sequence number of the newest event in the channel.
    """

    epoch: str
    accepted: int
    duplicates: int
    last: int


class GapReason(StrEnum):
    """Why events are missing."""

    RETENTION = "retention"
    """The channel no longer holds them."""
    DROP_OLDEST = "drop_oldest"
    """The consumer's queue limit was passed: the oldest, least urgent ones had to go."""
    DROP_NEWEST = "drop_newest"
    """The consumer's queue was full when they came."""
    LATEST = "latest"
    """The consumer wants the newest of each topic only, and a newer one came."""
    QUARANTINE = "quarantine"
    """The consumer held up the suppliers for too long, and then lost as if by ``drop_oldest``."""
    DAMAGED = "damaged"
    """The channel's journal on disk is damaged there (the file is kept)."""
    NEW_EPOCH = "new_epoch"
    """The channel was restarted: how many were lost is not known (-1)."""
    SUPPLIER = "supplier"
    """The supplier's own spool overflowed before they reached the channel."""


class Gap(Value, frozen=True, kw_only=True):
    """Events that a consumer should have had and will not get.

    Attributes:
        reason: Why.
        count: How many that match its filter; -1 when nobody can know.
        first: First sequence number of the gap; 0 when unknown.
        last: Last sequence number of the gap; 0 when unknown.
        source: The supplier, when only its events are missing.
    """

    reason: GapReason
    count: int
    first: int = 0
    last: int = 0
    source: str = ""


class Delivery(Value, frozen=True, kw_only=True):
    """A part of a batch as a consumer gets it.

    Attributes:
        batch: The matching events only; ``first`` is that of the whole batch.
        sequence: Channel sequence number of the batch's first event.
        positions: Position of each event in the whole batch; empty: all of them.
    """

    batch: Batch
    sequence: int
    positions: list[int] = []


class FetchReply(Value, frozen=True, kw_only=True):
    """What there is for a consumer.

    Attributes:
        epoch: The channel's epoch.
        cursor: Give it to the next ``fetch``; it acknowledges these deliveries.
        gaps: What is missing, before the deliveries.
        deliveries: In channel order.
    """

    epoch: str
    cursor: str
    gaps: list[Gap] = []
    deliveries: list[Delivery] = []


class Subscription(Value, frozen=True, kw_only=True):
    """A connected consumer.

    Attributes:
        subscription_id: Give it to ``fetch``.
        cursor: Where its reading begins.
        qos: The effective quality of service.
        durable: The channel keeps its cursor, under its name.
    """

    subscription_id: str
    cursor: str
    qos: QoS
    durable: bool = False


class PlainEvent(Value, frozen=True, kw_only=True):
    """An event as plain values, for clients without our stubs.

    Attributes:
        sequence: Number in the channel's epoch.
        topic: Its topic.
        source: Its supplier.
        incarnation: Start of the supplier.
        source_sequence: Number in the supplier's incarnation.
        time: When it happened.
        repository_id: Type of the body; may be empty.
        body: Plain values.
        priority: How urgent it is.
    """

    sequence: int
    topic: str
    source: str
    incarnation: str
    source_sequence: int
    time: UtcTime
    repository_id: str
    body: Any
    priority: Priority = Priority.NORMAL


class PullReply(Value, frozen=True, kw_only=True):
    """What ``pull`` found; ``cursor`` is for the next call."""

    epoch: str
    cursor: str
    gaps: list[Gap] = []
    events: list[PlainEvent] = []


class ConsumerState(StrEnum):
    """How it stands with a consumer."""

    READING = "reading"
    """It asks for events."""
    QUARANTINED = "quarantined"
    """It has held up the suppliers for too long, and must first read all that waits."""
    AWAY = "away"
    """Nobody reads under this durable name; the channel keeps its cursor."""


class ConsumerStats(Value, frozen=True, kw_only=True):
    """One consumer, what it gets, and what it costs.

    Attributes:
        name: As it called itself.
        topics: Its filters.
        qos: Its effective quality of service.
        delivered: Events handed out and acknowledged or awaiting that.
        dropped: Events that it lost, all reasons.
        lag: Events of the channel behind its cursor, matching or not.
        subscription_id: Of who reads; empty when nobody does.
        state: How it stands.
        durable: The channel keeps its cursor, under its name.
        dropped_by: The lost events for each reason (``GapReason``).
        waiting: Matching events behind its cursor.
        waiting_bytes: Size of their records.
        delivered_bytes: Size of what was handed out.
        blocked_s: For how long suppliers were held up for it, in all.
    """

    name: str
    topics: list[str]
    qos: QoS
    delivered: int
    dropped: int
    lag: int
    subscription_id: str = ""
    state: ConsumerState = ConsumerState.READING
    durable: bool = False
    dropped_by: dict[str, int] = {}
    waiting: int = 0
    waiting_bytes: int = 0
    delivered_bytes: int = 0
    blocked_s: Seconds = 0.0


class SupplierStats(Value, frozen=True, kw_only=True):
    """One supplier's incarnation; ``missing`` are numbers that it never sent."""

    source: str
    incarnation: str
    accepted: int
    duplicates: int
    missing: int


class RetentionBounds(Value, frozen=True, kw_only=True):
    """What a channel holds at most for late readers.

    Attributes:
        max_events: Events.
        max_bytes: Bytes of their records.
        max_age_s: Time since they came; 0: any.
    """

    max_events: int
    max_bytes: int
    max_age_s: Seconds = 0.0


class JournalStats(Value, frozen=True, kw_only=True):
    """The channel's journal on disk.

    Attributes:
        folder: Where it is.
        segments: Files.
        bytes: Their size.
        is_writable: The last record is on disk; false: the disk is full or broken, and what
            came since is in memory only.
        problem: What is wrong; empty when nothing is.
        damaged: Files that were put aside because they are damaged.
    """

    folder: str
    segments: int
    bytes: int
    is_writable: bool
    problem: str = ""
    damaged: list[str] = []


class ChannelStats(Value, frozen=True, kw_only=True):
    """The state of the channel.

    Attributes:
        epoch: Start of the channel.
        first: Oldest sequence number still held; 0 when empty.
        last: Newest sequence number; 0 when none was published yet.
        held_bytes: Size of the records held.
        events_per_s: Rate over the last seconds.
        topics: Events accepted for each topic.
        suppliers: All that published in this epoch.
        consumers: All that are connected, and the durable ones that are not.
        retention: When the oldest events go.
        latest_topics: Topics whose newest event is kept for the cursor ``latest``.
        journal: On disk; ``None``: the channel keeps none.
    """

    epoch: str
    first: int
    last: int
    held_bytes: int
    events_per_s: Seconds
    topics: dict[str, int]
    suppliers: list[SupplierStats]
    consumers: list[ConsumerStats]
    retention: RetentionBounds | None = None
    latest_topics: int = 0
    journal: JournalStats | None = None


@interface("IDL:obsorb/events/EventChannel:2.0")
class EventChannel(Protocol):
    """A channel that carries the events of all suppliers to all consumers.

    Nothing is lost silently: a consumer that cannot have an event gets a gap in
    its place. A subscription is a lease: a consumer that has asked nothing for
    ``lease_s`` is forgotten (its cursor stays good for as long as the channel holds
    the events; of a durable one the channel keeps the cursor, too).
    """

    @operation(InvalidTopic, MalformedBatch, idempotent=True, long_poll=True, role=Role.OPERATOR)
    def publish(self, batch: Batch, timeout_s: Seconds = LONGEST_BLOCK_S) -> PublishReply:
        """Take a batch; what was taken before from this incarnation is dropped.

        It waits only for consumers that block, each for no longer than its ``block_s``; then
        they are quarantined and the batch is taken.

        Args:
            batch: The events.
            timeout_s: How long to wait at most; those that block still are quarantined then.

        Raises:
            InvalidTopic: One of the topics is none; nothing was taken.
            MalformedBatch: Counts do not fit; nothing was taken.
        """

    @operation(InvalidTopic)
    def push(self, topic: str, body: Any, source: str = "stock") -> int:
        """Publish one event of plain values (for clients without our stubs).

        Returns:
            Its sequence number.

        Raises:
            InvalidTopic: It is not a topic.
        """

    @operation(InvalidTopic, InvalidCursor, UnsupportedQoS, role=Role.OBSERVER)
    def connect_consumer(
        self,
        name: str,
        topics: list[str],
        cursor: str = "new",
        qos: QoS = QoS(),
        durable: bool = False,
    ) -> Subscription:
        """Begin to read.

        Args:
            name: Who reads, for people. Of a durable subscription its name: there is one of
                it, and whoever connects last has it.
            topics: Filters; an event that matches one of them is delivered.
            cursor: From where. A durable subscription that exists goes on at the later of
                this and the cursor that the channel keeps (``new``, ``oldest``, ``latest``: the
                kept one).
            qos: What is asked for.
            durable: Keep the cursor, also over a restart of a channel that keeps a journal.
                The journal holds nothing longer for it.

        Raises:
            InvalidTopic: A filter is malformed or the list is empty.
            InvalidCursor: It is not a cursor.
            UnsupportedQoS: The channel cannot give what is asked for.
        """

    @operation(
        NoSuchSubscription, SubscriptionTaken, InvalidCursor, long_poll=True, idempotent=True
    )
    def fetch(
        self, subscription_id: str, cursor: str, limit: int = 4096, timeout_s: Seconds = 25.0
    ) -> FetchReply:
        """Return what comes behind a cursor, at once when there is something.

        Args:
            subscription_id: From ``connect_consumer``.
            cursor: That of the reply before.
            limit: Most events in one reply (a little more when a batch is not cut).
            timeout_s: How long to wait for something; an empty reply after that.

        Raises:
            NoSuchSubscription: Connect again with the same cursor.
            SubscriptionTaken: Somebody else reads under this durable name.
            InvalidCursor: It is not a cursor.
        """

    @operation(
        NoSuchSubscription, SubscriptionTaken, UnsupportedQoS, idempotent=True, role=Role.OBSERVER
    )
    def set_qos(self, subscription_id: str, qos: QoS) -> Subscription:
        """Change what a consumer gets, while it reads; nothing is lost by the change itself.

        Returns:
            With the effective quality of service and the cursor that it has acknowledged.

        Raises:
            NoSuchSubscription: It is not connected.
            SubscriptionTaken: Somebody else reads under this durable name.
            UnsupportedQoS: The channel cannot give what is asked for; it stays as it was.
        """

    @operation(NoSuchSubscription, role=Role.OBSERVER)
    def disconnect_consumer(self, subscription_id: str) -> None:
        """End reading; the channel goes on keeping the cursor of a durable subscription.

        Raises:
            NoSuchSubscription: It had ended already.
        """

    @operation(NoSuchSubscription)
    def forget_durable(self, name: str) -> None:
        """End a durable subscription: its cursor is kept no longer, who reads is disconnected.

        Raises:
            NoSuchSubscription: There is no durable one of this name.
        """

    @operation(InvalidTopic, InvalidCursor, long_poll=True, idempotent=True)
    def pull(
        self,
        cursor: str = "new",
        limit: int = 256,
        timeout_s: Seconds = 25.0,
        topics: list[str] = ["**"],
    ) -> PullReply:
        """Return decoded events behind a cursor, without a subscription.

        Raises:
            InvalidTopic: A filter is malformed.
            InvalidCursor: It is not a cursor.
        """

    @operation(idempotent=True)
    def get_stats(self) -> ChannelStats:
        """Return what passed and who is connected."""
