"""What the channel makes of batches: nothing that is over a limit gets in, parts stay small."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idl_like_interfaces.clients.records import LARGEST_RECORD
from idl_like_interfaces.event_errors import MalformedBatch
from idl_like_interfaces.events import Batch, Priority
from idl_like_interfaces.octets import OctetBlocks
from objects.messaging.batches import LARGEST_NUMBER, check_batch, with_topics_of, without_first
from objects.messaging.channel import EventChannelServant
from objects.messaging.components import EventChannelComponent
from tests.support.batches import make_batch, sequences
from tests.support.site import FakeSite

TOPICS = [f"sensor/{number}" for number in range(100)]


def _topics(batch: Batch) -> Sequence[str]:
    """Return the topic of each event."""
    return [batch.topics[index] for index in batch.topic_of or [0] * len(batch.records)]


@pytest.mark.parametrize(
    ("field", "changes", "found"),
    [
        ("records", {"records": OctetBlocks.of([b"x" * (LARGEST_RECORD + 1)])}, "the most are"),
        ("source", {"source": "x" * 256}, "256 characters"),
        ("incarnation", {"incarnation": "x" * 256}, "256 characters"),
        ("first", {"first": LARGEST_NUMBER}, "too large"),
        ("first", {"first": 2**64 - 1}, "too large"),
        ("lost", {"lost": LARGEST_NUMBER + 1}, "too large"),
    ],
)
def test_what_is_over_a_limit_is_refused(field: str, changes: dict[str, Any], found: str) -> None:
    """Whoever makes batches without our supplier cannot fill channel or readers beyond bounds."""
    batch = msgspec.structs.replace(make_batch(1, ["a"]), **changes)
    with pytest.raises(MalformedBatch, match=found) as refusal:
        check_batch(batch)
    assert refusal.value.field == field
    assert refusal.value.remedy
    assert len(str(refusal.value)) < 1000


def test_what_is_just_within_the_limits_is_taken() -> None:
    """A record of 3 MiB, names of 255 characters."""
    batch = make_batch(1, ["a"], source="x" * 255, incarnation="y" * 255)
    records = OctetBlocks.of([b"x" * LARGEST_RECORD])
    check_batch(msgspec.structs.replace(batch, records=records))


def test_topics_that_no_event_has_are_not_kept() -> None:
    """No limit in bytes counts them: they would fill memory, and replies until none can be sent."""
    channel = EventChannelServant("now")
    for first in range(1, 4):
        single = make_batch(first, ["sensor/5"])
        channel.publish(msgspec.structs.replace(single, topics=TOPICS, topic_of=[5]))
    reader = channel.connect_consumer("reader", ["**"], "oldest")
    reply = channel.fetch(reader.subscription_id, reader.cursor)
    assert [each.batch.topics for each in reply.deliveries] == [["sensor/5"]] * 3
    assert channel.get_stats().topics == {"sensor/5": 3}


def test_a_narrow_reader_gets_the_topics_of_its_events_only() -> None:
    """The names of all others would fill its replies when it is behind."""
    channel = EventChannelServant("now")
    channel.publish(make_batch(1, TOPICS * 2))
    wanted = ["sensor/7", "sensor/70"]
    reader = channel.connect_consumer("narrow", wanted, "oldest")
    reply = channel.fetch(reader.subscription_id, reader.cursor)
    (delivery,) = reply.deliveries
    assert sequences(reply) == [8, 71, 108, 171]
    assert delivery.batch.topics == wanted
    assert _topics(delivery.batch) == wanted * 2


def test_topics_keep_their_priorities() -> None:
    """Also when only one of them is left."""
    priorities = [Priority.LOW, Priority.HIGH, Priority.NORMAL]
    batch = msgspec.structs.replace(make_batch(1, ["a", "b", "c"]), priorities=priorities)
    part = with_topics_of(batch, [2, 1, 2])
    assert (part.topics, part.topic_of) == (["c", "b"], [0, 1, 0])
    assert part.priorities == [Priority.NORMAL, Priority.HIGH]
    single = with_topics_of(batch, [1])
    assert (single.topics, single.topic_of, single.priorities) == (["b"], [], [Priority.HIGH])


def test_what_is_cut_off_takes_its_topics_along() -> None:
    """A batch that is mostly repeated leaves no more behind than what is new of it."""
    whole = make_batch(1, TOPICS)
    rest = without_first(whole, 98)
    assert (rest.first, _topics(rest)) == (99, TOPICS[98:])
    assert list(rest.records) == list(whole.records)[98:]
    assert rest.topics == TOPICS[98:]


def test_the_largest_numbers_travel_and_are_kept(tmp_path: Path) -> None:
    """From many starts of a supplier: in figures, in gaps, and in the journal."""
    site = FakeSite(tmp_path, name="events")
    component = EventChannelComponent(site, EventChannelComponent.Settings())
    component.recover()
    (offered,) = component.objects()
    channel = offered.servant
    assert isinstance(channel, EventChannelServant)
    reader = channel.connect_consumer("reader", ["**"])
    for start in range(50):
        batch = make_batch(LARGEST_NUMBER - 1, ["a"], incarnation=f"i{start}")
        channel.publish(msgspec.structs.replace(batch, lost=LARGEST_NUMBER))
    channel.attend()
    gaps = channel.fetch(reader.subscription_id, reader.cursor).gaps
    assert msgspec.msgpack.encode([gaps, channel.get_stats(), channel.accounts("events")])
    component.stop()
