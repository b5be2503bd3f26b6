"""The event message: what is encoded is parsed, anything else is refused with what was found."""

from __future__ import annotations

import struct

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_message import (
    HEADER,
    LARGEST_PAYLOAD,
    MOST_STREAMS,
    EventHeader,
    Malformed,
    encode_event,
    parse_event,
)

u16, u32, u64 = (st.integers(0, (1 << bits) - 1) for bits in (16, 32, 64))

headers = st.builds(
    EventHeader,
    run=u32,
    event=u32,
    lbn=u32,
    streams=st.lists(u16, max_size=20).map(tuple),
    node=u16,
    time_ns=u64,
    flags=u16,
    sender=u64,
    sequence=u64,
)

GOLDEN = (
    "44304556 0100 0200 07000000 2a000000 05000000 0300 0200 15cd5b0700000000"
    "05000000 00000000 efcdab8967452301 0900000000000000 0100 0400 68656c6c6f"
)


@given(headers, st.binary(max_size=300))
def test_what_is_encoded_is_parsed(header: EventHeader, payload: bytes) -> None:
    """Header and payload, byte for byte."""
    found, content = parse_event(encode_event(header, payload))
    assert (found, bytes(content)) == (header, payload)


@given(headers, st.binary(max_size=100), st.data())
def test_each_changed_bit_is_seen(header: EventHeader, payload: bytes, data: st.DataObject) -> None:
    """Wherever it is."""
    message = bytearray(encode_event(header, payload))
    bit = data.draw(st.integers(0, 8 * len(message) - 1))
    message[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Malformed):
        parse_event(message)


@given(headers, st.binary(max_size=100), st.data())
def test_each_other_length_is_seen(
    header: EventHeader, payload: bytes, data: st.DataObject
) -> None:
    """Bytes that are missing or too many."""
    message = encode_event(header, payload)
    size = data.draw(st.integers(0, 2 * len(message)).filter(lambda size: size != len(message)))
    with pytest.raises(Malformed):
        parse_event((message + bytes(len(message)))[:size])


@given(st.binary(max_size=200))
def test_noise_is_no_event(octets: bytes) -> None:
    """And no other error either."""
    with pytest.raises(Malformed):
        parse_event(octets)


def test_the_bytes_are_as_they_are_written_down() -> None:
    """So a program in another language can rely on them."""
    header = EventHeader(
        run=7, event=42, lbn=5, streams=(1, 4), node=3, time_ns=123456789, flags=2,
        sender=0x0123456789ABCDEF, sequence=9,
    )  # fmt: skip
    message = encode_event(header, b"hello")
    body = bytes.fromhex(GOLDEN)
    assert message == body + struct.pack("<I", crc32c(body))
    assert HEADER.size == 56


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"run": 1 << 32}, "run"),
        ({"event": -1}, "event"),
        ({"node": 65_536}, "node"),
        ({"streams": (1, 65_536)}, "streams[1]"),
        ({"streams": (1,) * (MOST_STREAMS + 1)}, "the number of streams"),
        ({"sequence": 1 << 64}, "sequence"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(said: dict[str, int], field: str) -> None:
    """Naming the field, and what fits."""
    with pytest.raises(BadParam, match="is") as refused:
        encode_event(EventHeader(**{"run": 1, "event": 1, **said}), b"")  # type: ignore[arg-type]
    assert refused.value.field == field
    assert "give a number from 0 to" in refused.value.remedy


def test_a_payload_that_is_too_long_is_refused() -> None:
    """One byte more than fits into a call."""
    encode_event(EventHeader(run=1, event=1), bytes(LARGEST_PAYLOAD))
    with pytest.raises(BadParam, match="the length of the payload"):
        encode_event(EventHeader(run=1, event=1), bytes(LARGEST_PAYLOAD + 1))


def test_a_version_that_is_not_known_is_told() -> None:
    """Not taken for a damage."""
    message = bytearray(encode_event(EventHeader(run=1, event=1), b""))
    message[4] = 2
    with pytest.raises(Malformed, match="version 2 is not known, only 1"):
        parse_event(message)
