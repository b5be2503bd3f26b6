"""What a kill has left of a run and of orphans, at the next start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.event_logger import FileState
from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.files.sidecar import read_side_car
from objects.logger_stream.files.verify import verify
from objects.logger_stream.leftovers import count_once, take_up
from objects.logger_stream.orphan_files import LEFT_OPEN, close_left
from tests.support.eventually import eventually
from tests.support.failing_disk import EIO, FailingDisk
from tests.support.streams import Bench, bench, feed, records
from tests.unit.logger_stream.test_orphans import Told, keeper, kept, some

RUN = 7


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Bench]:
    """Give a place for streams where time stands still."""
    with bench(tmp_path / "data") as made:
        yield made


def test_a_failed_file_counts_to_its_last_good_sync(
    place: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is behind it was written again elsewhere: nothing is there twice, nothing is missing."""
    disk = FailingDisk(place.root / "v0", monkeypatch)
    stream = place.stream(volumes=["v0", "v1"], flush_bytes=4096, sync_period_s=5.0)
    feed(stream, records(range(1, 101)))
    place.later(5.0)
    eventually(lambda: stream.durable_ticket == 1, "the first are durable")
    feed(stream, records(range(101, 201)))
    disk.sync_error = EIO
    place.later(5.0)
    eventually(lambda: stream.durable_ticket == 2, "the others are durable elsewhere")
    [told] = place.heard.failed
    disk.sync_error = 0
    place.leave(place.root / "left")
    volumes = [place.root / "left" / name for name in ("v0", "v1")]
    found = take_up(RUN, volumes, {}, place.clock)
    [failed] = found.finished["all"]
    assert (failed.state, failed.events) == (FileState.ERROR, 100)
    assert failed.size_bytes == failed.durable_bytes == told.size_bytes
    assert (failed.first_event, failed.last_event) == (1, 100)
    assert failed.problem.startswith("[Errno 5]")
    [writer] = found.writers["all"]
    assert failed.events + writer.events == 200
    assert sorted(n for each in found.tails for n in each.sequences.tolist()) == list(range(1, 201))
    assert count_once(found.tails)[0] == 200
    writer.close("the test ends")
    stream.end("end of run")


def test_part_files_of_side_cars_go(place: Bench) -> None:
    """Those of files that were taken up; others may belong to somebody who lives."""
    stream = place.stream(sync_period_s=1.0)
    feed(stream, records([1, 2, 3]))
    place.later(5.0)
    eventually(lambda: stream.durable_ticket == 1, "all is durable")
    place.leave(place.root / "left")
    [part] = (place.root / "left").rglob("*.raw.part")
    name = part.name.removesuffix(".part")
    own = [part.with_name(f".{name}.meta.json{each}") for each in (".part", ".x1y2z3.part")]
    others = [part.with_name(".other_000000007_000.raw.meta.json.part"), part.with_name(".x.part")]
    for each in [*own, *others]:
        each.write_bytes(b"{")
    found = take_up(RUN, [part.parent.parent], {}, place.clock)
    assert not any(each.exists() for each in own)
    assert all(each.exists() for each in others)
    for writer in found.writers["all"]:
        writer.close("the test ends")
    stream.end("end of run")


def test_orphans_that_a_kill_left_open_are_closed(tmp_path: Path, place: Bench) -> None:
    """Whole events are kept, what is torn is cut off; twice does no harm."""
    folder = tmp_path / "orphans"
    orphans = keeper(folder, Told())
    orphans.take(9, some(5), "cr1", was_known=False)
    orphans.sync()
    left = tmp_path / "left"
    left.mkdir()
    for each in folder.iterdir():
        (left / each.name).write_bytes(each.read_bytes())
    orphans.close()
    [part] = left.glob("*.part")
    with part.open("ab") as file:
        file.write(b"\x40\0\0\0torn")
    (left / ".orphans_000000009_000.raw.meta.json.part").write_bytes(b"{")
    for _ in range(2):
        close_left(left, place.clock)
        assert kept(left) == [1, 2, 3, 4, 5]
        assert list(left.glob("*.part")) == list(left.glob(".*")) == []
    [closed] = left.glob("*.raw")
    assert verify(closed).findings == []
    side_car = read_side_car(closed)
    assert side_car is not None
    assert side_car.trailer is not None
    assert side_car.trailer.reason_closed == LEFT_OPEN
    with EventFile(closed) as file_:
        assert file_.header.run == 9


def test_without_orphans_there_is_nothing_to_do(tmp_path: Path, place: Bench) -> None:
    """The folder is made when it is needed first."""
    close_left(tmp_path / "none", place.clock)
    assert not (tmp_path / "none").exists()
