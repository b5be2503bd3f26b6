"""Which quality of service the channel can give: what is asked for becomes effective, or is refused."""

from __future__ import annotations

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_errors import UnsupportedQoS
from idl_like_interfaces.event_quality import LONGEST_BLOCK_S, Order, Overflow, QoS
from objects.messaging.journal import Retention

LEAST_LEASE_S = 1.0
LONGEST_LEASE_S = 86_400.0


def effective(asked: QoS, retention: Retention, lease_s: float) -> QoS:
    """Return what a consumer gets: as it asked, with the channel's own bounds where it left them open.

    Raises:
        BadParam: A limit is negative.
        UnsupportedQoS: It cannot be had.
    """
    for field in ("max_queue", "max_bytes"):
        if getattr(asked, field) < 0:
            raise BadParam(
                f"qos.{field} is {getattr(asked, field)}, a queue cannot be of that size",
                field=f"qos.{field}",
                remedy="give a positive number, or 0 for as many as the channel holds",
            )
    for field, is_wrong, found, available in _faults(asked, retention):
        if is_wrong:
            raise UnsupportedQoS(
                f"qos.{field}: {found}",
                field=field,
                available=available,
                cause="the channel cannot give what is asked for",
                remedy=f"available: {available}",
            )
    return QoS(
        overflow=asked.overflow,
        max_queue=asked.max_queue or retention.max_events,
        max_bytes=asked.max_bytes or retention.max_bytes,
        order=asked.order,
        block_s=asked.block_s,
        lease_s=asked.lease_s or lease_s,
    )


def has_limits(asked: QoS) -> bool:
    """Tell whether a consumer has limits or an order of its own, beyond what the channel holds."""
    return bool(
        asked.max_queue
        or asked.max_bytes
        or asked.order is not Order.FIFO
        or asked.overflow is not Overflow.DROP_OLDEST
    )


def _faults(asked: QoS, retention: Retention) -> list[tuple[str, bool, str, str]]:
    is_block = asked.overflow is Overflow.BLOCK
    is_latest = asked.overflow is Overflow.LATEST
    lease = asked.lease_s
    return [
        (
            "max_queue",
            asked.max_queue > retention.max_events,
            f"{asked.max_queue} events may wait, the channel holds {retention.max_events}",
            f"at most {retention.max_events}",
        ),
        (
            "max_bytes",
            asked.max_bytes > retention.max_bytes,
            f"{asked.max_bytes} bytes may wait, the channel holds {retention.max_bytes}",
            f"at most {retention.max_bytes}",
        ),
        (
            "block_s",
            is_block and not 0 < asked.block_s <= LONGEST_BLOCK_S,
            f"with 'block' suppliers would wait for {asked.block_s:g} s",
            f"above 0 and at most {LONGEST_BLOCK_S:g} s",
        ),
        (
            "block_s",
            not is_block and asked.block_s != 0,
            f"with '{asked.overflow.value}' nobody waits, not for {asked.block_s:g} s",
            "0, or with 'block' more",
        ),
        (
            "order",
            is_latest and asked.order is Order.PRIORITY,
            "with 'latest' there is no order by priority",
            "'fifo' with 'latest'; 'priority' with the others",
        ),
        (
            "max_bytes",
            is_latest and asked.max_bytes > 0,
            "with 'latest' there is no limit in bytes",
            "max_queue: so many topics",
        ),
        (
            "lease_s",
            lease != 0 and not LEAST_LEASE_S <= lease <= LONGEST_LEASE_S,
            f"the lease is {lease:g} s",
            f"{LEAST_LEASE_S:g} to {LONGEST_LEASE_S:g} s, or 0 for that of the channel",
        ),
    ]
