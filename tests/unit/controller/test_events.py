"""What ``obsorb events`` says of the channel, of who reads, and of what is missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from controller.cli.events_text import consumers_text, item_document, item_text, stats_text
from idl_like_interfaces.clients import Blindness, Event, EventConsumer
from idl_like_interfaces.event_quality import Order, Overflow, QoS
from idl_like_interfaces.events import (
    ChannelStats,
    ConsumerState,
    ConsumerStats,
    Gap,
    GapReason,
    JournalStats,
    Priority,
    RetentionBounds,
    SupplierStats,
)
from tests.support.small import SmallInstallation, status
from tests.unit.controller.running import document, ok, refused

READER = ConsumerStats(
    name="catalogue",
    topics=["files/**"],
    qos=QoS(
        overflow=Overflow.BLOCK,
        max_queue=100_000,
        max_bytes=64 * 1024**2,
        order=Order.PRIORITY,
        block_s=2.0,
        lease_s=60.0,
    ),
    delivered=123_456_789,
    dropped=42,
    lag=7,
    state=ConsumerState.QUARANTINED,
    durable=True,
    dropped_by={"quarantine": 40, "retention": 2},
    waiting=99_999,
    waiting_bytes=63 * 1024**2,
    delivered_bytes=3 * 1024**3,
    blocked_s=2.0,
)

FULL = ChannelStats(
    epoch="20261122T090000-abcdef01",
    first=900_001,
    last=1_000_000,
    held_bytes=50 * 1024**2,
    events_per_s=20_000.0,
    topics={"component/heartbeat": 1_000, "daq/status": 999_000},
    suppliers=[
        SupplierStats(
            source="obs/ocm", incarnation="i1", accepted=1_000_000, duplicates=512, missing=3
        )
    ],
    consumers=[READER],
    retention=RetentionBounds(max_events=100_000, max_bytes=64 * 1024**2, max_age_s=3600.0),
    latest_topics=2,
    journal=JournalStats(
        folder="/data/events",
        segments=3,
        bytes=48 * 1024**2,
        is_writable=False,
        problem="no space left on device",
        damaged=["/data/events/7.damaged"],
    ),
)


def event(priority: Priority) -> Event:
    """Return an event of a priority."""
    return Event(
        epoch="e", sequence=7, topic="alarms/raised", source="obs/alarms", incarnation="i1",
        source_sequence=1, time_ns=1_500_000_000, repository_id="", body={"n": 1},
        priority=priority,
    )  # fmt: skip


def test_an_urgent_event_says_so() -> None:
    """A normal one does not."""
    assert "[high] obs/alarms" in item_text(event(Priority.HIGH))
    assert "[" not in item_text(event(Priority.NORMAL))
    assert item_document(event(Priority.LOW))["priority"] == "low"


@pytest.mark.parametrize("reason", GapReason)
def test_every_reason_of_a_gap_has_words(reason: GapReason) -> None:
    """Nothing is lost silently."""
    text = item_text(Gap(reason=reason, count=5, first=3, last=9, source="obs/ocm"))
    assert f"5 events are missing ({reason}) of obs/ocm, numbers 3 to 9: " in text


def test_a_gap_of_unknown_size_says_that() -> None:
    """And one of a single event is in the singular."""
    assert "unknown number" in item_text(Gap(reason=GapReason.NEW_EPOCH, count=-1))
    assert "1 event is missing" in item_text(Gap(reason=GapReason.SUPPLIER, count=1))


def test_blindness_is_said_with_its_cause_and_its_end() -> None:
    """In words and as documents."""
    since = datetime(2026, 3, 1, 22, 0, 0, tzinfo=UTC)
    begin = Blindness(is_over=False, since=since, lasted_s=2.5, cause="connection refused")
    end = Blindness(is_over=True, since=since, lasted_s=4.2)
    assert "blind since 22:00:00" in item_text(begin)
    assert "connection refused" in item_text(begin)
    assert "after 4.2s" in item_text(end)
    assert [item_document(each)["type"] for each in (begin, end)] == ["blind", "sees"]


def test_the_state_of_the_channel_fits_into_80_columns() -> None:
    """With large numbers, a journal in trouble and a consumer that has lost events."""
    text = stats_text(FULL)
    assert max(map(len, text.splitlines())) <= 80
    for part in ("20000.0/s", "at most 100000 events, 64.0 MiB, 1h00m", "NOT WRITTEN: no space",
                 "DAMAGED, put aside: /data/events/7.damaged", "512"):  # fmt: skip
        assert part in text


def test_many_topics_are_told_by_their_first_part_and_starts_in_sum() -> None:
    """It fits on a screen of 24 lines; with ``--all`` each has its line."""
    topics = {"daq/status": 3} | {f"oldb/ocm/cfg/{number}": 2 for number in range(300)}
    starts = [
        SupplierStats(source="obs/ocm", incarnation=f"i{n}", accepted=5, duplicates=1, missing=0)
        for n in range(40)
    ]
    stats = replace(FULL, topics=topics, suppliers=starts)
    lines = [line.split() for line in stats_text(stats).splitlines()]
    assert len(lines) <= 24
    assert ["oldb/**", "(300", "topics)", "600"] in lines
    assert ["daq/status", "3"] in lines
    assert ["obs/ocm", "(40", "starts)", "200", "40", "0"] in lines
    assert len(stats_text(stats, is_whole=True).splitlines()) > 340


def test_a_consumer_shows_what_it_gets_and_costs() -> None:
    """Its effective quality of service, what waits, what it lost and why."""
    text = consumers_text([READER])
    for part in ("123456789", "63.0 MiB", "durable, quarantined, reads files/**", "held up",
                 "block, 100000 events, 64.0 MiB, most urgent first, blocks 2.0s,",
                 "lost: 40 quarantine, 2 retention"):  # fmt: skip
        assert part in text
    assert consumers_text([]) == "nobody reads"


def test_stats_count_topics_suppliers_and_consumers(small: SmallInstallation) -> None:
    """As text and as JSON."""
    small.publish_status(status("d1"), status("d2"))
    with EventConsumer(small.channel, ["daq/*"], name="reader") as consumer:
        consumer.connect()
        text = ok("events", "stats")
        assert "2 events" in text
        assert "obs/small" in text
        assert "journal: none" in text
        found = document("events", "stats")
        assert found["topics"] == {"daq/status": 2}
        assert found["consumers"][0]["qos"]["overflow"] == "drop_oldest"


def test_consumers_are_chosen_by_name(small: SmallInstallation) -> None:
    """A star stands for any characters."""
    with (
        EventConsumer(small.channel, ["**"], name="catalogue") as one,
        EventConsumer(small.channel, ["**"], name="top") as other,
    ):
        one.connect()
        other.connect()
        assert "top" not in ok("events", "consumers", "cat*")
        found: list[dict[str, Any]] = document("events", "consumers")
        assert sorted(each["name"] for each in found) == ["catalogue", "top"]
    assert ok("events", "consumers") == "nobody reads\n"


def test_tail_reads_durably_until_it_is_forgotten(small: SmallInstallation) -> None:
    """Each run goes on where the one before ended."""
    small.publish_status(status("d1"), status("d2"), status("d3"))

    def read(count: int) -> list[str]:
        lines = ok(
            "events", "tail", "--durable", "notes", "--from", "oldest", "-n", str(count), "--json"
        )
        return [json.loads(line)["body"]["id"] for line in lines.splitlines()]

    assert read(1) == ["d1"]
    assert read(2) == ["d2", "d3"]
    assert "notes is forgotten" in ok("events", "forget", "notes")
    assert read(1) == ["d1"]
    assert "durable" in refused("events", "forget", "nobody")


def test_tail_begins_with_the_latest_of_each_topic(small: SmallInstallation) -> None:
    """An operator sees how it stands, at once."""
    small.publish_status(status("d1"), status("d2"))
    small.beat()
    lines = ok("events", "tail", "--from", "latest", "-n", "2", "--json").splitlines()
    first, second = map(json.loads, lines)
    assert (first["body"]["id"], second["topic"]) == ("d2", "component/heartbeat")


def test_tail_asks_for_the_quality_that_is_wanted(small: SmallInstallation) -> None:
    """The queue bound, what happens then, and the order."""
    for body, priority in (("1", "normal"), ("2", "high"), ("3", "normal")):
        ok("events", "publish", "notes/a", body, "--priority", priority)
    options = ("--from", "oldest", "--json", "-n")
    lines = ok("events", "tail", "--order", "priority", *options, "1").splitlines()
    assert json.loads(lines[0])["body"] == 2
    text = ok("events", "tail", "--overflow", "drop_oldest", "--max-queue", "2", *options, "2")
    gap, last = map(json.loads, text.splitlines())
    assert (gap["type"], gap["count"], last["body"]) == ("gap", 1, 2)
    assert "overflow" in refused("events", "tail", "--overflow", "block", code=2)
