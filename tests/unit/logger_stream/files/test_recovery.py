"""Recovery at every kind of damage: each whole event stays, nothing else does, all is told."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from objects.logger_stream.files.frames import chain
from objects.logger_stream.files.layout import framed, index_path, side_car_path
from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.files.recovery import Recovered, recover
from objects.logger_stream.files.sidecar import read_side_car
from objects.logger_stream.files.verify import verify
from objects.logger_stream.files.writer import EventFileWriter
from tests.support.clock import ManualClock
from tests.support.event_files import (
    RUN,
    SENDER,
    file_header,
    flip,
    killed,
    left_file,
    message,
    new_writer,
    some,
)

RECORD = len(message(1)) + 8


@pytest.fixture
def memory() -> Iterator[Path]:
    """Return a folder in memory, if there is one: a disk is synced thousands of times else."""
    shared = Path("/dev/shm")
    with TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        yield Path(folder)


def bounds(path: Path) -> list[int]:
    """Return where each record of a file begins, and where the last one ends."""
    data = path.read_bytes()
    starts, end = chain(data, 0, len(data), 1 << 20)
    return [*starts, end]


def events_of(path: Path) -> list[int]:
    """Return the numbers of the events in a file; each is checked, nothing else is in it."""
    with EventFile(path, uses_index=False) as file:
        assert not file.problems
        for event in file:
            assert bytes(event.message) == message(event.header.event, size=len(event.payload))
        return [event.header.event for event in file]


def closed(recovered: Recovered) -> Path:
    """Close a recovered file; nothing is wrong with it."""
    path = Path(EventFileWriter.resume(recovered, ManualClock()).close("recovered").path)
    assert not [found for found in verify(path).findings if found.is_error]
    with EventFile(path) as by_index, EventFile(path, uses_index=False) as by_data:
        assert [event.number for event in by_index] == [event.number for event in by_data]
    return path


def check_torn(raw: bytes, starts: list[int], size: int, folder: Path) -> None:
    """Recover the first bytes of a file of which index and side-car are whole."""
    part = folder / f"all_{RUN:09d}_000.raw.part"
    part.write_bytes(raw[:size])
    recovered = recover(part)
    whole = max([place for place in starts if place <= size], default=0)
    assert recovered.size == part.stat().st_size == max(whole, starts[1])
    assert recovered.events == max(0, starts.index(recovered.size) - 1)
    assert part.read_bytes() == raw[: recovered.size]
    assert bool(recovered.cut) == (size not in starts[1:])
    told = read_side_car(part)
    assert told is not None
    assert told.summary == recovered.tally.summary(recovered.size)


def tear_everywhere(folder: Path, places: list[int], part: Path) -> None:
    """Recover a file that ends at each of some places."""
    raw, starts = part.read_bytes(), bounds(part)
    index, told = index_path(part).read_bytes(), side_car_path(part).read_bytes()
    for place in places:
        index_path(part).write_bytes(index)
        side_car_path(part).write_bytes(told)
        check_torn(raw, starts, place, folder)


@pytest.mark.spec("D48", "D50")
def test_a_tail_torn_at_any_byte_costs_the_torn_record_only(memory: Path) -> None:
    """Sampled over the last KiB: each byte of the last records, some of the others."""
    part = left_file(memory, 40, synced=20)
    size = part.stat().st_size
    chance = random.Random(1)
    places = {*range(size - 2 * RECORD - 3, size + 1), *chance.sample(range(size), 150), 0, 1}
    tear_everywhere(memory, sorted(places), part)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.spec("D48", "D50")
def test_a_tail_torn_at_each_byte_of_the_last_64_kib(memory: Path) -> None:
    """All of them, with events of several sizes."""
    writer = new_writer(memory)
    for first in range(1, 401, 20):
        writer.append(some(range(first, first + 20), size=17 * first % 700))
        writer.sync()
    part = killed(writer)
    size = part.stat().st_size
    assert size > 65_536
    tear_everywhere(memory, list(range(size - 65_536, size + 1)), part)


@pytest.mark.spec("D48", "D49")
def test_a_killed_writer_loses_what_was_not_flushed_only(tmp_path: Path) -> None:
    """All that was flushed is there, and the file goes on as if nothing had been."""
    writer = new_writer(tmp_path)
    writer.append(some(range(1, 31)))
    writer.flush()
    writer.append(some(range(31, 41)))
    recovered = recover(killed(writer))
    assert (recovered.events, recovered.cut) == (30, [])
    again = EventFileWriter.resume(recovered, ManualClock())
    assert (again.events, again.events_range, again.lbns) == (30, (1, 30), (1, 3))
    again.append(some(range(31, 51)))
    path = Path(again.close("end of run").path)
    assert events_of(path) == list(range(1, 51))
    assert not verify(path).findings
    told = read_side_car(path)
    assert told is not None
    assert "nothing was cut off" in told.summary.recovered


def test_with_a_whole_index_only_what_was_not_synced_is_read(tmp_path: Path) -> None:
    """Who else knows what was synced makes it less still."""
    part = left_file(tmp_path, 50, synced=40)
    assert recover(part).read == 10 * RECORD
    size = part.stat().st_size
    assert recover(part, trusted=size).read == 0


def test_without_an_index_all_is_read(tmp_path: Path) -> None:
    """And the index is there again."""
    part = left_file(tmp_path, 50, synced=40)
    whole = index_path(part).read_bytes()
    index_path(part).unlink()
    recovered = recover(part)
    assert (recovered.events, recovered.read) == (50, 50 * RECORD)
    assert index_path(part).stat().st_size == recovered.index_size < len(whole)
    assert recover(part).read == 0


@pytest.mark.parametrize("place", [0, 30, 60, 71, 72, 100, -33, -1])
def test_a_damaged_index_is_made_anew_from_the_damage_on(tmp_path: Path, place: int) -> None:
    """Wherever the damage is, the events are found."""
    part = left_file(tmp_path, 50, synced=40)
    flip(index_path(part), place)
    assert recover(part).events == 50
    assert recover(part).read == 0


def test_an_index_of_another_file_is_not_believed(tmp_path: Path) -> None:
    """Even when the records are as long."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    part = left_file(tmp_path / "one", 20, synced=20)
    writer = new_writer(tmp_path / "two", sequence=1)
    writer.append(some(range(101, 121)))
    writer.sync()
    index_path(part).write_bytes(index_path(killed(writer)).read_bytes())
    assert recover(part).tally.events_range == (1, 20)


def test_an_index_ahead_of_the_data_is_cut(tmp_path: Path) -> None:
    """As a loss of power may leave it."""
    part = left_file(tmp_path, 50, synced=50)
    os.truncate(part, part.stat().st_size - 20 * RECORD)
    recovered = recover(part)
    assert (recovered.events, recovered.cut) == (30, [])
    assert events_of(closed(recovered)) == list(range(1, 31))


def test_zeros_where_data_was_not_synced_are_not_believed(tmp_path: Path) -> None:
    """The index says that there are events; the disk does not have them."""
    part = left_file(tmp_path, 50, synced=20)
    size = part.stat().st_size
    with part.open("r+b") as stream:
        stream.seek(size - 25 * RECORD)
        stream.write(bytes(5 * RECORD))
    recovered = recover(part)
    assert recovered.tally.events == 45
    assert [*range(1, 26), *range(31, 51)] == events_of(closed(recovered))


def test_less_than_was_synced_is_told(tmp_path: Path) -> None:
    """As whoever wrote it down knows."""
    part = left_file(tmp_path, 10, synced=10)
    size = part.stat().st_size
    os.truncate(part, size - RECORD)
    recovered = recover(part, trusted=size)
    assert recovered.events == 9
    assert f"{RECORD} bytes are missing: {size} had been synced" in recovered.cut[0]


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        pytest.param(lambda raw, at: flipped(raw, at + 30), [20], id="header"),
        pytest.param(lambda raw, at: flipped(raw, at + 100), [20], id="payload"),
        pytest.param(lambda raw, at: flipped(raw, at + RECORD - 6), [20], id="check"),
        pytest.param(lambda raw, at: flipped(raw, at + 3), [20], id="length before"),
        pytest.param(lambda raw, at: flipped(raw, at + 1), [20], id="length before, very wrong"),
        pytest.param(lambda raw, at: flipped(raw, at + RECORD - 1), [20], id="length behind"),
        pytest.param(lambda raw, at: flipped(raw, at + RECORD + 1), [21], id="next length"),
        pytest.param(
            lambda raw, at: raw[:at] + bytes(3 * RECORD) + raw[at + 3 * RECORD :],
            [20, 21, 22],
            id="zeros",
        ),
        pytest.param(
            lambda raw, at: raw[: at + 50] + os.urandom(2 * RECORD) + raw[at + 50 + 2 * RECORD :],
            [20, 21, 22],
            id="noise",
        ),
        pytest.param(lambda raw, at: raw[:at] + raw[at + 40 :], [20], id="bytes are missing"),
        pytest.param(lambda raw, at: raw[:at] + b"12345" + raw[at:], [], id="a few bytes more"),
        pytest.param(lambda raw, at: raw[:at] + b"x" * 5000 + raw[at:], [], id="many bytes more"),
        pytest.param(
            lambda raw, at: flipped(flipped(raw, at + 2), at + 5 * RECORD),
            [20, 25],
            id="two lengths",
        ),
        pytest.param(
            lambda raw, at: raw[:at] + framed(b"D0QQ" + bytes(40)) + raw[at:], [], id="another type"
        ),
    ],
)
def test_damage_in_the_middle_costs_the_damaged_events_only(
    tmp_path: Path, change: object, lost: list[int]
) -> None:
    """The events behind it are found again; it is told where it was."""
    part = left_file(tmp_path, 50)
    at = bounds(part)[20]
    part.write_bytes(change(part.read_bytes(), at))  # type: ignore[operator]
    index_path(part).unlink()
    recovered = recover(part)
    assert recovered.cut
    path = closed(recovered)
    assert events_of(path) == [number for number in range(1, 51) if number not in lost]
    told = read_side_car(path)
    assert told is not None
    assert "bytes from byte" in told.summary.recovered


def flipped(raw: bytes, place: int) -> bytes:
    """Return bytes of which one is changed."""
    return raw[:place] + bytes([raw[place] ^ 0x15]) + raw[place + 1 :]


def test_what_is_covered_is_still_in_the_file(tmp_path: Path) -> None:
    """An expert may look at it; only its first and last bytes made room."""
    part = left_file(tmp_path, 10)
    at = bounds(part)[5]
    raw = part.read_bytes()
    part.write_bytes(flipped(raw, at + 90))
    index_path(part).unlink()
    recover(part)
    assert raw[at + 91 : at + RECORD - 8] in part.read_bytes()
    assert part.stat().st_size == len(raw)


@pytest.mark.parametrize("torn", [300, 700, 1500])
def test_events_in_the_payload_of_a_torn_event_are_not_taken_for_events(
    tmp_path: Path, torn: int
) -> None:
    """A payload may be a piece of an event file."""
    writer = new_writer(tmp_path)
    writer.append(some(range(1, 6)))
    writer.flush()
    part = killed(writer)
    inner = b"".join(framed(message(number)) for number in range(100, 110))
    outer = framed(encoded(6, inner))
    with part.open("ab") as stream:
        stream.write(outer[:torn])
    recovered = recover(part)
    assert recovered.events == 5
    assert len(recovered.cut) == 1


@pytest.mark.parametrize("place", [2, 60, -3])
def test_events_in_the_payload_of_a_damaged_event_are_not_taken_for_events(
    tmp_path: Path, place: int
) -> None:
    """Whatever of it is damaged: a length, its header, its check."""
    part = left_file(tmp_path, 5)
    inner = b"".join(framed(message(number)) for number in range(100, 110))
    outer = framed(encoded(6, inner))
    with part.open("ab") as stream:
        stream.write(flipped(outer, place % len(outer)))
        stream.write(framed(message(7)))
    recovered = recover(part)
    assert recovered.tally.senders == {SENDER: 7}
    assert recovered.events == 6


def encoded(number: int, payload: bytes) -> bytes:
    """Return the message of an event with a payload."""
    from idl_like_interfaces.event_message import EventHeader, encode_event

    header = EventHeader(run=RUN, event=number, lbn=1, sender=SENDER, sequence=number)
    return encode_event(header, payload)


@pytest.mark.parametrize("size", [0, 1, 3, 20, 200])
def test_a_torn_header_comes_from_the_side_car(tmp_path: Path, size: int) -> None:
    """The file goes on, empty."""
    part = killed(new_writer(tmp_path))
    os.truncate(part, size)
    recovered = recover(part)
    assert (recovered.header, recovered.events) == (file_header(), 0)
    assert "as the side-car or the logger has it" in recovered.cut[0]
    assert events_of(closed(recovered)) == []


def test_a_damaged_header_is_taken_from_who_knows_it(tmp_path: Path) -> None:
    """The events stay; without a side-car the logger says it, or the name of the file does."""
    part = left_file(tmp_path, 12)
    flip(part, 40)
    raw = part.read_bytes()
    side_car_path(part).unlink()
    assert recover(part, header=file_header(comment="mine")).header.comment == "mine"
    part.write_bytes(raw)
    side_car_path(part).unlink()
    recovered = recover(part)
    header = recovered.header
    assert (header.run, header.stream.name, header.sequence) == (RUN, "all", 0)
    assert "the first record was lost" in header.remark
    assert events_of(closed(recovered)) == list(range(1, 13))


def test_the_run_of_a_file_of_any_name_is_that_of_its_events(tmp_path: Path) -> None:
    """When nothing else tells it."""
    part = left_file(tmp_path, 3)
    flip(part, 40)
    other = part.rename(tmp_path / "renamed.part")
    assert recover(other).header.run == RUN


def test_a_trailer_of_a_file_that_did_not_get_its_name_is_written_again(tmp_path: Path) -> None:
    """The kill came between trailer and renaming: nothing was cut off."""
    writer = new_writer(tmp_path)
    writer.append(some(range(1, 11)))
    path = Path(writer.close("end").path)
    part = path.rename(path.with_name(path.name + ".part"))
    recovered = recover(part)
    assert (recovered.events, recovered.cut) == (10, [])
    assert events_of(closed(recovered)) == list(range(1, 11))


def test_sequences_behind_the_trusted_bytes_are_told(tmp_path: Path) -> None:
    """By sender, in the order of the file, so that they are not taken twice."""
    writer = new_writer(tmp_path)
    writer.append(some(range(1, 11)))
    writer.sync()
    trusted = writer.durable_bytes
    writer.append(some(range(11, 14)))
    writer.append(some([5, 6], sender=9))
    writer.flush()
    tail = recover(killed(writer), trusted).tail
    assert {sender: found.tolist() for sender, found in tail.items()} == {
        SENDER: [11, 12, 13],
        9: [5, 6],
    }


def test_a_recovery_may_be_interrupted_and_begun_again(tmp_path: Path) -> None:
    """Each of its steps leaves a file that can be recovered."""
    part = left_file(tmp_path, 30)
    at = bounds(part)[10]
    part.write_bytes(flipped(part.read_bytes(), at + 2)[:-50])
    index_path(part).unlink()
    first = recover(part)
    index_path(part).write_bytes(index_path(part).read_bytes()[:100])
    side_car_path(part).unlink()
    second = recover(part)
    assert (first.events, first.size) == (second.events, second.size) == (28, part.stat().st_size)


def test_earlier_recoveries_and_gaps_are_not_forgotten(tmp_path: Path) -> None:
    """The words of each stand in the trailer."""
    part = left_file(tmp_path, 10)
    os.truncate(part, part.stat().st_size - 1)
    recover(part)
    os.truncate(part, part.stat().st_size - 1)
    told = recover(part).tally.recovered
    assert told.count("cut off: ") == 2


def test_lengths_beyond_all_bounds_are_no_lengths(tmp_path: Path) -> None:
    """They lead nowhere."""
    part = left_file(tmp_path, 3)
    for length in (0, 1, 15, 0x7FFFFFFF, 0xFFFFFFFF):
        with part.open("ab") as stream:
            stream.write(struct.pack(">I", length) * 2)
        assert recover(part).events == 3
