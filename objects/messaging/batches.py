"""What the channel does with a batch before it keeps it: check, cut, own."""

from __future__ import annotations

import msgspec

from idl_like_interfaces.clients.records import LARGEST_RECORD
from idl_like_interfaces.clients.topics import LONGEST, check_topic, shortened
from idl_like_interfaces.event_errors import MalformedBatch
from idl_like_interfaces.events import Batch
from idl_like_interfaces.octets import OctetBlocks

LARGEST_NUMBER = 2**48
"""At a million events a second a supplier counts for nine years. Sums of such numbers still fit
into the eight octets that a message has for a number."""

# A short batch that came in a large message would keep all of that alive.
_COPY_BELOW = 16 * 1024


def check_batch(batch: Batch) -> None:
    """Refuse a batch whose parts do not fit each other.

    Raises:
        InvalidTopic: One of the topics is none.
        MalformedBatch: Counts do not fit, or something is longer than it may be.
    """
    for topic in batch.topics:
        check_topic(topic)
    for field, is_wrong, found in _faults(batch):
        if is_wrong:
            raise MalformedBatch(
                f"the batch of {shortened(batch.source) or '(nobody)'} is malformed: {found}",
                field=field,
                cause="the supplier's program makes wrong batches",
                remedy="correct it, or let EventSupplier make the batches",
            )


def _faults(batch: Batch) -> list[tuple[str, bool, str]]:
    count, topics, topic_of = len(batch.records), len(batch.topics), batch.topic_of
    fits = len(topic_of) == count or (not topic_of and topics == 1)
    is_outside = bool(topic_of) and not 0 <= min(topic_of) <= max(topic_of) < topics
    longest = max(batch.records.lengths, default=0)
    return [
        *_faulty_name("source", batch.source),
        *_faulty_name("incarnation", batch.incarnation),
        ("first", batch.first < 1, f"first is {batch.first}, events are numbered from 1"),
        _too_large("first", batch.first + count),
        ("lost", batch.lost < 0, f"lost is {batch.lost}, and cannot be negative"),
        _too_large("lost", batch.lost),
        ("records", count == 0, "it holds no record"),
        (
            "records",
            longest > LARGEST_RECORD,
            f"a record has {longest} bytes, the most are {LARGEST_RECORD}",
        ),
        ("topics", topics == 0, "it names no topic"),
        ("topic_of", not fits, f"{len(topic_of)} topic indexes for {count} records"),
        (
            "priorities",
            len(batch.priorities) not in (0, topics),
            f"{len(batch.priorities)} priorities for {topics} topics",
        ),
        ("topic_of", is_outside, f"a topic index lies outside 0..{topics - 1}"),
    ]


def _too_large(field: str, number: int) -> tuple[str, bool, str]:
    found = f"its numbers ({field}) are too large, the most is {LARGEST_NUMBER}"
    return field, number > LARGEST_NUMBER, found


def _faulty_name(field: str, name: str) -> list[tuple[str, bool, str]]:
    length = len(name)
    return [
        (field, not name, f"it names no {field}"),
        (field, length > LONGEST, f"its {field} has {length} characters, the most are {LONGEST}"),
    ]


def without_first(batch: Batch, skip: int) -> Batch:
    """Cut off the first events."""
    lengths = batch.records.lengths
    start = sum(lengths[:skip])
    return msgspec.structs.replace(
        with_topics_of(batch, batch.topic_of[skip:]),
        first=batch.first + skip,
        records=OctetBlocks(batch.records.buffer[start:], lengths[skip:]),
    )


def with_topics_of(batch: Batch, topic_of: list[int]) -> Batch:
    """Return the batch with only those topics that some of its events have.

    Args:
        batch: The batch.
        topic_of: For each of those events the index of its topic; empty when there is only one.
    """
    numbers: dict[int, int] = {}
    renumbered = [numbers.setdefault(each, len(numbers)) for each in topic_of]
    if not numbers:
        return batch
    return msgspec.structs.replace(
        batch,
        topics=[batch.topics[each] for each in numbers],
        topic_of=renumbered if len(numbers) > 1 else [],
        priorities=[batch.priorities[each] for each in numbers] if batch.priorities else [],
    )


def owned(batch: Batch) -> Batch:
    """Return the batch with nothing that keeps more alive than what its records tell of."""
    if len(batch.topics) > len(batch.records):
        # No limit in bytes counts topics: there must not be more of them than events.
        batch = with_topics_of(batch, batch.topic_of)
    buffer = batch.records.buffer
    if len(buffer) >= _COPY_BELOW and 2 * len(buffer) >= memoryview(buffer.obj).nbytes:
        return batch
    records = OctetBlocks(bytes(buffer), batch.records.lengths)
    return msgspec.structs.replace(batch, records=records)
