"""Streams on volumes that become full: small real disks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.event_logger import FileState
from objects.logger_stream.files.verify import verify
from objects.logger_stream.space import Level
from objects.logger_stream.stream import Stream
from tests.support.disk import fill, small_disk
from tests.support.eventually import eventually
from tests.support.streams import Bench, bench, feed, numbers_in, of_state, records

KIB = 1024


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Bench]:
    """Give two volumes of 8 MiB each."""
    root = tmp_path / "data"
    with small_disk(root / "v0", "8m"), small_disk(root / "v1", "8m"), bench(root) as made:
        for each in made.volumes.of(["v0", "v1"]):
            each.prepare()
        made.volumes.look()
        yield made


def leave_free(place: Bench, part: float) -> Path:
    """Have so much of the first volume free, and let it be noticed; return what takes the room."""
    filler = fill(place.root / "v0", but=int(part * 8 * KIB * KIB))
    place.volumes.look()
    return filler


def all_numbers(stream: Stream) -> list[int]:
    """Return the numbers of the events in all files, sorted."""
    return sorted(n for each in stream.files() for n in numbers_in(each.path))


@pytest.mark.spec("D44")
def test_with_little_room_new_files_go_elsewhere(place: Bench) -> None:
    """The open file ends with its range, which stays together."""
    stream = place.stream(volumes=["v0", "v1"])
    feed(stream, records([1, 2], lbn=1))
    leave_free(place, 0.04)
    assert place.volumes.all[0].level is Level.PAUSE
    place.later(1.0)
    eventually(lambda: of_state(stream, FileState.END), "the file ends")
    feed(stream, records([3, 4], [1, 2]))
    stream.end("end of run")
    first, second = stream.files()
    assert first.reason_closed == f"little room on {place.root / 'v0'}"
    assert (numbers_in(first.path), numbers_in(second.path)) == ([1, 2, 3], [4])
    assert Path(second.path).is_relative_to(place.root / "v1")


def test_without_an_elsewhere_little_room_is_used(place: Bench) -> None:
    """It is run control that pauses then."""
    stream = place.stream()
    feed(stream, records([1], lbn=1))
    leave_free(place, 0.04)
    place.later(1.0)
    feed(stream, records([2], lbn=2))
    assert [each.state for each in stream.files()] == [FileState.OPEN]


@pytest.mark.spec("D44")
def test_without_room_files_are_closed_and_nothing_is_taken_until_there_is(place: Bench) -> None:
    """What was accepted waits, and goes to the next file."""
    stream = place.stream(queue_events=5)
    feed(stream, records([1, 2], lbn=1))
    filler = leave_free(place, 0.015)
    assert place.volumes.all[0].level is Level.CLOSE
    place.later(1.0)
    eventually(lambda: of_state(stream, FileState.CLOSED), "the file is closed")
    [closed] = stream.files()
    assert verify(Path(closed.path)).findings == []
    assert closed.reason_closed == f"no room on {place.root / 'v0'}"
    assert stream.put(records(range(3, 10))) == 5
    eventually(lambda: place.heard.troubles, "the trouble is told")
    assert stream.put(records([8])) == 0
    assert "too little room" in stream.status().problem
    filler.unlink()
    place.volumes.look()
    place.later(1.0)
    eventually(lambda: stream.status().queue_events == 0, "it writes again")
    stream.end("end of run")
    assert all_numbers(stream) == list(range(1, 8))
    assert stream.status().garbage == 0


@pytest.mark.spec("D45", "D46")
def test_on_a_disk_that_is_full_to_the_last_byte_the_ballast_gives_a_clean_end(
    place: Bench,
) -> None:
    """Trailer, index and side-car are written, digest and name are final; nothing is lost."""
    [volume] = place.volumes.of(["v0"])
    assert volume.ballast.is_there
    stream = place.stream(flush_bytes=4 * KIB)
    feed(stream, records(range(1, 11), size=1000))
    filler = fill(place.root / "v0")
    assert stream.put(records(range(11, 101), size=1000)) == 90
    eventually(lambda: place.heard.troubles, "the trouble is told")
    [closed] = place.heard.closed
    assert place.heard.failed == []
    assert verify(Path(closed.path)).findings == []
    assert closed.digest
    assert (volume.level, volume.ballast.is_there) == (Level.CLOSE, False)
    filler.unlink()
    place.later(60.0)
    place.volumes.look()
    assert volume.ballast.is_there
    place.later(60.0)
    eventually(lambda: stream.status().queue_events == 0, "it writes again")
    stream.end("end of run")
    assert all_numbers(stream) == list(range(1, 101))
    assert stream.durable_ticket == stream.last_ticket


@pytest.mark.spec("D45")
def test_many_streams_on_a_full_disk_go_on_elsewhere(place: Bench) -> None:
    """Each as if it were alone."""
    said = {"volumes": ["v0", "v1"], "flush_bytes": 4 * KIB}
    streams = [place.stream(name=f"s{n}", **said) for n in range(20)]  # type: ignore[arg-type]
    for each in streams:
        feed(each, records(range(1, 11), size=1000))
    fill(place.root / "v0")
    for each in streams:
        feed(each, records(range(11, 31), size=1000))
    for each in streams:
        each.end("end of run")
        found = [n for file in each.files() for n in numbers_in(file.path)[: file.events]]
        assert sorted(found) == list(range(1, 31))
        assert each.problem == ""
    assert place.heard.lost == 0
