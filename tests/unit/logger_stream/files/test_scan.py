"""Going through the bytes of a file, whatever they are."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from objects.logger_stream.files.layout import document_fault, encode_document, framed
from objects.logger_stream.files.scan import Damage, Other, Whole, scan
from tests.support.event_files import message

RECORDS = [framed(message(number, size=size)) for number, size in enumerate((0, 5, 40, 300), 1)]

pieces_of_files = st.lists(
    st.one_of(
        st.sampled_from(RECORDS),
        st.binary(min_size=1, max_size=80).map(lambda octets: octets.replace(b"D0", b"--")),
        st.sampled_from(RECORDS).flatmap(
            lambda record: st.integers(0, len(record) - 1).map(lambda size: record[:size])
        ),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(pieces_of_files)
def test_the_pieces_are_the_file(parts: list[bytes]) -> None:
    """In order, without overlap or hole; every event that is told is whole."""
    data = b"".join(parts)
    place = 0
    for piece in scan(data, 0, len(data)):
        assert piece.begin == place < piece.end
        place = piece.end
        if isinstance(piece, Whole):
            sizes = piece.entries["size"].tolist()
            assert sum(sizes) == piece.end - piece.begin
            for size, start in zip(sizes, piece.begin + np.cumsum([0, *sizes[:-1]]), strict=True):
                assert data[start : start + size] in RECORDS
    assert place == len(data)


@settings(deadline=None)
@given(st.lists(st.sampled_from(RECORDS), min_size=1, max_size=6), st.binary(max_size=60))
def test_whole_records_are_found_behind_noise(records: list[bytes], noise: bytes) -> None:
    """All of them, if the noise itself tells no record."""
    noise = noise.replace(b"D0", b"--")
    if not 16 <= int.from_bytes(noise[:4], "big") <= 10_000:
        data = noise + b"".join(records)
        found = [piece for piece in scan(data, 0, len(data)) if isinstance(piece, Whole)]
        assert sum(len(piece.entries) for piece in found) == len(records)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, sum(map(len, RECORDS)) - 1), st.integers(1, 255))
def test_one_damaged_byte_costs_one_event_only(place: int, change: int) -> None:
    """Whichever byte it is."""
    data = bytearray(b"".join(RECORDS))
    data[place] ^= change
    found = [piece for piece in scan(bytes(data), 0, len(data)) if isinstance(piece, Whole)]
    assert sum(len(piece.entries) for piece in found) == len(RECORDS) - 1


@given(st.sampled_from([b"D0FH", b"D0FT", b"D0XX"]), st.binary(max_size=200))
def test_documents_are_known_by_their_check(type_: bytes, content: bytes) -> None:
    """Whole ones are no damage, and each changed bit is one."""
    record = encode_document(type_, content)
    assert [type(piece) for piece in scan(record, 0, len(record))] == [Other]
    changed = bytearray(record[4:-4])
    changed[len(changed) // 2] ^= 1
    assert document_fault(memoryview(changed))


def test_neighbouring_damages_are_told_as_one() -> None:
    """With what was wrong first."""
    spoiled = bytearray(b"".join(RECORDS * 2))
    for place in (20, len(RECORDS[0]) + 20):
        spoiled[place] ^= 1
    first, second = list(scan(bytes(spoiled), 0, len(spoiled)))
    assert isinstance(first, Damage)
    assert first.end == len(RECORDS[0]) + len(RECORDS[1])
    assert isinstance(second, Whole)


def test_progress_is_told() -> None:
    """Up to the end."""
    data = b"".join(RECORDS * 10)
    told: list[tuple[int, int]] = []
    list(scan(data, 0, len(data), lambda done, total: told.append((done, total))))
    assert told[-1] == (len(data), len(data))
