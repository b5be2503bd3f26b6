"""Bodies of events: what can travel, and what comes out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.announcements import FILE_FINISHED_TOPIC, FileFinished
from idl_like_interfaces.clients.records import (
    LARGEST_RECORD,
    UNDECODABLE,
    Event,
    decode_record,
    decode_records,
    encode_record,
    to_time,
    to_wire,
)
from idl_like_interfaces.daqif import AlertSeverity, DaqAlert
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.events import EventRecord
from idl_like_interfaces.octets import OctetBlocks

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)

plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def event(body: object) -> Event:
    """Return an event with a body."""
    return Event(
        epoch="e",
        sequence=7,
        topic="daq/alert",
        source="obs/ocm",
        incarnation="i",
        source_sequence=3,
        time_ns=1_772_366_400_250_000_000,
        repository_id="",
        body=body,
    )


@given(body=plain_values)
def test_plain_values_come_back(body: object) -> None:
    """Whatever is plain survives encoding."""
    record = decode_record(encode_record(0, body, "IDL:a/B:1.0"))
    assert (record.repository_id, record.body) == ("IDL:a/B:1.0", body)


def test_a_struct_comes_back_as_itself() -> None:
    """Times travel as ISO texts, so that clients without our structs can read them."""
    alert = DaqAlert(id="a", severity=AlertSeverity.ERROR, description="d", time=NOON)
    record = decode_record(encode_record(1_772_366_400_250_000_000, alert))
    assert to_time(record.time_ns) == NOON
    assert record.body["time"] == "2026-03-01T12:00:00.250000Z"
    assert event(record.body).as_(DaqAlert) == alert


@given(moment=st.datetimes(timezones=st.just(UTC)))
def test_any_time_travels_as_text(moment: datetime) -> None:
    """Wherever it stands and whatever it is: readers without our decoder see ISO 8601."""
    body = decode_record(encode_record(0, {"at": [moment], "raw": b"\xd7\xff"})).body
    assert isinstance(body["at"][0], str)
    assert datetime.fromisoformat(body["at"][0]) == moment
    assert body["raw"] == b"\xd7\xff"


def test_fields_of_a_newer_supplier_are_passed_over() -> None:
    """A listener that is a version behind still understands the rest."""
    finished = FileFinished(
        path="/f", host="h", kind="raw", owner="o", size_bytes=1, digest="sha256:00"
    )
    body = decode_record(encode_record(0, finished)).body
    assert event({**body, "colour": "blue"}).as_(FileFinished) == finished


def test_a_body_of_another_type_is_refused() -> None:
    """The message says which event it was and what does not fit."""
    with pytest.raises(BadParam, match="no FileFinished") as refusal:
        event({"path": 1}).as_(FileFinished)
    assert "obs/ocm" in refusal.value.remedy
    with pytest.raises(BadParam):
        event([1, 2]).as_(FileFinished)
    assert FILE_FINISHED_TOPIC == "files/finished"


@pytest.mark.parametrize("body", [object(), {"a": object()}, {1, object()}, 2**70])
def test_a_body_that_cannot_travel_is_refused(body: object) -> None:
    """At the call that publishes it, not later in a thread."""
    with pytest.raises(BadParam) as refusal:
        encode_record(0, body)
    assert refusal.value.field == "body"


def test_a_body_that_is_too_large_is_refused() -> None:
    """It would not fit into a message."""
    with pytest.raises(BadParam, match="bytes"):
        encode_record(0, "x" * LARGEST_RECORD)


@given(encoded=st.binary(max_size=40))
def test_any_bytes_can_be_looked_at(encoded: bytes) -> None:
    """What is no record is marked as such; nothing raises."""
    record = decode_record(encoded)
    assert to_time(record.time_ns).tzinfo is UTC
    assert isinstance(record.repository_id, str)


@pytest.mark.parametrize("encoded", [b"", b"\xc1", b"\x01", encode_record(2**62, 1)[:-3]])
def test_what_is_no_record_is_marked(encoded: bytes) -> None:
    """Nothing at all, what is not msgpack, another type, and a record that was cut."""
    assert decode_record(encoded) == EventRecord(0, UNDECODABLE, None)


@given(bodies=st.lists(st.one_of(st.integers(0, 9), st.text(), st.lists(st.booleans()))))
def test_records_read_together_are_those_read_one_by_one(bodies: list[Any]) -> None:
    """Of each its time, type and body."""
    records = [encode_record(at, body, "IDL:a/B:1.0") for at, body in enumerate(bodies)]
    read = decode_records(OctetBlocks.of(records))
    assert read == [(at, "IDL:a/B:1.0", body) for at, body in enumerate(bodies)]


@pytest.mark.parametrize("wrong", [b"", b"\xc1", b"\x01", encode_record(1, 2)[:-1]])
def test_one_that_is_none_does_not_spoil_the_others(wrong: bytes) -> None:
    """Whatever comes before and behind it."""
    good = encode_record(7, "good")
    read = decode_records(OctetBlocks.of([good, wrong, good]))
    assert read == [(7, "", "good"), (0, UNDECODABLE, None), (7, "", "good")]


def test_odd_values_become_plain() -> None:
    """What a serializer may choke on is turned into texts and nulls."""
    assert to_wire({1: NOON, "s": [b"\x01", float("-inf"), 2]}) == {
        "1": str(NOON),
        "s": ["AQ==", None, 2],
    }
