"""The reader of event files: by place, number and block, forwards, backwards, while they grow."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from idl_like_interfaces.event_message import Malformed
from objects.logger_stream.files.layout import index_path, part_path, side_car_path
from objects.logger_stream.files.reader import EventFile, NotAnEventFile
from tests.support.event_files import (
    SENDER,
    closed_file,
    file_header,
    flip,
    killed,
    left_file,
    new_writer,
    path_in,
    payload_of,
    some,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file with the events 1 to 100, ten in a block."""
    return closed_file(tmp_path, 100, flush_every=7)


@pytest.mark.parametrize("has_index", [True, False])
def test_a_file_looks_like_a_sequence(path: Path, has_index: bool) -> None:
    """With an index or without."""
    if not has_index:
        index_path(path).unlink()
    with EventFile(path) as file:
        assert len(file) == 100
        assert file[0].header.event == 1
        assert file[-1].header.event == 100
        assert [event.number for event in file] == list(range(100))
        assert [event.header.event for event in reversed(file)] == list(range(100, 0, -1))
        assert [event.header.event for event in file[5:30:8]] == [6, 14, 22, 30]
        assert file[41].header.streams == (1, 4)
        assert bytes(file[41].payload) == payload_of(42, 100)
        with pytest.raises(IndexError, match="event 100 of 100"):
            file[100]


def test_events_are_found_by_number_and_block(path: Path) -> None:
    """What is not there is told with what is."""
    with EventFile(path) as file:
        assert file.by_event(64).number == 63
        assert [event.header.event for event in file.by_lbn(3)] == list(range(21, 31))
        assert [event.number for event in file.select(events=(8, 12), lbns=(2, 2))] == [10, 11]
        assert len(list(file.select(sender=SENDER))) == 100
        assert not list(file.select(sender=1))
        assert not list(file.by_lbn(99))
        with pytest.raises(LookupError, match=r"no event 101 in .*, which has events 1 to 100"):
            file.by_event(101)


def test_header_trailer_and_side_car_are_there(path: Path) -> None:
    """The trailer says how it ended."""
    with EventFile(path) as file:
        assert file.header == file_header()
        trailer, side_car = file.trailer, file.side_car()
    assert trailer is not None
    assert side_car is not None
    assert side_car.trailer == trailer


def test_a_file_that_grows_is_read_as_far_as_it_is_flushed(tmp_path: Path) -> None:
    """Given its name as if it were closed."""
    writer = new_writer(tmp_path)
    writer.append(some(range(1, 6)))
    writer.flush()
    with EventFile(path_in(tmp_path)) as file:
        assert file.path == part_path(path_in(tmp_path))
        assert (len(file), file.trailer) == (5, None)
        writer.append(some(range(6, 9)))
        assert file.refresh() == 0
        writer.sync()
        assert file.refresh() == 3
        assert file[-1].header.event == 8
        writer.close("end")
        assert file.refresh() == 0
        assert file.trailer is not None
        assert file.path == path_in(tmp_path)


def test_a_file_is_followed_to_its_end(tmp_path: Path) -> None:
    """Events come as they are flushed; the trailer ends it."""
    writer = new_writer(tmp_path)
    writer.append(some(range(1, 4)))
    writer.flush()
    seen: list[int] = []
    third = threading.Event()

    def follow() -> None:
        with EventFile(writer.part) as file:
            for event in file.follow():
                seen.append(event.header.event)
                if event.header.event == 3:
                    third.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert third.wait(30.0)
    writer.append(some(range(4, 7)))
    writer.flush()
    writer.append(some(range(7, 9)))
    writer.close("end of run")
    thread.join(30.0)
    assert not thread.is_alive()
    assert seen == list(range(1, 9))


def test_what_has_come_is_looked_at_and_nothing_else(tmp_path: Path) -> None:
    """A file that grows for long is not gone through again for each flush."""
    writer = new_writer(tmp_path)
    with EventFile(writer.part) as file:
        for number in range(1, 50):
            writer.append(some([number]))
            writer.flush()
            first = file._content.table.sections[:1]
            assert file.refresh() == 1
            assert not first or file._content.table.sections[0] is first[0]
            assert file[-1].header.event == number
            assert file.refresh() == 0
        assert [event.header.event for event in file] == list(range(1, 50))
    writer.fail("the test ends")


def test_following_ends_when_it_is_told_or_nothing_comes(tmp_path: Path) -> None:
    """The file stays as it is."""
    part = left_file(tmp_path, 10)
    stop = threading.Event()
    with EventFile(part) as file:
        assert len(list(file.follow(timeout_s=0.1))) == 10
        seen = []
        for event in file.follow(stop):
            seen.append(event)
            stop.set()
        assert len(seen) == 1


def test_a_torn_tail_is_told_and_not_read(tmp_path: Path) -> None:
    """Of a file that nobody writes any more."""
    part = left_file(tmp_path, 10)
    raw = part.read_bytes()
    part.write_bytes(raw[:-20])
    with EventFile(part) as file:
        assert len(file) == 9
        assert "the file ends within a record" in file.problems[0]


@pytest.mark.parametrize("has_index", [True, False])
def test_damaged_events_are_skipped_and_told(path: Path, has_index: bool) -> None:
    """With an index it is seen when the event is read; asked for, it is refused."""
    with EventFile(path) as file:
        flip(path, file[50].offset + 80)
    if not has_index:
        index_path(path).unlink()
    with EventFile(path) as file:
        seen = [event.header.event for event in file]
        assert seen == [number for number in range(1, 101) if number != 51]
        assert ["a damaged record" in problem for problem in file.problems] == [True]
        if has_index:
            with pytest.raises(Malformed, match="check"):
                file[50]


def test_damaged_entries_of_the_index_are_read_from_the_data(path: Path) -> None:
    """Nobody notices but by the time."""
    flip(index_path(path), 90)
    with EventFile(path) as file:
        assert [event.header.event for event in file] == list(range(1, 101))


def test_an_index_that_lacks_its_end_is_no_harm(path: Path) -> None:
    """The rest is read from the data."""
    whole = index_path(path).read_bytes()
    index_path(path).unlink()
    index_path(path).write_bytes(whole[: len(whole) // 2])
    side_car_path(path).unlink()
    with EventFile(path) as file:
        assert file.by_event(99).number == 98
        assert file.side_car() is None


def test_views_outlive_the_file(path: Path) -> None:
    """An event may be kept when the file is closed, and removed."""
    with EventFile(path) as file:
        event = file[3]
    path.unlink()
    assert bytes(event.payload) == payload_of(4, 100)


@pytest.mark.parametrize("content", [b"", b"\x00", b"SIMPLE  =                    T" * 100])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Saying what was found."""
    other = tmp_path / "other.raw"
    other.write_bytes(content)
    with pytest.raises(NotAnEventFile, match=r"other\.raw: (the file is empty|its first record)"):
        EventFile(other)


def test_an_empty_file_of_a_writer_has_no_events(tmp_path: Path) -> None:
    """Before its first flush."""
    with EventFile(killed(new_writer(tmp_path))) as file:
        assert (len(file), list(file), list(reversed(file)), file.problems) == (0, [], [], [])
        with pytest.raises(LookupError, match="no events"):
            file.by_event(1)
