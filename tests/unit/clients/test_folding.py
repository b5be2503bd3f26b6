"""Folding floods of log records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from idl_like_interfaces.clients.folding import Folder, Folding
from idl_like_interfaces.logs import LogLevel, LogRecord
from tests.support.eventually import eventually

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Bench:
    """A folder whose time a test moves, and what it passed on."""

    def __init__(self, folding: Folding) -> None:
        self.now = 0.0
        self.passed: list[LogRecord] = []
        self.folder = Folder("tested", self.passed.append, folding, lambda: self.now)

    def take(self, text: str, times: int = 1, **fields: object) -> None:
        """Give it records, a millisecond apart."""
        values = {"level": LogLevel.INFO, "logger": "daq"} | fields
        for _ in range(times):
            self.now += 0.001
            time = NOON + timedelta(seconds=self.now)
            self.folder.take(LogRecord(time=time, component="ocm", text=text, **values))  # type: ignore[arg-type]

    @property
    def counts(self) -> list[int]:
        """For how many each passed record stands."""
        return [each.count for each in self.passed]


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Yield one that lets three records of a kind through in 10 s."""
    bench = Bench(Folding(beyond=3, window_s=10.0, most_kinds=5))
    yield bench
    bench.folder.close()


def test_the_first_ones_go_through_at_once(bench: Bench) -> None:
    """The rest is told when the window has ended, with its count and both its times."""
    bench.take("frame 1", 10)
    assert bench.counts == [1, 1, 1]
    bench.now += 10.0
    bench.take("something else")
    assert bench.counts == [1, 1, 1, 7, 1]
    told = bench.passed[3]
    assert told.time == NOON + timedelta(seconds=0.004)
    assert told.until == NOON + timedelta(seconds=0.010)


def test_a_new_window_begins_with_the_next_record(bench: Bench) -> None:
    """Each window lets the first ones through again."""
    bench.take("frame", 5)
    bench.now += 20.0
    bench.take("frame", 4)
    bench.folder.flush()
    assert bench.counts == [1, 1, 1, 2, 1, 1, 1, 1]
    assert bench.passed[-1].until is None


def test_a_single_record_too_many_is_told_as_it_was(bench: Bench) -> None:
    """It stands for itself."""
    bench.take("frame", 4)
    bench.folder.flush()
    assert [each.count for each in bench.passed] == [1] * 4
    assert bench.folder.tally() == (0, 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a 1", "a 25"), ("x=1.5e-3 s", "x=-7 s"), ("2026-03-01T10:00:00", "2027-12-31T23:59:59")],
)
def test_texts_that_differ_in_numbers_are_of_one_kind(bench: Bench, one: str, other: str) -> None:
    """Whatever their form."""
    bench.take(one, 2)
    bench.take(other, 5)
    bench.folder.flush()
    assert bench.counts == [1, 1, 1, 4]


@pytest.mark.parametrize(
    "fields", [{"logger": "other"}, {"level": LogLevel.WARNING}, {"owner": "run-1"}]
)
def test_another_logger_level_or_owner_is_another_kind(
    bench: Bench, fields: dict[str, object]
) -> None:
    """What differs in more than numbers is never counted together."""
    bench.take("frame", 3)
    bench.take("frame", 3, **fields)
    bench.take("other text", 3)
    assert bench.counts == [1] * 9


def test_errors_and_tracebacks_are_never_folded(bench: Bench) -> None:
    """Each of them goes through."""
    bench.take("cannot open 1", 50, level=LogLevel.ERROR)
    bench.take("cannot open 1", 50, level=LogLevel.CRITICAL)
    bench.take("strange", 50, traceback="Traceback …")
    assert bench.counts == [1] * 150


def test_long_texts_are_told_apart(bench: Bench) -> None:
    """Also when they differ only at their ends."""
    bench.take("x" * 5000 + "a", 3)
    bench.take("x" * 5000 + "b", 3)
    bench.take("x" * 5000 + "a", 2)
    assert bench.counts == [1] * 6
    assert bench.folder.tally() == (1, 1)


def test_the_kinds_that_are_counted_are_bounded(bench: Bench) -> None:
    """The oldest window ends before its time; the counts stay exact."""
    for round in range(50):
        for kind in "abcdefgh":
            bench.take(f"{kind} {round}", 2)
    bench.folder.flush()
    assert len(bench.folder._windows) <= 5
    assert sum(bench.counts) == 800


def test_all_is_counted_whatever_comes(bench: Bench) -> None:
    """What was passed on and what is told to be folded is what was given."""
    given = 0
    for round in range(200):
        times = round * 7 % 11
        bench.take("abcd"[round % 4], times)
        given += times
        bench.now += round % 5
        folded, floods = bench.folder.tally()
        assert len(bench.passed) + folded + floods == given
    bench.folder.close()
    assert sum(bench.counts) == given


def test_the_end_of_a_flood_is_told_without_another_record() -> None:
    """The window ends by itself."""
    passed: list[LogRecord] = []
    folder = Folder("tested", passed.append, Folding(beyond=1, window_s=0.05))
    try:
        for _ in range(3):
            folder.take(
                LogRecord(
                    time=NOON, level=LogLevel.INFO, component="ocm", logger="daq", text="frame"
                )
            )
        eventually(lambda: [each.count for each in passed] == [1, 2])
    finally:
        folder.close()


def test_after_its_end_all_goes_through(bench: Bench) -> None:
    """Nothing waits in it any more."""
    bench.take("frame", 5)
    bench.folder.close()
    bench.take("frame", 5)
    assert bench.counts == [1, 1, 1, 2, *[1] * 5]
