"""Run numbers have no gaps, requests are made once, samples stay few."""

from __future__ import annotations

import itertools
import resource
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.run_configuration import RunBegin
from idl_like_interfaces.run_control import LogbookMoment, Phase
from objects.run_control.logbook import Logbook, entry_of
from objects.run_control.records import RunRecord, entered, new_record
from objects.run_control.samples import Sample, Thinner
from objects.run_control.store import RunStore
from tests.support.runs import configuration, logger_writer

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BEGIN = RunBegin(shifter="anna")


def make(number: int, request: str = "r") -> RunRecord:
    return new_record(number, BEGIN, configuration(logger_writer("a", 1)), request, NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "run" / "run_control.sqlite")
    yield store
    store.close()


def test_numbers_have_no_gap_whoever_asks(store: RunStore) -> None:
    """Many at once: each number once, none left out."""

    def begin(number: int) -> int:
        request = f"r{number}"
        return store.begin(request, 1, lambda n: make(n, request))[0].number

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(begin, range(40))) == list(range(1, 41))
    assert store.last_number() == 40


def test_a_request_begins_one_run(store: RunStore) -> None:
    """Its repetition returns that run, as it is by now."""
    first, is_new = store.begin("r", 1, make)
    store.save(entered(first, Phase.ACTIVE, NOW))
    again, is_again = store.begin("r", 1, make)
    assert (is_new, is_again) == (True, False)
    assert (again.number, again.phase) == (1, Phase.ACTIVE)
    assert store.by_request("r") == again


def test_what_fails_before_the_record_is_there_uses_no_number(store: RunStore) -> None:
    """Number and record are there together, or neither."""

    def fail(number: int) -> RunRecord:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.begin("bad", 1, fail)
    assert store.begin("good", 1, make)[0].number == 1


def test_numbers_begin_where_they_are_told(store: RunStore) -> None:
    """Behind those of a system before; later the setting does not matter."""
    assert store.begin("a", 500, make)[0].number == 500
    assert store.begin("b", 1, lambda n: make(n, "b"))[0].number == 501


def test_only_what_is_settled_is_not_taken_up_again(tmp_path: Path, store: RunStore) -> None:
    """An ended run without its report has something left to be done."""
    one = store.begin("a", 1, lambda n: make(n, "a"))[0]
    two = store.begin("b", 1, lambda n: make(n, "b"))[0]
    store.save(replace(entered(one, Phase.ENDED, NOW), is_settled=True))
    store.save(entered(two, Phase.ENDED, NOW))
    assert [each.number for each in store.open_runs()] == [2]
    assert [each.number for each in store.newest(10)] == [2, 1]
    assert [each.number for each in store.newest(10, before=2)] == [1]


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    """It is not touched."""
    file = tmp_path / "other.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(BadParam, match="another program"):
        RunStore(file)


def test_a_store_that_fails_says_what_to_do(store: RunStore) -> None:
    """As one that was closed under somebody's hands."""
    store.close()
    with pytest.raises(PersistStore) as refused:
        store.begin("r", 1, make)
    assert refused.value.remedy


def test_samples_stay_few_and_evenly_spread(store: RunStore) -> None:
    """However long the run is: never more than the most, from its begin to its end."""
    most = 40
    thinner = Thinner(most=most)
    seconds = 5 * most
    for second in range(seconds):
        if thinner.wants():
            sample = Sample(time=NOW + timedelta(seconds=second))
            store.add_sample(1, thinner.stride, sample)
            if thinner.is_full:
                thinner.halve(store.thin_samples(1))
    times = [(each.time - NOW).total_seconds() for each in store.samples(1)]
    assert most / 2 <= len(times) <= most
    assert times[0] <= thinner.stride
    assert seconds - times[-1] <= 2 * thinner.stride
    steps = [two - one for one, two in itertools.pairwise(times)]
    assert max(steps) <= 2 * thinner.stride
    assert store.sampling(1) == (len(times), thinner.stride)


def test_an_entry_of_the_logbook_is_made_once(tmp_path: Path) -> None:
    """Also when a crash came before anybody knew of it; a torn one is cut off and made again."""
    file = tmp_path / "logbook.jsonl"
    first = entry_of(make(1), LogbookMoment.BEGIN, NOW, {"project": "X"}, "")
    assert Logbook(file).add(first) is not None
    second = entry_of(make(2), LogbookMoment.BEGIN, NOW, {}, "away")
    Logbook(file).add(second)
    file.write_bytes(file.read_bytes()[:-20])
    book = Logbook(file)
    assert book.add(first) is None
    added = book.add(second)
    assert added is not None
    assert [each.run for each in Logbook(file).latest(10)] == [1, 2]
    assert added.number == 2


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A disk that is full in the midst of a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.spec("D63")
def test_an_entry_that_could_not_be_written_leaves_the_logbook_as_it_was(tmp_path: Path) -> None:
    """A disk that fills up within an entry: no half entry stays, and none is lost or made twice."""
    file = tmp_path / "logbook.jsonl"
    book = Logbook(file)
    entries = [entry_of(make(number), LogbookMoment.BEGIN, NOW, {}, "") for number in (1, 2, 3)]
    book.add(entries[0])
    before = file.read_bytes()
    with files_no_larger_than(len(before) + 100), pytest.raises(OSError, match="too large"):
        book.add(entries[1])
    assert file.read_bytes() == before
    assert [book.add(each) is None for each in entries] == [True, False, False]
    found = Logbook(file).latest(10)
    assert [(each.run, each.number) for each in found] == [(1, 1), (2, 2), (3, 3)]


def test_a_number_in_the_logbook_is_not_used_again(tmp_path: Path) -> None:
    """Also when an entry has become unreadable, in the midst or at the end."""
    file = tmp_path / "logbook.jsonl"
    book = Logbook(file)
    for number in (1, 2, 3):
        book.add(entry_of(make(number), LogbookMoment.BEGIN, NOW, {}, ""))
    first, _, third = file.read_bytes().splitlines(keepends=True)
    for damaged in ([first, b"?\n", third], [first, b"?\n", b"?\n"]):
        file.write_bytes(b"".join(damaged))
        added = Logbook(file).add(entry_of(make(4), LogbookMoment.BEGIN, NOW, {}, ""))
        assert added is not None
        assert added.number == 4


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_page_of_the_logbook_that_is_none_is_refused(tmp_path: Path, limit: int) -> None:
    """The refusal names the argument."""
    with pytest.raises(BadParam) as refused:
        Logbook(tmp_path / "logbook.jsonl").latest(limit)
    assert refused.value.field == "limit"
