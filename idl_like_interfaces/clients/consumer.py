"""The consumer's side of the event channel: every event once, in order, or a gap."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import TypeAlias

from typing_extensions import override

from idl_like_interfaces.accounts import Account
from idl_like_interfaces.clients.limits import within
from idl_like_interfaces.clients.reception import Reception
from idl_like_interfaces.clients.records import Event
from idl_like_interfaces.clients.sight import BLIND_AFTER_S, Blindness, Sight
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam, RemoteError
from idl_like_interfaces.event_errors import (
    InvalidCursor,
    InvalidTopic,
    NoSuchSubscription,
    SubscriptionTaken,
    UnsupportedQoS,
)
from idl_like_interfaces.event_quality import Order, QoS
from idl_like_interfaces.events import EventChannel, FetchReply, Gap, Subscription

log = logging.getLogger(__name__)

Item: TypeAlias = Event | Gap | Blindness
"""What stands in the stream of a consumer."""

_POLL_S = 1.5
"""Shorter than the limit of blindness: a healthy channel answers each question in time."""

_OF_PATIENCE = 0.6
"""For so much of the time that a call may take the channel may wait for events."""

_FETCH_LIMIT = 4096
_FAREWELL_S = 1.0
_LATEST = "latest"

_MISTAKES = (InvalidTopic, InvalidCursor, UnsupportedQoS, BadParam)


class EventConsumer(Closing):
    """Reads the events of some topics, through restarts of the channel.

    One thread reads; any thread may ask ``is_blind``, ``set_qos`` or ``close`` it.

    Args:
        channel: The channel, usually a stub.
        topics: Filters.
        name: As the channel's statistics show it; of a durable subscription its name.
        cursor: From where: a cursor of before, ``new``, ``oldest`` or ``latest``.
        qos: What is asked for.
        durable: The channel keeps the cursor under the name.
        poll_s: How long the channel may wait for something before it answers.

    Attributes:
        topics: Its filters.
        name: As given.
        durable: As given.
    """

    def __init__(
        self,
        channel: EventChannel,
        topics: list[str],
        *,
        name: str,
        cursor: str = "new",
        qos: QoS | None = None,
        durable: bool = False,
        poll_s: float = _POLL_S,
    ) -> None:
        self.topics = topics
        self.name = name
        self.durable = durable
        self._channel = channel
        self._cursor = cursor
        self._qos = self._effective = qos or QoS()
        self._poll_s = poll_s
        self._subscription_id = ""
        self._sight = Sight(f"consumer {name}", poll_s)
        self._reception = Reception()
        self._has_snapshot = cursor == _LATEST
        self._closed = threading.Event()

    @property
    def cursor(self) -> str:
        """Where reading goes on; a new consumer may begin there."""
        return self._cursor

    @property
    def effective_qos(self) -> QoS:
        """What the channel gives; before the first answer what is asked for."""
        return self._effective

    @property
    def is_blind(self) -> bool:
        """Tell whether the channel has left a question unanswered for too long."""
        return self._sight.is_blind

    def accounts(self, hop: str = "") -> list[Account]:
        """Return what became of the events of each start of a supplier, as far as it was read.

        Args:
            hop: Name in the accounts; empty: the consumer's.
        """
        reads_all = "**" in self.topics and not self._has_snapshot
        in_order = self._qos.order is Order.FIFO
        return self._reception.accounts(hop or self.name, knows_holes=reads_all and in_order)

    def connect(self) -> None:
        """Fix the point from which events are read; otherwise the first ``read`` does.

        Raises:
            InvalidTopic: A filter is malformed.
            InvalidCursor: The cursor is none.
            UnsupportedQoS: The channel cannot give what is asked for.
            CommFailure: The channel is away.
        """
        subscription = self._channel.connect_consumer(
            self.name, self.topics, self._cursor, self._qos, self.durable
        )
        self._subscribed(subscription)
        self._cursor = subscription.cursor

    def _subscribed(self, subscription: Subscription) -> None:
        self._subscription_id = subscription.subscription_id
        self._reception.begin(subscription.subscription_id)
        self._effective = subscription.qos

    def set_qos(self, qos: QoS) -> QoS:
        """Change the quality of service while events are read.

        Returns:
            What the channel gives.

        Raises:
            UnsupportedQoS: The channel cannot give it; nothing has changed.
            SubscriptionTaken: Somebody else reads under this durable name.
            CommFailure: The channel is away; nothing has changed.
        """
        if self._subscription_id:
            try:
                self._subscribed(self._channel.set_qos(self._subscription_id, qos))
            except NoSuchSubscription:
                log.debug("consumer %s: what it asks for goes with its next connection", self.name)
        self._qos = qos
        return self._effective

    def acknowledge(self) -> None:
        """Tell the channel that all that was read is done with; the next ``read`` says so, too.

        Of use before the end of a durable consumer: what is not acknowledged comes again.

        Raises:
            SubscriptionTaken: Somebody else reads under this durable name.
            CommFailure: The channel is away; nothing is acknowledged.
        """
        if self._subscription_id:
            try:
                with within(BLIND_AFTER_S):
                    self._channel.fetch(self._subscription_id, self._cursor, 1, 0.0)
            except NoSuchSubscription:
                log.debug("consumer %s: its next connection acknowledges", self.name)

    def read(self, timeout_s: float, limit: int = _FETCH_LIMIT) -> list[Item]:
        """Return what has come, at once when there is something.

        An absent channel is no error: it is asked again and again, and a ``Blindness`` says so.

        Args:
            timeout_s: How long to wait for something.
            limit: Most events.

        Returns:
            Events and gaps in order, and where it was blind; empty after ``timeout_s`` and when
            closed.

        Raises:
            InvalidTopic: A filter is malformed.
            InvalidCursor: The cursor is none.
            UnsupportedQoS: The channel cannot give what is asked for.
            SubscriptionTaken: Somebody else reads under this durable name now; it is closed.
        """
        deadline = time.monotonic() + timeout_s
        self._reception.hand_over()
        while not self._closed.is_set():
            remaining_s = max(0.0, deadline - time.monotonic())
            items = self._ask(min(self._poll_s, remaining_s), remaining_s, limit)
            if items or time.monotonic() >= deadline:
                return items
        return []

    def __iter__(self) -> Iterator[Item]:
        while not self._closed.is_set():
            yield from self.read(self._poll_s)

    @override
    def close(self) -> None:
        """End reading; a ``read`` that waits in another thread returns at once.

        Of a durable subscription the channel goes on keeping the cursor.
        """
        if self._closed.is_set():
            return
        self._closed.set()
        if not self._subscription_id:
            return
        if self._sight.has_hung_peer:
            return  # a channel that hangs would hold up the end; it forgets us by itself
        try:
            with within(_FAREWELL_S):
                self._channel.disconnect_consumer(self._subscription_id)
        except (RemoteError, OSError) as error:
            log.debug("consumer %s: the channel did not hear the farewell: %s", self.name, error)

    def _ask(self, poll_s: float, remaining_s: float, limit: int) -> list[Item]:
        """Ask once; while the channel is away, pause (within ``remaining_s``) instead."""
        sight = self._sight
        try:
            patience_s = sight.ask()
            with within(patience_s):
                reply = self._fetch(min(poll_s, _OF_PATIENCE * patience_s), limit)
        except _MISTAKES:
            raise
        except SubscriptionTaken:
            # To come back would take it away from who has it now, and so on for ever.
            self._subscription_id = ""
            self._closed.set()
            raise
        except NoSuchSubscription:
            self._subscription_id = ""
            return [*sight.answered()]
        except (RemoteError, OSError) as error:
            log.debug("consumer %s: the channel is away: %s", self.name, error)
            sight.unanswered(error)
            self._closed.wait(sight.pause_s(remaining_s))
            return [*sight.news()]
        return [*sight.answered(), *self._taken(reply)]

    def _fetch(self, poll_s: float, limit: int) -> FetchReply:
        # After an outage the old subscription is tried first: it knows whether somebody
        # else has taken the durable name meanwhile.
        if not self._subscription_id:
            self.connect()
        return self._channel.fetch(self._subscription_id, self._cursor, limit, poll_s)

    def _taken(self, reply: FetchReply) -> list[Event | Gap]:
        items: list[Event | Gap] = list(reply.gaps)
        for gap in reply.gaps:
            self._reception.miss(gap)
        for delivery in reply.deliveries:
            items.extend(self._reception.take(delivery, reply.epoch))
        self._cursor = reply.cursor
        return items
