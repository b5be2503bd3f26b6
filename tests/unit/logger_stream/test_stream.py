"""A stream: its thread, its queue, its files, what it tells."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.event_logger import FileKind, FileState, GapNote, RangeUnit
from objects.component.clock import SystemClock
from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.files.sidecar import read_side_car
from objects.logger_stream.files.verify import verify
from tests.support.eventually import eventually
from tests.support.streams import (
    MIB,
    Bench,
    bench,
    feed,
    lbns_in,
    numbers_in,
    of_state,
    records,
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Bench]:
    """Give a place for streams where time stands still."""
    with bench(tmp_path / "data") as made:
        yield made


class TestWriting:
    """What goes in is in the files."""

    @pytest.mark.spec("D14")
    def test_each_stream_has_a_thread_of_its_own(self, place: Bench) -> None:
        """It is there from the begin to the end."""
        before = threading.active_count()
        streams = [place.stream(name=f"s{n}") for n in range(3)]
        assert threading.active_count() == before + 3
        for each in streams:
            each.end("end of run")
        assert all(each.is_ended for each in streams)
        assert threading.active_count() == before

    def test_events_are_in_the_file_in_their_order(self, place: Bench) -> None:
        """All portions, one behind the other."""
        stream = place.stream()
        for first in range(1, 1001, 100):
            feed(stream, records(range(first, first + 100)))
        stream.end("end of run")
        [file] = stream.files()
        assert (file.state, file.events, file.reason_closed) == (
            FileState.CLOSED,
            1000,
            "end of run",
        )
        assert numbers_in(file.path) == list(range(1, 1001))

    def test_files_lie_by_run_and_are_named_by_stream(self, place: Bench) -> None:
        """With ``.part`` while they are open; no file is there before its first event."""
        stream = place.stream()
        assert stream.files() == []
        assert not (place.root / "v0").exists()
        feed(stream, records([1]))
        path = place.root / "v0" / "000000007" / "all_000000007_000.raw"
        assert [each.path for each in stream.files()] == [f"{path}.part"]
        stream.end("end of run")
        assert [each.path for each in stream.files()] == [str(path)]
        assert path.is_file()

    @pytest.mark.spec("D22")
    def test_a_full_file_ends_and_another_is_opened(self, place: Bench) -> None:
        """At most one is OPEN."""
        stream = place.stream(max_events=10)
        feed(stream, records(range(1, 31), [n // 5 for n in range(30)]))
        assert [each.state for each in stream.files()] == [FileState.END, FileState.END, "END"]
        feed(stream, records([31], lbn=6))
        assert [each.state for each in stream.files()] == [*(["END"] * 3), "OPEN"]

    @pytest.mark.spec("D23")
    def test_late_events_are_written_to_the_full_file_of_their_range(self, place: Bench) -> None:
        """Although another is open."""
        stream = place.stream(max_events=2)
        feed(stream, records([1, 2], lbn=1))
        feed(stream, records([3, 4, 5], [2, 1, 2]))
        stream.end("end of run")
        first, second = stream.files()
        assert numbers_in(first.path) == [1, 2, 4]
        assert numbers_in(second.path) == [3, 5]
        assert (first.reason_closed, second.reason_closed) == ("maxEvents", "maxEvents")

    @pytest.mark.spec("D24", "D25")
    def test_events_of_a_closed_range_go_to_the_garbage_file(self, place: Bench) -> None:
        """And the closed file is as it was."""
        stream = place.stream(max_events=2, range_grace_s=5.0)
        feed(stream, records([1, 2, 3], [1, 1, 2]))
        place.later(6.0)
        eventually(lambda: of_state(stream, FileState.CLOSED), "the first file is closed")
        [closed] = of_state(stream, FileState.CLOSED)
        before = (Path(closed.path).stat(), Path(closed.path).read_bytes())
        feed(stream, records([4, 5], [1, 2]))
        stream.end("end of run")
        after = (Path(closed.path).stat(), Path(closed.path).read_bytes())
        assert after[1] == before[1]
        assert after[0].st_mtime_ns == before[0].st_mtime_ns
        [garbage] = [each for each in stream.files() if each.kind is FileKind.GARBAGE]
        assert Path(garbage.path).name == "all_000000007_garbage.raw"
        assert numbers_in(garbage.path) == [4]
        assert stream.status().garbage == 1

    @pytest.mark.spec("D68")
    def test_a_luminosity_block_is_in_one_file_also_with_many_of_them(self, place: Bench) -> None:
        """Blocks overlap in time, files are small."""
        stream = place.stream(max_events=7, range_grace_s=1000.0)
        lbns = [n // 4 - n % 3 for n in range(100, 300)]
        for first in range(0, 200, 20):
            feed(stream, records(range(first + 1, first + 21), lbns[first : first + 20]))
        stream.end("end of run")
        found = [lbns_in(each.path) for each in stream.files()]
        assert sum(map(len, found)) == len(set().union(*found)) == len(set(lbns))
        assert sum(each.events for each in stream.files()) == 200
        assert len(found) > 10

    def test_ranges_of_event_numbers_stay_together(self, place: Bench) -> None:
        """As luminosity blocks do."""
        stream = place.stream(max_events=3, range_unit=RangeUnit.EVENT, range_size=5)
        feed(stream, records([1, 2, 3, 6, 4, 5, 7, 8, 9, 10, 11]))
        stream.end("end of run")
        found = [numbers_in(each.path) for each in stream.files()]
        assert found == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11]]

    def test_an_old_file_ends(self, place: Bench) -> None:
        """At the age that is configured."""
        stream = place.stream(max_s=60.0)
        feed(stream, records([1], lbn=1))
        place.later(61.0)
        eventually(lambda: of_state(stream, FileState.END), "the file is full")
        feed(stream, records([2], lbn=2))
        stream.end("end of run")
        assert [each.reason_closed for each in stream.files()] == ["maxS", "end of run"]

    def test_files_can_be_closed_by_hand_and_their_ranges_go_on(self, place: Bench) -> None:
        """What comes then is in new files, and no garbage."""
        stream = place.stream(max_events=2)
        feed(stream, records([1, 2, 3], [1, 1, 2]))
        stream.close_files("run number mismatch")
        eventually(lambda: len(of_state(stream, FileState.CLOSED)) == 2, "both are closed")
        feed(stream, records([4, 5], [1, 2]))
        stream.end("end of run")
        assert [numbers_in(each.path) for each in stream.files()] == [[1, 2], [3], [4], [5]]
        assert stream.status().garbage == 0

    def test_of_a_full_file_that_goes_on_growing_it_is_warned_once(
        self, place: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        """One event of a far block made all that comes belong to it."""
        stream = place.stream(max_bytes=MIB)
        feed(stream, records([1], lbn=4_000_000_000, size=2 * MIB))
        for number in range(2, 6):
            feed(stream, records([number], lbn=number, size=MIB // 2))
        stream.end("end of run")
        [file] = stream.files()
        assert file.events == 5
        assert caplog.text.count("times its limit") == 1

    def test_files_are_whole_and_can_be_read(self, place: Bench) -> None:
        """By the reader and by the verifier, with trailer, index and digest."""
        stream = place.stream(max_events=50)
        feed(stream, records(range(1, 101), [n // 25 for n in range(100)]))
        stream.end("end of run")
        for each in stream.files():
            assert verify(Path(each.path)).findings == []
            with EventFile(Path(each.path)) as file:
                assert len(file) == 50
        assert [each.path for each in place.heard.closed] == [each.path for each in stream.files()]
        assert len(place.heard.opened) == 2


class TestGaps:
    """Messages that never came."""

    def test_the_files_that_take_events_tell_of_them(self, place: Bench) -> None:
        """In their trailer; noted before there is a file in the first one."""
        gaps = [
            GapNote(sender="cr1", count=n, time=place.clock.utc(), reason="lost") for n in (3, 4)
        ]
        stream = place.stream(max_events=1)
        stream.note_gap(gaps[0])
        feed(stream, records([1], lbn=1))
        feed(stream, records([2], lbn=2))
        stream.note_gap(gaps[1])
        eventually(lambda: not stream._gaps, "the stream has seen it")
        feed(stream, records([3], lbn=3))
        stream.end("end of run")
        found = [read_side_car(Path(each.path)) for each in stream.files()]
        counts = [[gap.count for gap in each.summary.gaps] for each in found if each is not None]
        assert counts == [[3, 4], [4], []]


class TestQueue:
    """Bounded, and never waited for."""

    def test_what_does_not_fit_is_not_taken(self, tmp_path: Path) -> None:
        """Leading records are; the first into an empty queue always is."""
        with bench(tmp_path) as place:
            stream = place.stream(queue_events=10, queue_bytes=1 << 16)
            assert stream.put(records(range(1, 101))) == 10
            eventually(lambda: stream.status().queue_events == 0, "they are written")
            assert stream.put(records([101, 102], size=200_000)) == 1

    def test_room_is_told_when_there_is_some(self, place: Bench) -> None:
        """Who has found none listens."""
        stream = place.stream()
        told = threading.Event()
        stream.room.subscribe(told.set)
        feed(stream, records(range(10)))
        assert told.wait(60.0)

    def test_after_the_end_nothing_is_taken(self, place: Bench) -> None:
        """And who waits for room is told."""
        stream = place.stream()
        told = threading.Event()
        stream.room.subscribe(told.set)
        stream.end("end of run")
        assert told.is_set()
        assert stream.put(records([1])) == 0
        assert stream.last_ticket == 0

    def test_what_was_taken_is_written_before_the_end(self, place: Bench) -> None:
        """However fast the end comes."""
        stream = place.stream()
        taken = sum(stream.put(records(range(n, n + 50))) for n in range(1, 501, 50))
        stream.end("end of run")
        assert sum(each.events for each in stream.files()) == taken == 500
        assert stream.durable_ticket == stream.last_ticket == 10


class TestDurability:
    """Flushed, synced, and told."""

    def test_a_ticket_is_durable_after_the_sync_period(self, place: Bench) -> None:
        """Not before."""
        stream = place.stream(sync_period_s=5.0)
        told = threading.Event()
        feed(stream, records([1]))
        assert stream.last_ticket == 1
        assert stream.durable_ticket == 0
        stream.synced.subscribe(told.set)
        place.later(5.0)
        assert told.wait(60.0)
        assert stream.durable_ticket == 1
        [file] = stream.files()
        assert file.durable_bytes == file.size_bytes

    @pytest.mark.spec("D49")
    def test_after_the_flush_period_events_are_with_the_system(self, place: Bench) -> None:
        """Where the end of the process does no harm."""
        stream = place.stream(flush_period_s=1.0, sync_period_s=1000.0)
        feed(stream, records([1, 2, 3]))
        [file] = stream.files()
        place.later(1.0)
        eventually(lambda: numbers_in(file.path) == [1, 2, 3], "they are in the file")
        assert stream.durable_ticket == 0

    @pytest.mark.spec("D49")
    def test_many_bytes_are_flushed_at_once(self, place: Bench) -> None:
        """Whatever the period is."""
        stream = place.stream(flush_period_s=1000.0, sync_period_s=1000.0, flush_bytes=MIB)
        feed(stream, records(range(40), size=50_000))
        [file] = stream.files()
        assert Path(file.path).stat().st_size > MIB

    def test_in_real_time_it_needs_nobody(self, tmp_path: Path) -> None:
        """The thread looks at the clock by itself."""
        with bench(tmp_path, SystemClock()) as place:
            stream = place.stream(sync_period_s=0.2, flush_period_s=0.1)
            assert stream.put(records([1])) == 1
            eventually(lambda: stream.durable_ticket == 1, "it is durable")


class TestStatus:
    """What it tells of itself."""

    @pytest.mark.spec("D41")
    def test_it_counts_events_bytes_and_rates(self, place: Bench) -> None:
        """Of the stream, and of each file."""
        stream = place.stream(max_events=100)
        assert stream.status().events == 0
        given = records(range(1, 201), [n // 50 for n in range(200)])
        feed(stream, given)
        place.manual.advance(2.0)
        status = stream.status()
        assert (status.name, status.id) == ("all", 1)
        assert (status.events, status.bytes) == (200, given.nbytes)
        assert (status.events_s, status.bytes_s) == (100.0, given.nbytes / 2)
        assert [each.events for each in status.files] == [100, 100]
        assert status.volume == str(place.root / "v0")
        assert (status.queue_events, status.queue_bytes, status.blocked_s) == (0, 0, 0.0)
        assert (status.files_total, status.problem) == (2, "")

    def test_it_tells_the_latest_files_only(self, place: Bench) -> None:
        """And how many there are."""
        stream = place.stream(max_events=1)
        feed(stream, records(range(1, 41), list(range(40))))
        stream.end("end of run")
        status = stream.status()
        assert (len(status.files), status.files_total) == (32, 40)
        assert status.files[-1].path.endswith("_039.raw")
