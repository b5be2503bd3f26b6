"""Bytes to records: every whole event is found, everything else is told."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_message import Malformed, parse_event
from objects.logger_stream.parsing import find_frames, parse
from objects.logger_stream.records import Records
from tests.support.event_batches import batch, damaged, event, events, framed, other

messages = st.one_of(
    st.builds(
        event,
        st.integers(1, 2**63),
        number=st.integers(0, 2**32 - 1),
        run=st.integers(0, 2**32 - 1),
        streams=st.lists(st.integers(0, 65535), max_size=5),
        payload=st.binary(max_size=80),
    ),
    st.binary(max_size=90),
    st.builds(damaged, st.builds(event, st.integers(1, 99)), st.integers(-60, -1)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(messages, max_size=12))
def test_what_is_whole_is_found(contents: list[bytes]) -> None:
    """As the parser of one message says it, at the place where it stands."""
    parsed = parse(batch(contents))
    whole = {}
    for place, each in enumerate(contents):
        try:
            whole[place] = parse_event(each)[0]
        except Malformed:
            continue
    assert parsed.count == len(contents)
    assert parsed.places.tolist() == list(whole)
    assert len(parsed.others) == len(contents) - len(whole)
    assert parsed.damaged + parsed.skipped.total() == len(parsed.others)
    for row, header in zip(parsed.records.index, whole.values(), strict=True):
        assert (int(row["run"]), int(row["event"]), int(row["lbn"])) == (
            header.run, header.event, header.lbn,
        )  # fmt: skip
        assert (int(row["sender"]), int(row["sequence"])) == (header.sender, header.sequence)
    kept = b"".join(map(bytes, parsed.records.spans()))
    assert kept == batch(contents[place] for place in whole)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_parsed_or_refused(octets: bytes) -> None:
    """Nothing else happens, and frames that were found are whole."""
    frames = find_frames(octets)
    assert frames.end == int(frames.sizes.sum())
    if not frames.problem:
        assert parse(octets).count == len(frames.starts)
        return
    with pytest.raises(BadParam) as refused:
        parse(octets)
    assert frames.problem in refused.value.message


def test_each_flipped_bit_is_noticed() -> None:
    """Wherever it is in a batch, no wrong event is taken."""
    right = events(1, 3, streams=(1, 2))
    good = {bytes(each) for each in parse(right).records.messages()}
    for place in random.Random(3).sample(range(8 * len(right)), 400):
        octets = bytearray(right)
        octets[place // 8] ^= 1 << (place % 8)
        try:
            parsed = parse(bytes(octets))
        except BadParam:
            continue
        assert len(parsed.records) == 2
        assert {bytes(each) for each in parsed.records.messages()} < good


def test_too_many_messages_are_refused() -> None:
    """With both numbers."""
    with pytest.raises(BadParam, match="11 messages") as refused:
        parse(events(1, 11), 10)
    assert "10" in refused.value.remedy


def test_what_is_damaged_is_described() -> None:
    """Type, version, lengths and check are told apart."""
    version = bytearray(event(1))
    version[4] = 9
    octets = batch([bytes(version), event(2)[:-5], damaged(event(3)), b"abc", other()])
    parsed = parse(octets)
    assert parsed.damaged == 4
    assert parsed.skipped == {"D0MN": 1}
    assert "version 9" in parsed.found[0]
    assert "do not make" in parsed.found[1]
    assert "its check is" in parsed.found[2]
    assert "3 bytes are fewer" in parsed.found[3]


def test_views_of_a_batch_are_joined_and_packed() -> None:
    """Neighbours are one view; a small part of a large buffer is copied."""
    records = parse(events(1, 10)).records
    assert len(records.spans()) == 1
    even = records.select(records.index["event"] % 2 == 0)
    assert len(even.spans()) == 5
    assert even.own(waste=2) is even
    few = records.head(1).own()
    assert len(few.view) == few.nbytes
    assert bytes(few.spans()[0]) == framed(event(1))
    joined = Records.join([records.head(3), records.tail(3)])
    assert bytes(joined.spans()[0]) == events(1, 10)
    assert len(Records.none()) == 0
    assert Records.none().spans() == []


def test_stream_ids_are_found_row_by_row() -> None:
    """Also when events name different numbers of streams."""
    octets = batch([event(1, streams=()), event(2, streams=(5, 300)), event(3, streams=(65535,))])
    rows, ids = parse(octets).records.stream_ids()
    assert sorted(zip(rows.tolist(), ids.tolist(), strict=True)) == [(1, 5), (1, 300), (2, 65535)]
    assert len(Records.none().stream_ids()[0]) == 0
