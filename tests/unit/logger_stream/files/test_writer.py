"""The writer of event files: what is in the file, beside it, and what a failing disk leaves."""

from __future__ import annotations

import errno
import hashlib
import resource
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idl_like_interfaces.event_files import SideCar
from idl_like_interfaces.event_logger import FileState, GapNote
from objects.logger_stream.files.layout import index_path, side_car_path
from objects.logger_stream.files.locking import FileInUse
from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.files.recovery import recover
from objects.logger_stream.files.sidecar import read_side_car
from objects.logger_stream.files.verify import verify
from objects.logger_stream.records import Records
from tests.support.event_files import (
    SENDER,
    closed_file,
    file_header,
    killed,
    message,
    new_writer,
    path_in,
    payload_of,
    some,
)
from tests.support.failing_disk import FailingDisk


def numbers(path: Path) -> list[int]:
    """Return the numbers of the events in a file."""
    with EventFile(path) as file:
        return [event.header.event for event in file]


def side_car(path: Path) -> SideCar:
    """Return the side-car of a file, which is there."""
    found = read_side_car(path)
    assert found is not None
    return found


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """Let the system write files only up to a size: it writes a part, and then fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_closed_file_holds_header_events_and_trailer(tmp_path: Path) -> None:
    """Each event byte for byte as it came."""
    path = closed_file(tmp_path, 25)
    with EventFile(path) as file:
        assert file.header == file_header()
        assert [bytes(event.message) for event in file] == [message(n) for n in range(1, 26)]
        assert [bytes(event.payload) for event in file][24] == payload_of(25, 100)
        trailer = file.trailer
    assert trailer is not None
    summary = trailer.summary
    assert (summary.events, summary.first_event, summary.last_event) == (25, 1, 25)
    assert (summary.first_lbn, summary.last_lbn) == (1, 3)
    assert summary.senders == {f"{SENDER:016x}": 25}
    assert trailer.reason_closed == "end of run"


@pytest.mark.spec("D25")
def test_a_closed_file_cannot_be_written_any_more(tmp_path: Path) -> None:
    """File, index and side-car are read-only, the side-car has the digest, nothing else is there."""
    path = closed_file(tmp_path)
    before = path.stat()
    for each in (path, index_path(path), side_car_path(path)):
        assert stat.S_IMODE(each.stat().st_mode) == 0o444
    assert side_car(path).digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert side_car(path).state == FileState.CLOSED
    assert sorted(tmp_path.iterdir()) == sorted([path, index_path(path), side_car_path(path)])
    numbers(path)
    verify(path)
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_what_is_told_of_a_closed_file_is_so(tmp_path: Path) -> None:
    """Counts, ranges and the digest that was computed beside the writing."""
    writer = new_writer(tmp_path, flush_bytes=4096)
    writer.append(some(range(11, 41), size=3000))
    told = writer.close("maxBytes")
    path = Path(told.path)
    assert path == path_in(tmp_path)
    assert (told.state, told.reason_closed, told.events) == (FileState.CLOSED, "maxBytes", 30)
    assert (told.first_event, told.last_event, told.first_lbn, told.last_lbn) == (11, 40, 2, 4)
    assert told.size_bytes == told.durable_bytes == path.stat().st_size
    assert told.digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_the_digest_of_a_large_file_needs_no_second_reading(tmp_path: Path) -> None:
    """A thread computes it beside the writing, and has ended afterwards."""
    writer = new_writer(tmp_path)
    batch = some(range(1, 33), size=250_000)
    for _ in range(3):
        writer.append(batch)
    told = writer.close("end")
    digest = hashlib.sha256(Path(told.path).read_bytes()).hexdigest()
    assert told.digest == f"sha256:{digest}"
    assert not [each for each in threading.enumerate() if each.name.startswith("digest")]


def test_records_out_of_the_middle_of_a_batch_are_written(tmp_path: Path) -> None:
    """Every third of a batch: their bytes are not neighbours."""
    batch = some(range(1, 2001), size=3)
    writer = new_writer(tmp_path)
    writer.append(batch.select(batch.index["event"] % 3 == 0))
    assert numbers(Path(writer.close("end").path)) == list(range(3, 2001, 3))


@pytest.mark.spec("D50")
def test_the_side_car_tells_what_is_flushed(tmp_path: Path) -> None:
    """It is there from the begin on, and replaced at each flush."""
    writer = new_writer(tmp_path)
    assert side_car(writer.path).summary.events == 0
    writer.append(some(range(1, 8)))
    assert side_car(writer.path).summary.events == 0
    writer.flush()
    told = side_car(writer.path)
    assert (told.state, told.summary.events, told.summary.last_event) == (FileState.OPEN, 7, 7)
    assert told.summary.bytes == writer.part.stat().st_size
    writer.state = FileState.END
    writer.sync()
    assert side_car(writer.path).state == FileState.END
    writer.fail("the test ends")


def test_bytes_are_flushed_when_there_are_enough(tmp_path: Path) -> None:
    """Not before, and all that wait then."""
    writer = new_writer(tmp_path, flush_bytes=1000)
    writer.append(some([1, 2]))
    assert writer.waiting_bytes == writer.size_bytes - writer.written_bytes > 0
    writer.append(some(range(3, 9)))
    assert writer.waiting_bytes == 0
    assert numbers(writer.path) == list(range(1, 9))
    writer.fail("the test ends")


def test_durable_is_what_was_synced(tmp_path: Path) -> None:
    """A flush alone makes nothing durable."""
    writer = new_writer(tmp_path)
    writer.append(some([1]))
    writer.flush()
    assert writer.durable_bytes < writer.written_bytes
    writer.sync()
    assert writer.durable_bytes == writer.written_bytes == writer.part.stat().st_size
    writer.fail("the test ends")


def test_gaps_stand_in_trailer_and_side_car(tmp_path: Path) -> None:
    """Of very many the oldest are told together, and none of their count is lost."""
    writer = new_writer(tmp_path)
    for count in range(1, 1201):
        time = datetime(2026, 1, 1, tzinfo=UTC)
        writer.note_gap(GapNote(sender="cr1", count=count, time=time, reason="spool full"))
    path = Path(writer.close("end").path)
    gaps = side_car(path).summary.gaps
    assert len(gaps) == 1000
    assert sum(gap.count for gap in gaps) == sum(range(1, 1201))


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    """Neither a closed one nor one that is being written."""
    writer = new_writer(tmp_path)
    with pytest.raises(FileExistsError):
        new_writer(tmp_path)
    writer.close("end")
    before = path_in(tmp_path).read_bytes()
    with pytest.raises(FileExistsError):
        new_writer(tmp_path)
    assert path_in(tmp_path).read_bytes() == before


def test_only_one_writes_a_file(tmp_path: Path) -> None:
    """A recovery beside a writer is refused and changes nothing."""
    writer = new_writer(tmp_path)
    writer.append(some([1]))
    writer.flush()
    before = writer.part.read_bytes()
    with pytest.raises(FileInUse):
        recover(writer.part)
    assert writer.part.read_bytes() == before
    writer.fail("the test ends")


def test_a_file_that_cannot_be_begun_leaves_nothing(tmp_path: Path) -> None:
    """No room for the first record."""
    with files_end_at(10), pytest.raises(OSError, match="large"):
        new_writer(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.spec("D45")
@pytest.mark.parametrize("more", [0, 1, 99, 167, 168, 169, 1000, 1679])
def test_a_full_disk_leaves_whole_records(tmp_path: Path, more: int) -> None:
    """A write that stops within a record: it is cut off, and what was not written is known."""
    writer = new_writer(tmp_path)
    size = writer.size_bytes
    batch = some(range(1, 11))
    writer.append(batch)
    with files_end_at(size + more), pytest.raises(OSError, match="large") as raised:
        writer.flush()
    assert raised.value.errno == errno.EFBIG
    whole = more // (batch.nbytes // 10)
    assert writer.part.stat().st_size == size + whole * (batch.nbytes // 10)
    left = [number for each in writer.unwritten() for number in each.index["event"].tolist()]
    assert left == list(range(whole + 1, 11))
    told = writer.close("disk full")
    assert (told.events, numbers(Path(told.path))) == (whole, list(range(1, whole + 1)))
    assert not verify(Path(told.path)).findings


def test_what_could_not_be_written_is_written_when_there_is_room(tmp_path: Path) -> None:
    """The same call again; each event is there once."""
    writer = new_writer(tmp_path)
    writer.append(some(range(1, 11)))
    with files_end_at(writer.written_bytes + 500), pytest.raises(OSError, match="large"):
        writer.sync()
    writer.append(some([11]))
    writer.sync()
    told = writer.close("end")
    assert numbers(Path(told.path)) == list(range(1, 12))
    assert told.digest == f"sha256:{hashlib.sha256(Path(told.path).read_bytes()).hexdigest()}"


def test_a_trailer_that_finds_no_room_is_written_later(tmp_path: Path) -> None:
    """Closing again closes."""
    writer = new_writer(tmp_path)
    writer.append(some(range(1, 11)))
    writer.flush()
    with files_end_at(writer.written_bytes + 100), pytest.raises(OSError, match="large"):
        writer.close("end")
    told = writer.close("end")
    assert not verify(Path(told.path)).findings


@pytest.mark.spec("D26")
def test_a_failing_disk_ends_a_file_in_error_and_what_is_in_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events that were not written are handed back."""
    writer = new_writer(tmp_path)
    writer.append(some(range(1, 6)))
    writer.flush()
    disk = FailingDisk(tmp_path, monkeypatch)
    disk.error = errno.EIO
    writer.append(some(range(6, 9)))
    with pytest.raises(OSError, match="Input/output"):
        writer.flush()
    assert sum(map(len, writer.unwritten())) == 3
    disk.error = 0
    told = writer.fail("Input/output error")
    assert (told.state, told.problem, told.events) == (FileState.ERROR, "Input/output error", 5)
    assert told.path.endswith(".part")
    assert numbers(Path(told.path)) == [1, 2, 3, 4, 5]
    assert side_car(writer.path).state == FileState.ERROR


def test_a_sync_that_fails_makes_nothing_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes out as it is."""
    writer = new_writer(tmp_path)
    disk = FailingDisk(tmp_path, monkeypatch)
    disk.sync_error = errno.EIO
    writer.append(some([1]))
    before = writer.durable_bytes
    with pytest.raises(OSError, match="Input/output"):
        writer.sync()
    assert writer.durable_bytes == before
    writer.fail("the test ends")


def test_nothing_to_write_is_no_work(tmp_path: Path) -> None:
    """Empty portions, and a file without events, which is closed all the same."""
    writer = new_writer(tmp_path)
    writer.append(Records.none())
    writer.flush()
    told = writer.close("end of run")
    assert told.events == 0
    assert not verify(Path(told.path)).findings


def test_a_writer_gives_back_all_that_it_opened(tmp_path: Path) -> None:
    """Files and threads."""
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    killed(new_writer(tmp_path))
    path_in(tmp_path).with_suffix(".raw.part").unlink()
    closed_file(tmp_path)
    assert len(list(descriptors.iterdir())) == before
