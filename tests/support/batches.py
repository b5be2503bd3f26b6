"""Batches of small events, and what a consumer has got of them."""

from __future__ import annotations

from collections.abc import Sequence

from idl_like_interfaces.clients.records import encode_record
from idl_like_interfaces.events import Batch, FetchReply
from idl_like_interfaces.octets import OctetBlocks


def make_batch(
    first: int,
    topics: Sequence[str],
    *,
    source: str = "obs/test",
    incarnation: str = "i1",
    lost: int = 0,
) -> Batch:
    """Return a batch with one event for each topic; its body is its number."""
    index: dict[str, int] = {}
    topic_of = [index.setdefault(topic, len(index)) for topic in topics]
    records = [encode_record(1_000, first + at) for at in range(len(topics))]
    return Batch(
        source=source,
        incarnation=incarnation,
        first=first,
        topics=list(index),
        topic_of=topic_of if len(index) > 1 else [],
        records=OctetBlocks.of(records),
        lost=lost,
    )


def sequences(reply: FetchReply) -> list[int]:
    """Return the channel sequence numbers of what was delivered."""
    return [
        each.sequence + position
        for each in reply.deliveries
        for position in each.positions or range(len(each.batch.records))
    ]


def numbers(reply: FetchReply) -> list[int]:
    """Return the suppliers' own numbers of what was delivered."""
    return [
        each.batch.first + position
        for each in reply.deliveries
        for position in each.positions or range(len(each.batch.records))
    ]
