"""The event channel: who says what to whom, in which order, and what was lost.

An *event* is a header and a body. The supplier encodes the body once; the channel
numbers it and hands it on unopened. A *topic* is a path such as ``daq/status``;
a *topic filter* is a glob over it: ``*`` stands for any run of characters within one
component, ``**`` for any number of components, ``?`` for one character.

The channel numbers events from 1 within its *epoch*; a new epoch says that it was
restarted and forgot what it held. A *cursor* is a text ``EPOCH:SEQUENCE``: the
position behind the last event that its owner has seen. Two texts are special:
``new`` (only what comes from now on) and ``oldest`` (all that is still held).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

import msgspec

from idl_like_interfaces.declare import Role, Seconds, UtcTime, Value, interface, operation
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.octets import OctetBlocks


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
        topics: The distinct topics.
        topic_of: For each event the index of its topic; empty when there is only one.
        records: One encoded ``EventRecord`` for each event.
        lost: Events just before ``first`` that the supplier had to drop; it lets a
            restarted channel tell them from those that its predecessor took.
    """

    source: str
    incarnation: str
    first: int
    topics: list[str]
    topic_of: list[int] = []
    records: OctetBlocks
    lost: int = 0


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
    """The consumer's queue limit was passed."""
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


class Overflow(StrEnum):
    """What a consumer's full queue does."""

    DROP_OLDEST = "drop_oldest"


class QoS(Value, frozen=True, kw_only=True):
    """What a consumer asks for, and what it effectively gets.

    Attributes:
        overflow: What is done when the limit is passed.
        max_queue: Events that may wait for the consumer; 0: as many as the
            channel holds.
    """

    overflow: Overflow = Overflow.DROP_OLDEST
    max_queue: int = 0


class Subscription(Value, frozen=True, kw_only=True):
    """A connected consumer.

    Attributes:
        subscription_id: Give it to ``fetch``.
        cursor: Where its reading begins.
        qos: The effective quality of service.
    """

    subscription_id: str
    cursor: str
    qos: QoS


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
    """

    sequence: int
    topic: str
    source: str
    incarnation: str
    source_sequence: int
    time: UtcTime
    repository_id: str
    body: Any


class PullReply(Value, frozen=True, kw_only=True):
    """What ``pull`` found; ``cursor`` is for the next call."""

    epoch: str
    cursor: str
    gaps: list[Gap] = []
    events: list[PlainEvent] = []


class ConsumerStats(Value, frozen=True, kw_only=True):
    """One connected consumer.

    Attributes:
        name: As it called itself.
        topics: Its filters.
        qos: Its effective quality of service.
        delivered: Events handed out and acknowledged or awaiting that.
        dropped: Events that it lost, all reasons.
        lag: Events of the channel behind its cursor, matching or not.
    """

    name: str
    topics: list[str]
    qos: QoS
    delivered: int
    dropped: int
    lag: int


class SupplierStats(Value, frozen=True, kw_only=True):
    """One supplier's incarnation; ``missing`` are numbers that it never sent."""

    source: str
    incarnation: str
    accepted: int
    duplicates: int
    missing: int


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
        consumers: All that are connected.
    """

    epoch: str
    first: int
    last: int
    held_bytes: int
    events_per_s: Seconds
    topics: dict[str, int]
    suppliers: list[SupplierStats]
    consumers: list[ConsumerStats]


class EventError(RemoteError, repository_id="IDL:obsorb/events/EventError:1.0"):
    """Base of the channel's refusals."""


class InvalidCursor(EventError, ValueError, repository_id="IDL:obsorb/events/InvalidCursor:1.0"):
    """The text is not a cursor.

    Attributes:
        cursor: The text.
    """

    cursor: str


class InvalidTopic(EventError, ValueError, repository_id="IDL:obsorb/events/InvalidTopic:1.0"):
    """The text is not a topic or a topic filter.

    Attributes:
        topic: The text.
    """

    topic: str


class NoSuchSubscription(
    EventError, LookupError, repository_id="IDL:obsorb/events/NoSuchSubscription:1.0"
):
    """The channel does not know the consumer (any more): connect again with its cursor.

    Attributes:
        subscription_id: What was given.
    """

    subscription_id: str


class MalformedBatch(EventError, ValueError, repository_id="IDL:obsorb/events/MalformedBatch:1.0"):
    """The parts of a batch do not fit each other; nothing of it was taken.

    Attributes:
        field: Which part.
    """

    field: str


@interface("IDL:obsorb/events/EventChannel:1.0")
class EventChannel(Protocol):
    """A channel that carries the events of all suppliers to all consumers.

    Nothing is lost silently: a consumer that cannot have an event gets a gap in
    its place. A consumer that has read nothing for 60 s is forgotten (its cursor
    stays good for as long as the channel holds the events).
    """

    @operation(InvalidTopic, MalformedBatch, idempotent=True, role=Role.OPERATOR)
    def publish(self, batch: Batch) -> PublishReply:
        """Take a batch; what was taken before from this incarnation is dropped.

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

    @operation(InvalidTopic, InvalidCursor, role=Role.OBSERVER)
    def connect_consumer(
        self, name: str, topics: list[str], cursor: str = "new", qos: QoS = QoS()
    ) -> Subscription:
        """Begin to read.

        Args:
            name: Who reads, for people.
            topics: Filters; an event that matches one of them is delivered.
            cursor: From where.
            qos: What is asked for.

        Raises:
            InvalidTopic: A filter is malformed or the list is empty.
            InvalidCursor: It is not a cursor.
        """

    @operation(NoSuchSubscription, InvalidCursor, long_poll=True, idempotent=True)
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
            InvalidCursor: It is not a cursor.
        """

    @operation(NoSuchSubscription, role=Role.OBSERVER)
    def disconnect_consumer(self, subscription_id: str) -> None:
        """End reading.

        Raises:
            NoSuchSubscription: It had ended already.
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
