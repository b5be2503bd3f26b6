"""The quality of service of a consumer of events."""

from __future__ import annotations

from enum import StrEnum

from idl_like_interfaces.declare import Seconds, Value


class Overflow(StrEnum):
    """What a consumer's full queue does."""

    DROP_OLDEST = "drop_oldest"
    """The oldest of the least urgent events go."""
    DROP_NEWEST = "drop_newest"
    """What comes is not taken for this consumer until it has read."""
    LATEST = "latest"
    """Of each topic only the newest event waits."""
    BLOCK = "block"
    """Suppliers wait until the consumer has read, for ``block_s`` at most; then the consumer is
    quarantined: it holds up nobody, and loses as by ``drop_oldest``, until it has read all."""


class Order(StrEnum):
    """In which order a consumer gets what waits for it."""

    FIFO = "fifo"
    """In that of the channel."""
    PRIORITY = "priority"
    """The most urgent first, and in that of the channel among those of one priority."""


LONGEST_BLOCK_S = 5.0
"""A consumer may hold up suppliers for so long at most."""


class QoS(Value, frozen=True, kw_only=True):
    """What a consumer asks for, and what it effectively gets.

    Attributes:
        overflow: What is done when a limit is passed.
        max_queue: Events that may wait for the consumer; 0: as many as the
            channel holds. In an effective QoS never 0.
        max_bytes: The same in bytes of their records.
        order: In which order it reads.
        block_s: With ``block``, and only then: how long it may hold up suppliers,
            above 0 and at most ``LONGEST_BLOCK_S``.
        lease_s: A consumer that has asked nothing for so long is forgotten; 0: as the
            channel has it. In an effective QoS never 0.
    """

    overflow: Overflow = Overflow.DROP_OLDEST
    max_queue: int = 0
    max_bytes: int = 0
    order: Order = Order.FIFO
    block_s: Seconds = 0.0
    lease_s: Seconds = 0.0
