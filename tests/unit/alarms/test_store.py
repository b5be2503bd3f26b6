"""The alarm log: what is on disk, after crashes and on full and damaged disks."""

from __future__ import annotations

import errno
import json
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.alarms import (
    AlarmFilter,
    Change,
    Column,
    HistoryEntry,
    HistoryQuery,
)
from idl_like_interfaces.errors import PersistStore
from objects.alarms import own, store
from objects.alarms.lines import Line, decode_line, encode_line
from objects.alarms.store import AlarmLog
from tests.support.alarms import NIGHT, AlarmBench, batch, clear, report

HUNDRED = [report(f"fan {number}") for number in range(100)]


def files(bench: AlarmBench) -> list[Path]:
    """Return the files of the log in order."""
    return sorted(bench.folder.glob("history-*.jsonl"))


def entry(number: int, text: str = "") -> HistoryEntry:
    """A line of the history."""
    return HistoryEntry(number=number, time=NIGHT, change=Change.NOTED, text=text)


@pytest.mark.spec("D61")
def test_the_log_is_a_sequential_file_of_json_lines(tmp_path: Path) -> None:
    """Any tool reads it; each line has the check of its inner document."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report("扉"), report("b"))
        bench.wait(1.0)
        (file,) = files(bench)
        lines = file.read_bytes().splitlines()
        for line in lines:
            inner = line.partition(b'"line":')[2][:-1]
            assert int(json.loads(line)["crc"], 16) == zlib.crc32(inner)
        numbers = [
            line["line"]["entry"]["number"]
            for line in map(json.loads, lines)
            if "entry" in line["line"]
        ]
        assert numbers == [1, 2]


def test_nothing_that_was_acknowledged_is_forgotten_by_a_kill(tmp_path: Path) -> None:
    """States, who did what, numbers of reports, lost ones, rates: all as before."""
    with AlarmBench(tmp_path) as bench:
        bench.say(*HUNDRED)
        bench.wait(1.0)
        numbers = [each.alarm_id for each in bench.servant.get_alarms()]
        bench.servant.acknowledge(numbers[:10], "anna", "seen")
        bench.servant.shelve(numbers[10:20], "otto", "spare part", 3600.0)
        bench.servant.clear(numbers[20:30], "anna")
        bench.servant.report(batch(105, clear("fan 99"), lost=4))
        alarms, history = bench.servant.get_alarms(), bench.servant.history()
        stats = bench.servant.get_stats()
        bench.restart()
        assert bench.servant.get_alarms() == alarms
        assert bench.servant.history() == history
        assert bench.servant.get_stats() == stats
        assert bench.servant.report(batch(105, clear("fan 99"), lost=4)).taken == 0
        assert not bench.servant.report(batch(106)).is_complete


@pytest.mark.parametrize("cut", [1, 7, 60, 200])
def test_a_torn_end_is_cut_off(tmp_path: Path, cut: int) -> None:
    """The component sends again what was not acknowledged; no number is used twice."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report("a"))
        bench.wait(1.0)
        size = files(bench)[-1].stat().st_size
        bench.servant.report(batch(2, report("b", latch=True)))
        os.truncate(files(bench)[-1], files(bench)[-1].stat().st_size - cut)
        bench.restart()
        assert files(bench)[-1].stat().st_size >= size
        assert bench.servant.report(batch(2, report("b", latch=True))).taken == 1
        names = [each.report.name for each in bench.servant.get_alarms()]
        assert sorted(names) == ["a", "b"]
        numbers = [each.number for each in bench.servant.history()]
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_damaged_line_costs_only_itself(tmp_path: Path) -> None:
    """It is passed over and said; what stands behind it counts."""
    with AlarmBench(tmp_path) as bench:
        bench.say(*(report(name, latch=True) for name in ("a", "b", "c")))
        (file,) = files(bench)
        octets = file.read_bytes()
        place = octets.index(b'"name":"b"') + 8
        file.write_bytes(octets[:place] + b"x" + octets[place + 1 :])
        bench.restart()
        assert {each.report.name for each in bench.servant.get_alarms()} == {"a", "c"}
        assert bench.store.damaged == 1
        history = bench.servant.history()
        assert [each.number for each in history] == [1, 3, 4]
        assert "1 damaged lines" in history[-1].text


def test_the_log_is_rotated_and_the_oldest_goes(tmp_path: Path) -> None:
    """A start reads the newest file; queries go over all of them."""
    with AlarmBench(tmp_path) as bench:
        bench.store._file_bytes, bench.store._kept_files = 5_000, 4
        bench.say(report("lasting"))
        for number in range(300):
            bench.servant.note("obs/run", f"run {number} begins")
            bench.wait(1.0 if number % 20 == 19 else 0.0)
        bench.wait(2.0)
        assert len(files(bench)) == 4
        history = bench.servant.history()
        assert [each.number for each in history] == list(range(history[0].number, 302))
        assert history[0].number > 1
        first = bench.servant.history(HistoryQuery(limit=3, newest=False))
        assert first == history[:3]
        middle = history[50].number
        found = bench.servant.history(HistoryQuery(after=middle, limit=2, newest=False))
        assert [each.number for each in found] == [middle + 1, middle + 2]
        bench.restart()
        assert bench.alarm("lasting").column is Column.BAD
        assert bench.servant.history() == history


def test_a_snapshot_that_is_larger_than_a_file_does_not_make_new_ones(tmp_path: Path) -> None:
    """With very many alarms the log would be nothing but snapshots."""
    with AlarmBench(tmp_path) as bench:
        bench.store._file_bytes = 10_000
        bench.say(*HUNDRED)
        bench.wait(2.0)
        bench.restart()
        bench.store._file_bytes = 10_000
        before = files(bench)
        assert len(before) == 2
        bench.wait(20.0)
        assert files(bench) == before


def test_a_file_without_its_snapshot_is_made_up_from_the_one_before(tmp_path: Path) -> None:
    """The damaged head of the newest file forgets nothing."""
    with AlarmBench(tmp_path) as bench:
        bench.store._file_bytes = 100
        bench.say(report("a", latch=True))
        bench.wait(2.0)
        bench.store._file_bytes = 10**9
        bench.say(report("b", latch=True))
        assert len(files(bench)) == 2
        head, _, rest = files(bench)[-1].read_bytes().partition(b"\n")
        files(bench)[-1].write_bytes(b"#" * len(head) + b"\n" + rest)
        bench.restart()
        assert {each.report.name for each in bench.servant.get_alarms()} == {"a", "b"}


def test_what_a_crash_left_of_a_new_file_is_removed(tmp_path: Path) -> None:
    """It was not in use yet."""
    with AlarmBench(tmp_path) as bench:
        (tmp_path / "history-000000000009.jsonl.part").write_text("half")
        bench.restart()
        assert [each.suffix for each in tmp_path.iterdir()] == [".jsonl"]


class FullDisk:
    """Lets nothing be written while it is full; a part of the last write may get through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = True
        self._write = os.write
        monkeypatch.setattr("objects.alarms.store.os.write", self.write)

    def write(self, descriptor: int, octets: Any) -> int:
        """Write as much as there is room for."""
        if self.is_full and len(octets) > 10:
            return self._write(descriptor, octets[:10])
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._write(descriptor, octets)


def test_on_a_full_disk_it_goes_on_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alarms are taken, shown and told, and it says what is wrong; later all is written."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report("before"))
        bench.wait(1.0)
        disk = FullDisk(monkeypatch)
        bench.say(report("a"))
        bench.wait(2.0)
        bench.servant.acknowledge([bench.alarm("a").alarm_id], "anna")
        assert "No space left" in bench.servant.get_stats().problem
        assert bench.alarm(own.NOT_STORED).column is Column.BAD
        told = {each.report.name for each in bench.published("alarms/changed")}
        assert told == {"before", "a", own.NOT_STORED}
        history = bench.servant.history()
        assert [each.number for each in history] == list(range(1, len(history) + 1))
        disk.is_full = False
        bench.wait(3.0)
        assert bench.servant.get_stats().problem == ""
        assert bench.alarm(own.NOT_STORED).column is Column.GOOD
        alarms, history = bench.servant.get_alarms(), bench.servant.history()
        bench.restart()
        assert bench.servant.get_alarms() == alarms
        assert bench.servant.history() == history


def test_what_neither_disk_nor_memory_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The component keeps it and reports again; nothing has changed."""
    monkeypatch.setattr(store, "MOST_WAITING", 50)
    with AlarmBench(tmp_path) as bench:
        disk = FullDisk(monkeypatch)
        bench.servant.report(batch(1, *HUNDRED))
        with pytest.raises(PersistStore):
            bench.servant.report(batch(101, report("more")))
        with pytest.raises(PersistStore):
            bench.servant.note("obs/run", "run 7 begins")
        bench.wait(1.0)
        with pytest.raises(PersistStore):
            bench.servant.acknowledge([1], "anna")
        assert bench.alarm("fan 0").column is Column.BAD
        assert bench.servant.get_alarms(AlarmFilter(columns=[Column.ACKNOWLEDGED])) == []
        disk.is_full = False
        bench.wait(2.0)
        assert bench.servant.report(batch(101, report("more"))).taken == 1


def test_a_killed_service_on_a_full_disk_asks_for_what_it_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers tell; the component reports again what holds."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report("a"), report("b"))
        disk = FullDisk(monkeypatch)
        bench.say(clear("a"), report("c"))
        disk.is_full = False
        bench.restart()
        assert not bench.servant.report(batch(5)).is_complete


def test_large_texts_do_not_make_a_reply_that_cannot_travel(tmp_path: Path) -> None:
    """It is cut where it matters least."""
    with AlarmBench(tmp_path) as bench:
        long = {"text": "t" * 4096, "cause": "c" * 4096, "remedy": "r" * 4096}
        bench.say(*(report(f"fan {number}", **long, latch=True) for number in range(400)))
        assert 100 < len(bench.servant.get_alarms()) < 400
        history = bench.servant.history()
        assert history[-1].number == 400
        assert 100 < len(history) < 400
        oldest = bench.servant.history(HistoryQuery(newest=False))
        assert oldest[0].number == 1


@given(st.text(max_size=50), st.integers(1, 2**53), st.binary(max_size=4))
def test_a_line_comes_back_and_a_changed_one_does_not(text: str, number: int, noise: bytes) -> None:
    """Whatever is said; whatever octet is another."""
    line = Line(entry=entry(number, text.encode("utf-8", "replace").decode()))
    octets = encode_line(line)
    assert octets.count(b"\n") == 1
    assert decode_line(octets) == line
    assert decode_line(noise + octets) is None or not noise.strip(b"\n")
    place = number % (len(octets) - 1)
    changed = octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1 :]
    assert decode_line(changed) is None


def test_a_missing_file_ends_no_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest one may be removed while somebody reads; and there may be none."""
    log = AlarmLog(tmp_path / "log")
    assert list(log.recover()) == []
    assert list(log.entries(after=0, newest=True)) == []
    gone = tmp_path / "log" / "history-000000000001.jsonl"
    monkeypatch.setattr(log, "_files", lambda: [gone])
    assert list(log.entries(after=0, newest=False)) == []
