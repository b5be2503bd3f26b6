"""The memory of a stream whose disk takes nothing is bounded by its queue."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from objects.logger_stream.records import WASTE, Records
from objects.logger_stream.stream import HANGS_S, Stream
from tests.support.eventually import eventually
from tests.support.failing_disk import FailingDisk
from tests.support.streams import MIB, Bench, bench, feed, records

QUEUE_BYTES = MIB
BATCH = 16
SIZE = 8192

# What is neither a queue nor a batch: rows of indexes, the objects themselves.
_REST = QUEUE_BYTES // 4


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Bench]:
    """Give a place for streams where time stands still."""
    with bench(tmp_path / "data") as made:
        yield made


@pytest.fixture
def stuck(place: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    """Give a stream that hangs in syncing its first event."""
    stream = place.stream(queue_bytes=QUEUE_BYTES, flush_bytes=4096, sync_period_s=1.0)
    feed(stream, records([1]))
    disk = FailingDisk(place.root / "v0", monkeypatch)
    disk.stop()
    place.later(2.0)

    def hangs() -> bool:
        place.manual.advance(HANGS_S)
        return "hangs" in stream.problem

    eventually(hangs)
    yield stream
    disk.hang.set()


def whole(first: int) -> Records:
    """Return a batch of which all is for the stream."""
    return records(range(first, first + BATCH), size=SIZE)


def share(first: int) -> Records:
    """Return what is for the stream of a batch: the least that is not copied."""
    batch = whole(first)
    return Records(batch.view, batch.index[: BATCH // WASTE + 1]).own()


def sliver(first: int) -> Records:
    """Return what is for the stream of a batch: one event."""
    batch = whole(first)
    return Records(batch.view, batch.index[:1]).own()


def fill(stream: Stream, make: Callable[[int], Records]) -> int:
    """Give it batches until it takes nothing any more; return how many events it took."""
    taken = 0
    for number in range(20 * QUEUE_BYTES // SIZE):
        count = stream.put(make(2 + number * BATCH))
        taken += count
        if not count:
            return taken
    raise AssertionError("it takes more than its queue holds")


@pytest.mark.parametrize(("make", "most"), [(whole, 1.0), (share, WASTE), (sliver, 1.0)])
def test_memory_is_bounded_while_the_disk_takes_nothing(
    stuck: Stream, make: Callable[[int], Records], most: float
) -> None:
    """By its queue; by four times as much when each batch is for the most part of others."""
    make(1)
    tracemalloc.start()
    try:
        taken = fill(stuck, make)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken > QUEUE_BYTES // SIZE // 2
    assert kept <= most * QUEUE_BYTES + _REST


def test_the_begin_of_a_batch_does_not_keep_all_of_it(stuck: Stream) -> None:
    """What there was room for is copied when it is little: the rest of the batch is let go."""
    tracemalloc.start()
    try:
        count = 8 * QUEUE_BYTES // SIZE
        taken = stuck.put(records(range(2, 2 + count), size=SIZE))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0 < taken <= count // 8
    assert kept <= QUEUE_BYTES + _REST
