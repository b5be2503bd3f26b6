"""The frame of the journal's files, and what is found in spoilt ones."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objects.messaging.segments import HEADER_BYTES, Kind, Label, frame, mark_of, scan

MARK = mark_of("an epoch")


def _file(*bodies: bytes) -> bytes:
    data = b""
    for number, body in enumerate(bodies, 1):
        label = Label(kind=Kind.EVENTS, sequence=number, mark=MARK)
        data += b"".join(frame(label, [body[:3], body[3:]], len(data)))
    return data


def _bodies(data: bytes) -> list[bytes]:
    return [bytes(record.body) for record in scan(data).records]


def test_the_header_is_as_the_reference_says() -> None:
    """Forty bytes, little-endian, with a CRC-32 of the body and one of the header."""
    data = _file(b"first", b"second body")
    second = data[HEADER_BYTES + 5 :]
    fields = struct.unpack("<4sHHQQIIII", second[:HEADER_BYTES])
    assert fields[:5] == (b"OBEJ", 1, 2, HEADER_BYTES + 5, 2)
    assert fields[5:] == (MARK, 11, zlib.crc32(b"second body"), zlib.crc32(second[:36]))
    assert second[HEADER_BYTES:] == b"second body"


def test_records_are_found_in_order() -> None:
    """With their labels, and with where they end."""
    found = scan(_file(b"one", b"", b"three"))
    assert [bytes(each.body) for each in found.records] == [b"one", b"", b"three"]
    assert [each.label.sequence for each in found.records] == [1, 2, 3]
    assert (found.damages, found.torn) == ([], None)
    assert found.records[-1].end == 3 * HEADER_BYTES + 8


@pytest.mark.parametrize("cut", [1, 8, 9, 40, 47])
def test_a_record_that_was_not_finished_is_torn_and_not_damaged(cut: int) -> None:
    """Wherever the file ends within it."""
    data = _file(b"kept", b"unfinished")
    found = scan(data[:-cut])
    assert [bytes(each.body) for each in found.records] == [b"kept"]
    assert (found.damages, found.torn) == ([], HEADER_BYTES + 4)


def test_zeros_at_the_end_are_torn() -> None:
    """A file system may lengthen a file before it writes what belongs there."""
    data = _file(b"kept")
    assert scan(data + bytes(100)).torn == len(data)
    assert scan(data + bytes(100)).damages == []


def test_zeros_before_something_else_are_damage() -> None:
    """They are passed over, and what follows is read."""
    whole = _file(b"one", b"two", b"three")
    begin, end = HEADER_BYTES + 3, 2 * HEADER_BYTES + 6
    spoilt = whole[:begin] + bytes(end - begin) + whole[end:]
    assert _bodies(spoilt) == [b"one", b"three"]
    assert [(each.begin, each.end) for each in scan(spoilt).damages] == [(begin, end)]


def test_a_damaged_body_costs_its_record_only() -> None:
    """The header has a CRC of its own: where the next record begins is known."""
    spoilt = bytearray(_file(b"one", b"two", b"three"))
    spoilt[2 * HEADER_BYTES + 4] ^= 1
    assert _bodies(bytes(spoilt)) == [b"one", b"three"]
    (damage,) = scan(bytes(spoilt)).damages
    assert "CRC" in damage.reason


def test_a_record_within_the_body_of_a_damaged_one_is_not_taken_for_one() -> None:
    """It says that it stands elsewhere in its file."""
    carried = _file(b"somebody else's")
    spoilt = bytearray(_file(b"one", b"begin" + carried + b"end", b"three"))
    spoilt[HEADER_BYTES + 3] ^= 0xFF
    assert _bodies(bytes(spoilt)) == [b"one", b"three"]


def test_another_format_version_is_not_read() -> None:
    """Nobody knows what it means; it is said which one it is."""
    data = bytearray(_file(b"one", b"two"))
    struct.pack_into("<H", data, 4, 2)
    struct.pack_into("<I", data, 36, zlib.crc32(data[:36]))
    found = scan(bytes(data))
    assert [bytes(each.body) for each in found.records] == [b"two"]
    assert "version 2" in found.damages[0].reason


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5), st.data(), st.integers(1, 255))
def test_no_changed_byte_makes_another_body(
    bodies: list[bytes], data: st.DataObject, flip: int
) -> None:
    """What is found is what was written, in its order; what is missing is told."""
    spoilt = bytearray(_file(*bodies))
    spoilt[data.draw(st.integers(0, len(spoilt) - 1))] ^= flip
    found = scan(bytes(spoilt))
    left = list(bodies)
    for record in found.records:
        left = left[left.index(bytes(record.body)) + 1 :]
    assert len(found.records) == len(bodies) - 1
    assert found.damages
    assert found.torn is None


@given(st.binary(max_size=500))
def test_anything_can_be_scanned(data: bytes) -> None:
    """It ends, and accounts for every byte."""
    found = scan(data)
    assert found.records == []
    told = sum(each.end - each.begin for each in found.damages)
    assert told == (len(data) if found.torn is None else found.torn)
