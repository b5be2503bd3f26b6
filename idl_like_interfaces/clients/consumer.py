"""The consumer's side of the event channel: every event once, in order, or a gap."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator

from typing_extensions import override

from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.clients.records import Event, decode_record
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam, RemoteError
from idl_like_interfaces.events import (
    Delivery,
    EventChannel,
    FetchReply,
    Gap,
    InvalidCursor,
    InvalidTopic,
    NoSuchSubscription,
    QoS,
)
from idl_like_interfaces.octets import OctetBlocks

log = logging.getLogger(__name__)

BLIND_AFTER_S = 3.0
"""A consumer whose question is unanswered for so long does not know what happens."""

_POLL_S = 2.0
_FETCH_LIMIT = 4096
_MOST_SUPPLIERS = 4096


class EventConsumer(Closing):
    """Reads the events of some topics, through restarts of the channel.

    One thread reads; any thread may ask ``is_blind`` or ``close`` it.

    Attributes:
        topics: Its filters.
        name: As the channel's statistics show it.
    """

    def __init__(
        self,
        channel: EventChannel,
        topics: list[str],
        *,
        name: str,
        cursor: str = "new",
        qos: QoS | None = None,
        poll_s: float = _POLL_S,
    ) -> None:
        self.topics = topics
        self.name = name
        self._channel = channel
        self._cursor = cursor
        self._qos = qos or QoS()
        # Shorter than the limit of blindness: a healthy channel answers each poll in time.
        self._poll_s = poll_s
        self._subscription_id = ""
        self._asking_since: float | None = None
        self._backoff = Backoff()
        self._newest: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._closed = threading.Event()

    @property
    def cursor(self) -> str:
        """Where reading goes on; a new consumer may begin there."""
        return self._cursor

    @property
    def is_blind(self) -> bool:
        """Tell whether the channel has left a question unanswered for 3 s or more."""
        return self._unanswered_s() >= BLIND_AFTER_S

    def _unanswered_s(self) -> float:
        since = self._asking_since
        return 0.0 if since is None else time.monotonic() - since

    def connect(self) -> None:
        """Fix the point from which events are read; otherwise the first ``read`` does.

        Raises:
            InvalidTopic: A filter is malformed.
            InvalidCursor: The cursor is none.
            CommFailure: The channel is away.
        """
        subscription = self._channel.connect_consumer(
            self.name, self.topics, self._cursor, self._qos
        )
        self._subscription_id = subscription.subscription_id
        self._cursor = subscription.cursor

    def read(self, timeout_s: float) -> list[Event | Gap]:
        """Return what has come, at once when there is something.

        An absent channel is no error: it is asked again and again, see ``is_blind``.

        Args:
            timeout_s: How long to wait for something.

        Returns:
            Events and gaps in order; empty after ``timeout_s`` and when closed.

        Raises:
            InvalidTopic: A filter is malformed.
            InvalidCursor: The cursor is none.
        """
        deadline = time.monotonic() + timeout_s
        while not self._closed.is_set():
            remaining_s = max(0.0, deadline - time.monotonic())
            items = self._ask(min(self._poll_s, remaining_s), remaining_s)
            if items or time.monotonic() >= deadline:
                return items
        return []

    def __iter__(self) -> Iterator[Event | Gap]:
        while not self._closed.is_set():
            yield from self.read(self._poll_s)

    @override
    def close(self) -> None:
        """End reading; a ``read`` that waits in another thread returns at once."""
        if self._closed.is_set():
            return
        self._closed.set()
        if not self._subscription_id:
            return
        if self._unanswered_s() >= self._poll_s + BLIND_AFTER_S / 2:
            return  # a channel that hangs would hold up the end; it forgets us by itself
        try:
            self._channel.disconnect_consumer(self._subscription_id)
        except (RemoteError, OSError) as error:
            log.debug("consumer %s: the channel did not hear the farewell: %s", self.name, error)

    def _ask(self, poll_s: float, patience_s: float) -> list[Event | Gap]:
        """Ask once; while the channel is away, pause (within ``patience_s``) instead."""
        if self._asking_since is None:
            self._asking_since = time.monotonic()
        try:
            reply = self._fetch(poll_s)
        except (InvalidTopic, InvalidCursor, BadParam):
            raise
        except NoSuchSubscription:
            self._subscription_id = ""
            self._answered()
            return []
        except (RemoteError, OSError) as error:
            log.debug("consumer %s: the channel is away: %s", self.name, error)
            self._subscription_id = ""
            self._closed.wait(min(self._backoff.next_s(), patience_s))
            return []
        self._answered()
        return self._taken(reply)

    def _answered(self) -> None:
        self._asking_since = None
        self._backoff.reset()

    def _fetch(self, poll_s: float) -> FetchReply:
        if not self._subscription_id:
            self.connect()
        return self._channel.fetch(self._subscription_id, self._cursor, _FETCH_LIMIT, poll_s)

    def _taken(self, reply: FetchReply) -> list[Event | Gap]:
        items: list[Event | Gap] = list(reply.gaps)
        for delivery in reply.deliveries:
            items.extend(self._events(delivery, reply.epoch))
        self._cursor = reply.cursor
        return items

    def _events(self, delivery: Delivery, epoch: str) -> list[Event]:
        """Decode a delivery but for what came before (sent again to a restarted channel)."""
        batch = delivery.batch
        key = (batch.source, batch.incarnation)
        seen = self._newest.get(key, 0) - batch.first
        topics = [batch.topics[i] for i in batch.topic_of] or batch.topics * len(batch.records)
        positions = delivery.positions or range(len(batch.records))
        events = [
            _event(delivery, epoch, position, topic, encoded)
            for position, topic, encoded in zip(
                positions, topics, _copies(batch.records), strict=True
            )
            if position > seen
        ]
        if events:
            self._remember(key, events[-1].source_sequence)
        return events

    def _remember(self, key: tuple[str, str], newest: int) -> None:
        self._newest[key] = newest
        self._newest.move_to_end(key)
        while len(self._newest) > _MOST_SUPPLIERS:
            self._newest.popitem(last=False)


def _copies(blocks: OctetBlocks) -> Iterator[bytes]:
    """Yield the blocks as octets of their own: of small ones cheaper than views."""
    buffer = bytes(blocks.buffer)
    end = 0
    for length in blocks.lengths:
        begin, end = end, end + length
        yield buffer[begin:end]


def _event(delivery: Delivery, epoch: str, position: int, topic: str, encoded: bytes) -> Event:
    batch = delivery.batch
    record = decode_record(encoded)
    return Event(
        epoch=epoch,
        sequence=delivery.sequence + position,
        topic=topic,
        source=batch.source,
        incarnation=batch.incarnation,
        source_sequence=batch.first + position,
        time_ns=record.time_ns,
        repository_id=record.repository_id,
        body=record.body,
    )
