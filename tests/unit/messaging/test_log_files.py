"""The files of the log's store: begun, bounded, damaged, read while they change."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.errors import PersistStore
from idl_like_interfaces.logs import LogBatch, LogLevel, LogQuery, LogRecord
from objects.messaging.log_folder import Damage
from objects.messaging.log_limits import LogLimits
from objects.messaging.log_store import SqliteLogStore
from tests.support.clock import ManualClock
from tests.support.log_stores import NOON, batch, fill, make_room


class Small:
    """A store with small limits whose time a test moves."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.file = folder / "log.sqlite"
        self.limits = LogLimits(**limits)
        self.clock = ManualClock(NOON)
        self.damages: list[Damage] = []
        self.next = 1
        self.store = self.open()

    def open(self) -> SqliteLogStore:
        """Open it, again."""
        return SqliteLogStore(
            self.file, self.limits, clock=self.clock, on_damage=self.damages.append
        )

    def reopen(self) -> None:
        """Close it and open it again."""
        self.store.close()
        self.store = self.open()

    def append(self, records: int, size: int = 10) -> None:
        """Store records, one batch each, a second apart."""
        for _ in range(records):
            self.clock.advance(1.0)
            told = LogRecord(
                time=self.clock.utc(),
                level=LogLevel.INFO,
                component="ocm",
                logger="daq",
                text=f"{self.next:>{size}}",
            )
            sent = LogBatch(component="ocm", incarnation="i1", first=self.next, records=[told])
            assert self.store.append(sent) == 1
            self.next += 1

    def numbers(self, query: LogQuery, *, by_number: bool = False) -> list[int]:
        """Return the numbers of what is found."""
        return [each.number for each in self.store.select(query, by_number=by_number)]

    @property
    def files(self) -> list[str]:
        """The names of the files."""
        return sorted(each.name for each in self.file.parent.glob("*.sqlite"))


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """Yield a store that keeps 160 records in files of 10."""
    small = Small(tmp_path, max_records=160)
    yield small
    small.store.close()


def test_the_store_goes_on_in_another_file(small: Small) -> None:
    """Numbers go on, senders are known, and questions get one answer."""
    small.append(25)
    assert small.files == ["log-000000000011.sqlite", "log-000000000021.sqlite", "log.sqlite"]
    for _ in range(2):
        assert small.numbers(LogQuery()) == list(range(1, 26))
        assert small.numbers(LogQuery(limit=3)) == [23, 24, 25]
        assert small.numbers(LogQuery(limit=12)) == list(range(14, 26))
        assert small.numbers(LogQuery(limit=12, newest=False)) == list(range(1, 13))
        assert small.numbers(LogQuery(after=9, limit=3, newest=False)) == [10, 11, 12]
        assert small.numbers(LogQuery(after=9, limit=3), by_number=True) == [23, 24, 25]
        assert small.numbers(LogQuery(after=9, limit=3, newest=False), by_number=True) == [
            10,
            11,
            12,
        ]
        since, until = NOON + timedelta(seconds=8), NOON + timedelta(seconds=23)
        assert small.numbers(LogQuery(since=since, until=until)) == list(range(8, 23))
        assert small.store.append(batch(25, "known")) == 0
        assert small.store.stats().records == 25
        small.reopen()


def test_what_is_too_much_goes_with_its_file(small: Small) -> None:
    """What was removed is counted, over a restart, too; never is less kept than 15/16."""
    small.append(330)
    small.store.maintain()
    for _ in range(2):
        stats = small.store.stats()
        assert 150 <= stats.records <= 160
        assert (stats.last, stats.removed) == (330, 330 - stats.records)
        assert stats.oldest == NOON + timedelta(seconds=stats.removed + 1)
        assert small.numbers(LogQuery(newest=False, limit=1)) == [stats.removed + 1]
        small.reopen()
    assert small.files[0] != "log.sqlite"


def test_old_records_go(tmp_path: Path) -> None:
    """By when they arrived, not by the time that a sender's clock has given them."""
    small = Small(tmp_path, max_age_s=1600.0)
    odd = LogRecord(
        time=NOON + timedelta(days=4000),
        level=LogLevel.INFO,
        component="dpm",
        logger="daq",
        text="of the future",
    )
    small.store.append(LogBatch(component="dpm", incarnation="i", first=1, records=[odd]))
    small.append(1000)
    assert len(small.files) > 5
    age_files(small)
    small.clock.advance(1200.0)
    small.store.maintain()
    stats = small.store.stats()
    assert 300 < stats.removed < 700
    assert "dpm" not in stats.by_component
    small.clock.advance(100_000.0)
    small.store.maintain()
    small.store.maintain()
    assert small.store.stats().records <= 100
    small.store.close()


@pytest.mark.parametrize("step", [timedelta(days=4000), timedelta(days=-4000)])
def test_a_clock_that_is_set_costs_no_record(tmp_path: Path, step: timedelta) -> None:
    """Forward or back: what goes for its age has been there as long as that; then it does go."""
    small = Small(tmp_path, max_age_s=1600.0)
    small.append(1000)
    age_files(small)
    small.clock.set_utc(small.clock.utc() + step)
    small.store.maintain()
    small.append(1)
    small.store.maintain()
    assert small.store.stats().records == 1001
    small.clock.set_utc(small.clock.utc() - step)
    small.clock.advance(100_000.0)
    small.store.maintain()
    assert small.store.stats().records < 1001
    small.store.close()


def age_files(small: Small) -> None:
    """Let files be as old as the clock of the test says: each was closed 100 s after the one before."""
    *closed, _ = small.store._files
    for place, file in enumerate(closed):
        file._closed_s = NOON.timestamp() + 100.0 * (place + 1)


def test_the_bytes_of_the_store_are_bounded(tmp_path: Path) -> None:
    """On disk, journals and all."""
    small = Small(tmp_path, max_bytes=2 * 1024 * 1024)
    for _ in range(24):
        small.append(10, size=15_000)
        small.store.maintain()
        assert small.store.stats().bytes < 3 * 1024 * 1024
    on_disk = sum(each.stat().st_size for each in tmp_path.iterdir())
    assert on_disk == small.store.stats().bytes
    assert small.store.stats().removed > 50
    small.store.close()


def test_a_full_disk_makes_room_of_what_may_go(tmp_path: Path, small: Small) -> None:
    """The oldest file goes for the new record, when it is old enough."""
    small.append(25)
    small.clock.advance(8 * 86_400.0)
    for file in small.store._files[:-1]:
        file._closed_s = NOON.timestamp()
    large = batch(26, *["x" * 10_000] * 20)
    fill(small.store)
    with pytest.raises(PersistStore):
        small.store.append(large)
    stats = small.store.stats()
    assert stats.removed == 10
    assert stats.problem
    make_room(small.store)
    assert small.store.append(large) == 20


def test_a_full_disk_does_not_cost_what_is_young(small: Small) -> None:
    """Rather is the new record refused, which its sender keeps."""
    small.append(25)
    small.clock.advance(3600.0)
    fill(small.store)
    with pytest.raises(PersistStore):
        small.store.append(batch(26, *["x" * 10_000] * 20))
    assert small.store.stats().removed == 0
    make_room(small.store)


def scribble(path: Path) -> None:
    """Damage a database within, its header stays as it is."""
    content = bytearray(path.read_bytes())
    content[1024:] = b"\xa5" * (len(content) - 1024)
    path.write_bytes(content)


@pytest.mark.parametrize("content", [b"this is no database" * 500, b"SQLite format 3\0", None])
def test_a_damaged_store_is_kept_aside_and_begun_anew(small: Small, content: bytes | None) -> None:
    """What it held is missing, and told; numbers go on behind all that it can have given."""
    small.append(8)
    small.store.close()
    if content is None:
        scribble(small.file)
    else:
        small.file.write_bytes(content)
    damaged = small.file.read_bytes()
    small.store = small.open()
    kept = small.file.with_name("log.sqlite.damaged")
    assert kept.read_bytes() == damaged
    assert [each.kept for each in small.damages] == [kept]
    (told,) = small.store.select(LogQuery())
    assert "log.sqlite.damaged" in told.record.text
    assert (told.record.level, told.record.logger) == (LogLevel.ERROR, "log.store")
    assert told.number > (8 if content is None else 1)
    small.append(1)
    assert small.store.stats().lost == 0
    small.reopen()
    assert len(small.numbers(LogQuery())) == 2
    assert len(small.damages) == 1


def test_a_damaged_older_file_costs_only_its_records(small: Small) -> None:
    """The others are found; it is told; damage that is found by reading is met in the same way."""
    small.append(35)
    second, third = (small.file.with_name(f"log-0000000000{first}.sqlite") for first in (11, 21))
    scribble(third)
    found = small.numbers(LogQuery())
    assert [number for number in found if number <= 35] == [*range(1, 21), *range(31, 36)]
    small.store.close()
    scribble(second)
    small.store = small.open()
    found = small.numbers(LogQuery())
    assert [number for number in found if number <= 35] == [*range(1, 11), *range(31, 36)]
    assert len(small.damages) == 2
    assert len(small.store.select(LogQuery(loggers=["log.store"]))) == 2
    small.append(5)
    assert small.store.stats().removed == 0


def test_the_written_file_may_be_damaged_while_it_is_written(small: Small) -> None:
    """The batch at which it is found is stored in the new file."""
    small.append(15)
    db = small.store._files[-1]._writer
    assert db is not None
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    scribble(small.file.with_name("log-000000000011.sqlite"))
    db.execute("PRAGMA cache_size = 0")
    db.execute("PRAGMA shrink_memory")
    small.append(3)
    assert len(small.damages) == 1
    texts = [each.record.text.strip() for each in small.store.select(LogQuery(components=["ocm"]))]
    assert texts == [str(each) for each in [*range(1, 11), 16, 17, 18]]


def test_a_file_that_a_crash_left_empty_is_made(small: Small) -> None:
    """It takes over what the one before knows."""
    small.append(25)
    small.store.close()
    newest = small.file.with_name("log-000000000021.sqlite")
    newest.write_bytes(b"")
    small.store = small.open()
    assert small.store.append(batch(15, "known")) == 0
    small.store.close()


def test_long_texts_do_not_make_holes_at_the_borders_of_files(small: Small) -> None:
    """A reply that must be cut ends where the first file was cut, whatever the next one has."""
    small.append(9, size=10)
    small.append(11, size=200_000)
    small.append(5)
    newest = small.numbers(LogQuery())
    assert newest == list(range(newest[0], 26))
    oldest = small.numbers(LogQuery(newest=False))
    assert oldest == list(range(1, oldest[-1] + 1))
    assert (newest[0], oldest[-1]) == (18, 12)
    pages, after = list[int](), 0
    while page := small.numbers(LogQuery(after=after, newest=False), by_number=True):
        pages += page
        after = page[-1]
    assert pages == list(range(1, 26))


def test_reading_goes_on_while_files_come_and_go(small: Small) -> None:
    """Who reads gets whole answers, in order."""
    with ThreadPoolExecutor(2) as pool:
        stop = threading.Event()

        def read() -> int:
            answers = 0
            while not stop.is_set():
                found = small.numbers(LogQuery(limit=50))
                assert found == list(range(found[0], found[-1] + 1)) if found else True
                answers += 1
            return answers

        readers = [pool.submit(read) for _ in range(2)]
        for _ in range(20):
            small.append(10)
            small.store.maintain()
        stop.set()
        assert all(reader.result(50) for reader in readers)
