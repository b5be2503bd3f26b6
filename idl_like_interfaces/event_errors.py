"""What the event channel refuses."""

from __future__ import annotations

from idl_like_interfaces.errors import RemoteError


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


class SubscriptionTaken(
    EventError, LookupError, repository_id="IDL:obsorb/events/SubscriptionTaken:1.0"
):
    """Somebody else reads under this durable name now; who had it must not come back by itself.

    Attributes:
        name: The durable name.
    """

    name: str


class UnsupportedQoS(EventError, ValueError, repository_id="IDL:obsorb/events/UnsupportedQoS:1.0"):
    """The channel cannot give this quality of service; nothing has changed.

    Attributes:
        field: Which part of the QoS, e.g. ``block_s``.
        available: What it can give, in words.
    """

    field: str
    available: str


class MalformedBatch(EventError, ValueError, repository_id="IDL:obsorb/events/MalformedBatch:1.0"):
    """The parts of a batch do not fit each other; nothing of it was taken.

    Attributes:
        field: Which part.
    """

    field: str
