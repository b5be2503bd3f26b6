"""What the channel does with a batch before it keeps it: check, cut, own."""

from __future__ import annotations

import msgspec

from idl_like_interfaces.clients.topics import check_topic
from idl_like_interfaces.events import Batch, MalformedBatch
from idl_like_interfaces.octets import OctetBlocks

# A short batch that came in a large message would keep all of that alive.
_COPY_BELOW = 16 * 1024


def check_batch(batch: Batch) -> None:
    """Refuse a batch whose parts do not fit each other.

    Raises:
        InvalidTopic: One of the topics is none.
        MalformedBatch: Counts do not fit.
    """
    for topic in batch.topics:
        check_topic(topic)
    for field, is_wrong, found in _faults(batch):
        if is_wrong:
            raise MalformedBatch(
                f"the batch of {batch.source or '(nobody)'} is malformed: {found}",
                field=field,
                cause="the supplier's program makes wrong batches",
                remedy="correct it, or let EventSupplier make the batches",
            )


def _faults(batch: Batch) -> list[tuple[str, bool, str]]:
    count, topics, topic_of = len(batch.records), len(batch.topics), batch.topic_of
    fits = len(topic_of) == count or (not topic_of and topics == 1)
    is_outside = bool(topic_of) and not 0 <= min(topic_of) <= max(topic_of) < topics
    return [
        ("source", not batch.source, "it names no source"),
        ("incarnation", not batch.incarnation, "it names no incarnation"),
        ("first", batch.first < 1, f"first is {batch.first}, events are numbered from 1"),
        ("lost", batch.lost < 0, f"lost is {batch.lost}, and cannot be negative"),
        ("records", count == 0, "it holds no record"),
        ("topics", topics == 0, "it names no topic"),
        ("topic_of", not fits, f"{len(topic_of)} topic indexes for {count} records"),
        (
            "priorities",
            len(batch.priorities) not in (0, topics),
            f"{len(batch.priorities)} priorities for {topics} topics",
        ),
        ("topic_of", is_outside, f"a topic index lies outside 0..{topics - 1}"),
    ]


def without_first(batch: Batch, skip: int) -> Batch:
    """Cut off the first events."""
    lengths = batch.records.lengths
    start = sum(lengths[:skip])
    return msgspec.structs.replace(
        batch,
        first=batch.first + skip,
        topic_of=batch.topic_of[skip:],
        records=OctetBlocks(batch.records.buffer[start:], lengths[skip:]),
    )


def owned(batch: Batch) -> Batch:
    """Return the batch with records that do not keep a much larger message alive."""
    buffer = batch.records.buffer
    if len(buffer) >= _COPY_BELOW and 2 * len(buffer) >= memoryview(buffer.obj).nbytes:
        return batch
    records = OctetBlocks(bytes(buffer), batch.records.lengths)
    return msgspec.structs.replace(batch, records=records)
