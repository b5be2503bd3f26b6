"""A stream whose disk fails, is full, or hangs."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.event_logger import FileState
from objects.logger_stream.stream import Stream
from tests.support.eventually import eventually
from tests.support.failing_disk import EIO, FailingDisk
from tests.support.streams import MIB, Bench, bench, feed, numbers_in, of_state, records


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Bench]:
    """Give a place for streams where time stands still."""
    with bench(tmp_path / "data") as made:
        yield made


@pytest.fixture
def disk(place: Bench, monkeypatch: pytest.MonkeyPatch) -> FailingDisk:
    """Give a disk below the first volume that fails on command."""
    return FailingDisk(place.root / "v0", monkeypatch)


def all_numbers(stream: Stream) -> list[int]:
    """Return the numbers of the events that all files of a stream are told to hold, sorted."""
    return sorted(n for each in stream.files() for n in numbers_in(each.path)[: each.events])


class TestFailingVolume:
    """A volume that cannot be written."""

    @pytest.mark.spec("D26", "D27")
    def test_the_rest_goes_to_a_new_file_on_another_volume(
        self, place: Bench, disk: FailingDisk
    ) -> None:
        """The failed file is in ERROR and keeps what it has; nothing is lost or twice."""
        stream = place.stream(volumes=["v0", "v1"], flush_bytes=4096, sync_period_s=1000.0)
        feed(stream, records(range(1, 101)))
        disk.error = EIO
        feed(stream, records(range(101, 201)))
        feed(stream, records(range(201, 301)))
        stream.end("end of run")
        [failed] = place.heard.failed
        assert (failed.state, failed.path) == (FileState.ERROR, stream.files()[0].path)
        assert "Input/output error" in failed.problem
        assert Path(failed.path).is_relative_to(place.root / "v0")
        [closed] = place.heard.closed
        assert Path(closed.path).is_relative_to(place.root / "v1")
        assert all_numbers(stream) == list(range(1, 301))
        assert stream.durable_ticket == stream.last_ticket
        assert place.heard.lost == 0

    def test_what_was_written_but_not_synced_is_written_again(
        self, place: Bench, disk: FailingDisk
    ) -> None:
        """After a failed sync nobody knows what is on the disk: it is read back in time."""
        stream = place.stream(volumes=["v0", "v1"], flush_bytes=4096, sync_period_s=5.0)
        feed(stream, records(range(1, 101)))
        place.later(5.0)
        eventually(lambda: stream.durable_ticket == 1, "the first are durable")
        feed(stream, records(range(101, 201)))
        disk.sync_error = EIO
        place.later(5.0)
        eventually(lambda: place.heard.failed, "the file has failed")
        eventually(lambda: stream.durable_ticket == 2, "the others are durable elsewhere")
        stream.end("end of run")
        [closed] = place.heard.closed
        assert numbers_in(closed.path) == list(range(101, 201))
        assert "does not count" in place.heard.failed[0].problem
        assert place.heard.lost == 0

    @pytest.mark.spec("D45")
    def test_without_another_volume_it_waits_and_goes_on(
        self, place: Bench, disk: FailingDisk
    ) -> None:
        """Back-pressure bounds what is in memory; nothing that was accepted is lost."""
        stream = place.stream(queue_events=100, flush_bytes=4096, sync_period_s=1.0)
        feed(stream, records(range(1, 51)))
        disk.error = EIO
        assert stream.put(records(range(51, 131))) == 80
        eventually(lambda: place.heard.troubles, "the trouble is told")
        assert stream.put(records(range(131, 231))) == 20
        place.manual.advance(3.0)
        status = stream.status()
        assert "Input/output error" in status.problem
        assert (status.queue_events, status.blocked_s) == (100, 3.0)
        disk.error = 0
        place.later(40.0)
        eventually(lambda: stream.status().queue_events == 0, "it writes again")
        assert stream.status().problem == ""
        assert place.heard.recoveries == 1
        stream.end("end of run")
        assert all_numbers(stream) == list(range(1, 151))
        assert len(set(place.heard.troubles)) == len(place.heard.troubles)

    def test_an_end_waits_for_the_disk_and_an_abort_does_not(
        self, place: Bench, disk: FailingDisk
    ) -> None:
        """What an abort gives up is told, and never called durable."""
        stream = place.stream(flush_bytes=4096, sync_period_s=1.0)
        disk.error = EIO
        assert stream.put(records(range(1, 101))) == 100
        eventually(lambda: place.heard.troubles, "the trouble is told")
        stream.begin_end("end of run")
        assert not stream.join(0.2)
        stream.abort("the operator gives up")
        assert place.heard.lost == 100
        assert stream.durable_ticket == 0

    def test_a_volume_that_cannot_take_a_file_is_passed_over(
        self, place: Bench, disk: FailingDisk
    ) -> None:
        """No file in ERROR comes from it: there was none."""
        disk.error = errno.EROFS
        stream = place.stream(volumes=["v0", "v1"])
        feed(stream, records([1, 2]))
        assert place.heard.failed == []
        assert stream.status().volume == str(place.root / "v1")


class TestProcess:
    """Troubles that are not the disk's."""

    def test_without_descriptors_no_file_fails(self, place: Bench, disk: FailingDisk) -> None:
        """It waits until there are some."""
        stream = place.stream(max_events=1, range_grace_s=0.0, sync_period_s=1.0)
        feed(stream, records([1, 2], [1, 2]))
        disk.error = errno.EMFILE
        place.later(1.0)
        eventually(lambda: place.heard.troubles, "the trouble is told")
        assert stream.put(records([3], lbn=3)) == 1
        disk.error = 0
        place.later(1.0)
        eventually(lambda: stream.status().queue_events == 0, "it writes again")
        stream.end("end of run")
        assert place.heard.failed == []
        assert [numbers_in(each.path) for each in stream.files()] == [[1], [2], [3]]
        assert place.volumes.all[0].problem == ""

    def test_a_fault_of_the_program_ends_one_stream_only(
        self, place: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is told with what it costs; what was written is closed."""
        stream = place.stream()
        other = place.stream(name="other")
        feed(stream, records([1, 2]))
        monkeypatch.setattr(stream._files.ranges, "place", None)
        assert stream.put(records([3, 4, 5])) == 3
        assert stream.join(60.0)
        assert "fault of the program" in stream.status().problem
        assert place.heard.lost == 3
        assert stream.durable_ticket < stream.last_ticket
        assert stream.put(records([6])) == 0
        assert [each.state for each in stream.files()] == [FileState.CLOSED]
        feed(other, records([1]))


class TestFullVolume:
    """A volume without room."""

    @pytest.mark.spec("D45")
    def test_a_file_is_closed_in_good_order_and_its_range_goes_on_elsewhere(
        self, place: Bench, disk: FailingDisk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The ballast gives the room for its end."""
        [volume] = place.volumes.of(["v0"])
        volume.prepare()
        place.volumes.look()
        stream = place.stream(volumes=["v0", "v1"], flush_bytes=4096)
        feed(stream, records(range(1, 101)))
        free = volume.ballast.free

        def give() -> bool:
            disk.error = 0
            return free()

        monkeypatch.setattr(volume.ballast, "free", give)
        assert volume.ballast.is_there
        disk.error = errno.ENOSPC
        feed(stream, records(range(101, 201)))
        stream.end("end of run")
        assert place.heard.failed == []
        first, second = stream.files()
        assert first.reason_closed == f"no room on {place.root / 'v0'}"
        assert (first.state, second.state) == (FileState.CLOSED, FileState.CLOSED)
        assert Path(second.path).is_relative_to(place.root / "v1")
        assert all_numbers(stream) == list(range(1, 201))
        assert stream.status().garbage == 0


class TestHangingVolume:
    """A volume that does not answer."""

    def test_it_holds_up_nobody_else_and_is_told(self, place: Bench, disk: FailingDisk) -> None:
        """The status says since when."""
        slow = place.stream(name="slow", sync_period_s=1.0)
        fast = place.stream(name="fast", volumes=["v1"], sync_period_s=1.0)
        feed(slow, records([1]))
        disk.stop()
        place.later(1.0)
        eventually(lambda: slow._step_since is not None, "its sync hangs")
        for n in range(5):
            assert slow.put(records([n + 2])) == 1
            feed(fast, records([n + 1]))
            place.later(1.0)
            eventually(lambda: fast.durable_ticket == fast.last_ticket, "it goes on")
        place.later(10.0)
        assert "hangs since" in slow.status().problem
        assert slow.status().queue_events == 5
        assert slow.durable_ticket == 0
        assert fast.status().problem == ""
        disk.hang.set()
        slow.end("end of run")
        assert slow.status().problem == ""
        assert all_numbers(slow) == [1, 2, 3, 4, 5, 6]


def test_one_file_that_hangs_holds_up_no_stream_of_the_same_volume(
    place: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several may write there at once."""
    disk = FailingDisk(place.root / "v0" / "000000007" / "slow", monkeypatch)
    slow = place.stream(name="slow", sync_period_s=1.0)
    fast = place.stream(name="fast", sync_period_s=1.0)
    feed(slow, records([1]))
    disk.stop()
    place.later(1.0)
    eventually(lambda: slow._step_since is not None, "its sync hangs")
    feed(fast, records([1]))
    place.later(1.0)
    eventually(lambda: fast.durable_ticket == 1, "it goes on")
    assert slow.durable_ticket == 0
    disk.hang.set()
    eventually(lambda: slow.durable_ticket == 1, "it goes on, too")


def test_large_events_are_told(place: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """An event larger than a file may be is alone in one."""
    stream = place.stream(max_bytes=MIB)
    feed(stream, records([1], lbn=1))
    feed(stream, records([2], lbn=2, size=2 * MIB))
    feed(stream, records([3], lbn=3))
    stream.end("end of run")
    assert [numbers_in(each.path) for each in stream.files()] == [[1], [2], [3]]
    assert caplog.text.count("larger than a file may be") == 1
    assert of_state(stream, FileState.CLOSED)[0].reason_closed.startswith("an event larger")
