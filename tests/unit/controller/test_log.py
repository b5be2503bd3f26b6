"""``obsorb log`` against the real log service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from controller.cli import log_pages
from controller.cli.log_tail import Tail
from controller.cli.log_text import record_text, size_text, stats_text
from idl_like_interfaces.errors import CommFailure
from idl_like_interfaces.logs import (
    LogBatch,
    LogLevel,
    LogQuery,
    LogRecord,
    LogService,
    LogStats,
    StoredRecord,
)
from tests.support.small import NIGHT, SmallInstallation
from tests.unit.controller.running import document, obsorb, ok, refused


def record(text: str, second: float = 0.0, **fields: Any) -> LogRecord:
    """Return a record of the component ``ocm``."""
    values = {"level": LogLevel.INFO, "component": "ocm", "logger": "daq.ocm"} | fields
    return LogRecord(time=NIGHT + timedelta(seconds=second), text=text, **values)


def store(small: SmallInstallation, *records: LogRecord) -> None:
    """Store records of one component."""
    small.log.append(LogBatch(component="ocm", incarnation="night", first=1, records=list(records)))


def test_query_filters_by_owner_and_logger(small: SmallInstallation) -> None:
    """Together with the others."""
    store(
        small,
        record("one", owner="STIS.d1", logger="daq.ocm.manager"),
        record("two", owner="STIS.d2"),
        record("three"),
    )
    assert "one" in ok("log", "query", "--owner", "STIS.d1")
    assert len(ok("log", "query", "--owner", "STIS.*").splitlines()) == 2
    assert len(ok("log", "query", "--logger", "daq.ocm").splitlines()) == 2
    assert not ok("log", "query", "--logger", "daq.ocm", "--owner", "STIS.d1")


def test_query_says_that_there_may_be_more(small: SmallInstallation) -> None:
    """On stderr, beside what it found."""
    store(small, record("one"), record("two"))
    assert "the newest 1" in obsorb("log", "query", "--limit", "1").stderr
    assert "newest" not in obsorb("log", "query").stderr


def test_a_folded_record_is_shown_with_its_count() -> None:
    """How many it stands for, and until when."""

    def shown(**fields: Any) -> str:
        return record_text(StoredRecord(number=1, record=record("frame 7", **fields)))

    line = shown(count=512, until=NIGHT + timedelta(minutes=5, seconds=4), owner="STIS.d1")
    assert line == (
        "2026-03-01T22:00:00.000Z INFO     ocm        daq.ocm: [STIS.d1] frame 7 "
        "(x 512 until 22:05:04)"
    )
    assert shown(count=3, until=NIGHT + timedelta(hours=3)).endswith("until 2026-03-02T01:00:00Z)")
    assert shown(count=3).endswith("(x 3)")
    assert shown().endswith("frame 7")


def test_a_terminal_gets_long_lines_indented() -> None:
    """A pipe gets them whole; a traceback stays as it is."""
    long = record("a word " * 30 + "\nsecond line", owner="STIS.d1", traceback="Traceback\n  File")
    stored = StoredRecord(number=1, record=long)
    assert len(record_text(stored).splitlines()) == 4
    for width in (80, 200):
        first, *more, second, _, file = record_text(stored, width).splitlines()
        assert first.startswith("2026-03-01T22:00:00.000Z INFO")
        assert more
        assert all(each.startswith("    ") and len(each) <= width for each in more)
        assert (second, file) == ("second line", "  File")


def test_export_writes_all_that_match(
    small: SmallInstallation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, in the order of time, as JSON lines that the declaration reads."""
    monkeypatch.setattr(log_pages, "PAGE", 7)
    store(small, *(record(str(at), second=at // 5) for at in range(60)))
    file = tmp_path / "night.jsonl"
    result = obsorb("log", "export", str(file), "--since", "2026-03-01T22:00:01")
    assert result.exit_code == 0
    assert "55 records" in result.stderr
    lines = file.read_bytes().splitlines()
    found = [msgspec.json.decode(line, type=StoredRecord) for line in lines]
    assert [each.record.text for each in found] == [str(at) for at in range(5, 60)]
    assert [each.name for each in tmp_path.glob("night*")] == ["night.jsonl"]


def test_export_to_stdout_is_only_records(small: SmallInstallation) -> None:
    """The count is on stderr."""
    store(small, record("one"), record("two", level=LogLevel.ERROR))
    (line,) = ok("log", "export", "--level", "error").splitlines()
    assert json.loads(line)["record"]["text"] == "two"
    assert ok("log", "export", "-", "--text", "none of it") == ""


def test_export_leaves_files_alone(small: SmallInstallation, tmp_path: Path) -> None:
    """Unless it is told to replace one; what cannot be written is refused with a remedy."""
    file = tmp_path / "night.jsonl"
    file.write_text("of yesterday")
    assert "--overwrite" in refused("log", "export", str(file))
    assert file.read_text() == "of yesterday"
    assert ok("log", "export", str(file), "--overwrite") == ""
    assert file.read_text() == ""
    assert "remedy" in refused("log", "export", str(tmp_path / "none" / "night.jsonl"))


def test_stats_fit_a_terminal(small: SmallInstallation) -> None:
    """As text of 80 columns, and as JSON."""
    until = NIGHT + timedelta(seconds=9)
    store(small, record("x", count=9, until=until), record("y", level=LogLevel.ERROR))
    text = ok("log", "stats")
    assert "2 records in" in text
    assert "folded   8" in text
    assert "oldest   2026-03-01T22:00:00.000Z" in text
    assert max(map(len, text.splitlines())) <= 80
    assert document("log", "stats")["by_component"] == {"ocm": 2}


def test_stats_tell_a_problem() -> None:
    """And of an empty store that it is empty."""
    stats = LogStats(
        records=0, last=0, lost=0, by_level={}, by_component={}, problem="the disk is full"
    )
    text = stats_text(stats)
    assert "the disk is full" in text
    assert "oldest   none" in text
    assert [size_text(size) for size in (5, 2048, 5 << 20, 3 << 30)] == [
        "5 bytes",
        "2.0 KiB",
        "5.0 MiB",
        "3.0 GiB",
    ]


class Interrupted(LogService):
    """A log service that is away now and then, and where somebody presses Ctrl-C at the end."""

    def __init__(self, service: LogService, *happenings: Callable[[], None]) -> None:
        self._service = service
        self._happenings: Iterator[Callable[[], None]] = iter(happenings)

    @override
    def query(self, query: LogQuery) -> list[StoredRecord]:
        return self._service.query(query)

    @override
    def follow(self, query: LogQuery, timeout_s: float = 25.0) -> list[StoredRecord]:
        happening = next(self._happenings, None)
        if happening is None:
            raise KeyboardInterrupt
        happening()
        return self._service.follow(query, 0.0)

    @override
    def get_stats(self) -> LogStats:
        return self._service.get_stats()

    @override
    def append(self, batch: LogBatch) -> int:
        return self._service.append(batch)


def tail(service: LogService, query: LogQuery, older: int = 10) -> None:
    """Follow until somebody presses Ctrl-C."""
    with pytest.raises(KeyboardInterrupt):
        Tail(service, query, as_json=False).run(older)


def away() -> None:
    """Be not there."""
    raise CommFailure("nobody is there")


def test_tail_shows_the_past_and_what_comes(
    small: SmallInstallation, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each record once, also when the log service is away in between."""
    store(small, record("one"), record("two"))

    def more() -> None:
        small.record("three")

    tail(Interrupted(small.log, more, away, away, lambda: None), LogQuery(), older=1)
    out, notes = capsys.readouterr()
    assert [line.rpartition(" ")[2] for line in out.splitlines()] == ["two", "three"]
    assert [note.partition(":")[0] for note in notes.splitlines()] == [
        "-- the log service does not answer",
        "-- the log service answers again; nothing was missed",
    ]


def test_tail_can_begin_in_the_past(
    small: SmallInstallation, capsys: pytest.CaptureFixture[str]
) -> None:
    """All from then on, and what matches only."""
    store(small, *(record(str(at), second=at) for at in range(20)))
    tail(Interrupted(small.log), LogQuery(since=NIGHT + timedelta(seconds=15), text="1"))
    texts = [line.rpartition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert texts == ["15", "16", "17", "18", "19"]


def test_tail_begins_anew_with_a_new_store(
    small: SmallInstallation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whose numbers begin at 1 again."""
    from objects.messaging.log_service import LogServiceServant
    from objects.messaging.log_store import SqliteLogStore

    store(small, record("one"), record("two"))
    new = SqliteLogStore(tmp_path / "new.sqlite")
    service = Interrupted(small.log)

    def exchange() -> None:
        service._service = LogServiceServant(new)
        small.log = LogServiceServant(new)
        store(small, record("fresh"))
        away()

    service._happenings = iter([exchange, lambda: None, lambda: None])
    tail(service, LogQuery())
    new.close()
    out, notes = capsys.readouterr()
    assert [line.rpartition(" ")[2] for line in out.splitlines()] == ["one", "two", "fresh"]
    assert "new store" in notes


def test_ctrl_c_ends_a_tail_in_good_order(
    small: SmallInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the way to end it: exit code 0."""

    def interrupt(self: Tail, older: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Tail, "run", interrupt)
    assert ok("log", "tail") == ""
