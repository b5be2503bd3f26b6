"""A stream that goes on with the files that a start of the logger before it has left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.event_logger import FileKind, FileState
from objects.logger_stream.files.verify import verify
from objects.logger_stream.stream import Stream
from tests.support.eventually import eventually
from tests.support.streams import Bench, bench, feed, numbers_in, of_state, records


@pytest.fixture
def before(tmp_path: Path) -> Iterator[Bench]:
    """Give the place of the start that crashes."""
    with bench(tmp_path / "before") as made:
        yield made


@pytest.fixture
def after(tmp_path: Path) -> Iterator[Bench]:
    """Give the place of the start behind it."""
    with bench(tmp_path / "after") as made:
        yield made


def flushed(stream: Stream, place: Bench) -> None:
    """Have all with the system."""
    place.later(5.0)
    eventually(lambda: stream.durable_ticket == stream.last_ticket, "all is durable")


class TestTakingUp:
    """Each file goes on in its state, with its range."""

    def test_an_open_file_is_written_on(self, before: Bench, after: Bench) -> None:
        """The same file, to its limit."""
        stream = before.stream(max_events=10)
        feed(stream, records([1, 2, 3]))
        flushed(stream, before)
        before.leave(after.root)
        again = after.stream(after.taken_over(), max_events=10)
        assert again.status().events == 3
        feed(again, records([4, 5], lbn=1))
        assert [each.state for each in again.files()] == [FileState.OPEN]
        feed(again, records(range(6, 12), [1, 1, 1, 1, 1, 2]))
        again.end("end of run")
        first, second = again.files()
        assert numbers_in(first.path) == list(range(1, 11))
        assert numbers_in(second.path) == [11]
        assert Path(second.path).name == "all_000000007_001.raw"
        assert verify(Path(first.path)).findings == []

    @pytest.mark.spec("D23", "D24")
    def test_full_and_closed_files_keep_their_ranges(self, before: Bench, after: Bench) -> None:
        """Late events find their file, or the garbage."""
        said: dict[str, Any] = {"max_events": 2, "range_grace_s": 8.0}
        stream = before.stream(**said)
        feed(stream, records([1, 2, 3], [1, 1, 2]))
        before.later(9.0)
        eventually(lambda: of_state(stream, FileState.CLOSED), "the first is closed")
        feed(stream, records([4, 5], [3, 4]))
        flushed(stream, before)
        before.leave(after.root)
        again = after.stream(after.taken_over(), **said)
        assert [each.state for each in again.files()] == ["CLOSED", "END", "OPEN"]
        feed(again, records([6, 7, 8], [1, 2, 4]))
        again.end("end of run")
        found = {Path(each.path).name[14:]: numbers_in(each.path) for each in again.files()}
        assert found == {
            "000.raw": [1, 2],
            "001.raw": [3, 4, 7],
            "002.raw": [5, 8],
            "garbage.raw": [6],
        }
        assert again.status().garbage == 1

    def test_of_two_open_files_the_older_one_is_full(self, before: Bench, after: Bench) -> None:
        """The crash came before its side-car told so; at most one is OPEN."""
        stream = before.stream(max_events=2, range_grace_s=1e6)
        feed(stream, records([1, 2, 3], [1, 1, 2]))
        flushed(stream, before)
        before.leave(after.root)
        takeover = after.taken_over()
        for each in takeover.writers:
            each.state = FileState.OPEN
        again = after.stream(takeover)
        assert [each.state for each in again.files()] == [FileState.END, FileState.OPEN]

    def test_garbage_goes_on(self, before: Bench, after: Bench) -> None:
        """In the garbage file that there is."""
        said: dict[str, Any] = {"max_events": 1, "range_grace_s": 0.0}
        stream = before.stream(**said)
        feed(stream, records([1, 2], [1, 2]))
        before.later(1.0)
        eventually(lambda: of_state(stream, FileState.CLOSED), "the first is closed")
        feed(stream, records([3], lbn=1))
        flushed(stream, before)
        before.leave(after.root)
        again = after.stream(after.taken_over(), **said)
        feed(again, records([4], lbn=1))
        again.end("end of run")
        [garbage] = [each for each in again.files() if each.kind is FileKind.GARBAGE]
        assert numbers_in(garbage.path) == [3, 4]
        assert again.status().garbage == 2
