"""What every implementation of ``LogService`` does, whatever carries it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.logs import LogBatch, LogLevel, LogQuery, LogRecord, LogService

PATIENCE_S = 30.0
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def record(second: float, text: str, level: LogLevel = LogLevel.INFO, **more: Any) -> LogRecord:
    """Return a record of the component ``ocm``, unless told otherwise."""
    values = {"component": "ocm", "logger": "daq"} | more
    return LogRecord(time=MIDNIGHT + timedelta(seconds=second), level=level, text=text, **values)


def batch(
    first: int, *records: LogRecord, incarnation: str = "i1", lost: int = 0, why: str = ""
) -> LogBatch:
    """Return a batch of the component that made the first record."""
    return LogBatch(
        component=records[0].component,
        incarnation=incarnation,
        first=first,
        records=list(records),
        lost=lost,
        why=why,
    )


def texts(service: LogService, query: LogQuery) -> list[str]:
    """Return the texts that a query finds."""
    return [found.record.text for found in service.query(query)]


class LogServiceContract:
    """Inherit it and give the fixture ``service``."""

    @pytest.fixture
    def service(self) -> Iterator[LogService]:
        """Yield an empty log service."""
        raise NotImplementedError

    def test_a_record_comes_back_as_it_was(self, service: LogService) -> None:
        """Every field survives, times to the microsecond, any alphabet."""
        original = record(
            0.123456,
            "Öffnen\nfehlgeschlagen 望遠鏡 '%_",
            traceback="Traceback …",
            owner="STIS.d1",
            count=512,
            until=MIDNIGHT + timedelta(seconds=9, microseconds=1),
        )
        assert service.append(batch(1, original)) == 1
        (found,) = service.query(LogQuery())
        assert (found.number, found.record) == (1, original)

    @pytest.mark.spec("E44")
    def test_the_history_of_all_components_is_merged_by_time(self, service: LogService) -> None:
        """Records appear in the order in which they were made, not in which they arrived."""
        service.append(batch(1, record(2, "second"), record(4, "fourth")))
        service.append(
            batch(1, record(1, "first", component="dpm"), record(3, "third", component="dpm"))
        )
        assert texts(service, LogQuery()) == ["first", "second", "third", "fourth"]

    @pytest.mark.spec("E44")
    def test_a_query_restricts_by_time_level_component_and_text(self, service: LogService) -> None:
        """Each filter leaves out what it should, alone and together."""
        service.append(
            batch(
                1,
                record(1, "Frame 1 of 8 taken", LogLevel.DEBUG, component="detector"),
                record(2, "frame 2 FAILED", LogLevel.ERROR, component="detector"),
            )
        )
        service.append(batch(1, record(3, "acquisition failed", LogLevel.ERROR)))
        service.append(batch(2, record(4, "Now Idle", LogLevel.STATE)))

        def found(**filters: object) -> list[int]:
            query = LogQuery(**filters)  # type: ignore[arg-type]
            return [int((each.record.time - MIDNIGHT).seconds) for each in service.query(query)]

        assert found(since=MIDNIGHT + timedelta(seconds=2)) == [2, 3, 4]
        assert found(until=MIDNIGHT + timedelta(seconds=2)) == [1]
        assert found(level=LogLevel.STATE) == [2, 3, 4]
        assert found(level=LogLevel.ERROR) == [2, 3]
        assert found(components=["det*"]) == [1, 2]
        assert found(components=["oc?", "none"]) == [3, 4]
        assert found(components=["none"]) == []
        assert found(text="fail") == [2, 3]
        assert found(text="FAILED", components=["ocm"], level=LogLevel.ERROR) == [3]

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("100%", ["100% done"]),
            ("a_b", ["a_b"]),
            ("GRÖSSE", ["Größe"]),
            ("OSSE", []),
            ("SSE", ["Größe"]),
            ("\\", ["back\\slash"]),
            ("SLASH", ["back\\slash"]),
        ],
    )
    def test_the_text_of_a_query_is_no_pattern(
        self, service: LogService, text: str, wanted: list[str]
    ) -> None:
        """Per cent, underscore and backslash mean themselves; case does not matter."""
        stored = ["100% done", "100 done", "a_b", "axb", "Größe", "back\\slash"]
        service.append(batch(1, *(record(at, each) for at, each in enumerate(stored))))
        assert texts(service, LogQuery(text=text)) == wanted

    def test_the_limit_takes_the_newest_or_the_oldest(self, service: LogService) -> None:
        """Both ends can be asked for; the order stays that of time."""
        service.append(batch(1, *(record(at, str(at)) for at in range(6))))
        assert texts(service, LogQuery(limit=2)) == ["4", "5"]
        assert texts(service, LogQuery(limit=2, newest=False)) == ["0", "1"]
        assert texts(service, LogQuery(after=3, limit=2, newest=False)) == ["3", "4"]

    @pytest.mark.parametrize("limit", [0, -1, 10_001])
    def test_a_limit_out_of_range_is_refused(self, service: LogService, limit: int) -> None:
        """The refusal names the field."""
        with pytest.raises(BadParam) as refusal:
            service.query(LogQuery(limit=limit))
        assert refusal.value.field == "query.limit"
        with pytest.raises(BadParam):
            service.follow(LogQuery(limit=limit), 0.0)

    def test_records_that_came_before_are_skipped(self, service: LogService) -> None:
        """A repeated batch and one that overlaps add only what is new."""
        assert service.append(batch(1, record(1, "a"), record(2, "b"))) == 2
        assert service.append(batch(1, record(1, "a"), record(2, "b"))) == 0
        assert service.append(batch(2, record(2, "b"), record(3, "c"))) == 1
        assert service.append(batch(1, record(4, "d"), incarnation="i2")) == 1
        assert texts(service, LogQuery()) == ["a", "b", "c", "d"]

    def test_what_components_lost_is_added_up_once(self, service: LogService) -> None:
        """A repeated batch does not count its loss again."""
        service.append(batch(1, record(1, "a")))
        for _ in range(2):
            service.append(batch(12, record(2, "b"), lost=10))
        service.append(batch(6, record(3, "c", component="dpm"), lost=5))
        assert service.get_stats().lost == 15

    @pytest.mark.parametrize("wrong", [{"first": 0}, {"first": 1, "lost": -1}])
    def test_a_batch_with_wrong_numbers_is_refused(
        self, service: LogService, wrong: dict[str, int]
    ) -> None:
        """Nothing of it is stored."""
        with pytest.raises(BadParam):
            service.append(batch(wrong["first"], record(1, "a"), lost=wrong.get("lost", 0)))
        assert service.get_stats().records == 0

    def test_the_statistics_tell_what_is_stored(self, service: LogService) -> None:
        """Records in all, for each level and for each component."""
        assert service.get_stats().last == 0
        service.append(batch(1, record(1, "a"), record(2, "b", LogLevel.ERROR)))
        service.append(batch(1, record(3, "c", component="dpm")))
        stats = service.get_stats()
        assert (stats.records, stats.last, stats.lost) == (3, 3, 0)
        assert (stats.removed, stats.problem) == (0, "")
        assert stats.bytes > 0
        assert stats.oldest == MIDNIGHT + timedelta(seconds=1)
        assert stats.by_level == {"ERROR": 1, "INFO": 2}
        assert stats.by_component == {"dpm": 1, "ocm": 2}

    def test_a_loss_is_told_in_a_record_of_the_service(self, service: LogService) -> None:
        """How many, of whom, which numbers and why; where it belongs in the history."""
        service.append(batch(1, record(1, "a")))
        service.append(batch(12, record(2, "b"), lost=10, why="the sender's spool was full"))
        before, told, after = service.query(LogQuery())
        assert (before.record.text, after.record.text) == ("a", "b")
        assert (told.record.level, told.record.logger) == (LogLevel.WARNING, "log.losses")
        for said in ("10 log records of ocm", "2 to 11", "i1", "the sender's spool was full"):
            assert said in told.record.text
        assert told.record.time == after.record.time

    def test_numbers_that_never_came_are_a_loss(self, service: LogService) -> None:
        """Also when the sender does not speak of it; one that is new is believed."""
        service.append(batch(100, record(1, "of a sender whose beginning nobody knows")))
        assert service.get_stats().lost == 0
        service.append(batch(104, record(2, "b")))
        assert service.get_stats().lost == 3
        (told,) = service.query(LogQuery(loggers=["log.losses"]))
        assert "101 to 103" in told.record.text
        assert "never came" in told.record.text

    def test_folded_records_count_for_those_they_stand_for(self, service: LogService) -> None:
        """In the statistics; in lists they are one."""
        until = MIDNIGHT + timedelta(seconds=4)
        service.append(batch(1, record(1, "x", count=512, until=until), record(2, "y")))
        stats = service.get_stats()
        assert (stats.records, stats.folded) == (2, 511)

    def test_a_query_restricts_by_owner_and_logger(self, service: LogService) -> None:
        """By globs or whole names; who has no owner is never meant."""
        service.append(
            batch(
                1,
                record(1, "1", owner="run-17", logger="daq.ocm.manager"),
                record(2, "2", owner="run-18", logger="daq.ocm"),
                record(3, "3", logger="daq.dpm"),
            )
        )
        assert texts(service, LogQuery(owner="run-17")) == ["1"]
        assert texts(service, LogQuery(owner="run-*")) == ["1", "2"]
        assert texts(service, LogQuery(owner="*")) == ["1", "2"]
        assert texts(service, LogQuery(owner="run")) == []
        assert texts(service, LogQuery(loggers=["daq.ocm*"])) == ["1", "2"]
        assert texts(service, LogQuery(loggers=["daq.ocm", "daq.dp?"])) == ["2", "3"]
        assert texts(service, LogQuery(loggers=["daq.ocm*"], owner="*8")) == ["2"]

    @pytest.mark.spec("E44")
    def test_all_records_can_be_read_page_by_page(self, service: LogService) -> None:
        """In order of time, none twice and none left out, also when many have the same time."""
        made = [record(at // 7, str(at)) for at in range(40)]
        service.append(batch(1, *made[20:]))
        service.append(batch(1, *made[:20], incarnation="i2"))
        query, found = LogQuery(limit=6, newest=False), list[str]()
        while page := service.query(query):
            found += [each.record.text for each in page]
            last = page[-1]
            query = structs.replace(query, since=last.record.time, beyond=last.number)
        assert sorted(found, key=int) == [str(at) for at in range(40)]
        assert [int(each) // 7 for each in found] == [at // 7 for at in range(40)]

    def test_odd_clocks_do_not_hurt(self, service: LogService) -> None:
        """Records of the past and of the future are stored; their numbers are in order of arrival."""
        service.append(batch(1, record(0, "now"), record(3e9, "future"), record(-3e9, "past")))
        service.append(batch(4, record(1, "then")))
        assert texts(service, LogQuery()) == ["past", "now", "then", "future"]
        followed = service.follow(LogQuery(newest=False), 0.0)
        assert [each.record.text for each in followed] == ["now", "future", "past", "then"]
        assert service.get_stats().oldest == MIDNIGHT - timedelta(seconds=3e9)

    def test_follow_waits_for_a_matching_record(self, service: LogService) -> None:
        """What does not match does not end the wait."""
        service.append(batch(1, record(1, "old", LogLevel.ERROR)))
        query = LogQuery(after=1, level=LogLevel.ERROR)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(service.follow, query, PATIENCE_S)
            service.append(batch(2, record(2, "too low", LogLevel.DEBUG)))
            service.append(batch(3, record(3, "news", LogLevel.ERROR)))
            found = waiting.result(PATIENCE_S)
        assert [(each.number, each.record.text) for each in found] == [(3, "news")]

    def test_follow_is_sorted_by_number(self, service: LogService) -> None:
        """Followers get records in order of arrival, so that ``after`` leads on."""
        service.append(batch(1, record(9, "made late")))
        service.append(batch(1, record(1, "arrived late", component="dpm")))
        found = service.follow(LogQuery(), 0.0)
        assert [each.record.text for each in found] == ["made late", "arrived late"]

    def test_follow_without_news_is_empty(self, service: LogService) -> None:
        """It ends when its time is over."""
        assert service.follow(LogQuery(), 0.0) == []

    @pytest.mark.parametrize("time", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
    def test_a_time_that_nobody_could_read_back_is_refused(
        self, service: LogService, time: str
    ) -> None:
        """It would make every later query fail; nothing of the batch is stored."""
        odd = structs.replace(record(1, "odd"), time=datetime.fromisoformat(time))
        with pytest.raises(BadParam) as caught:
            service.append(batch(1, record(1, "well"), odd))
        assert caught.value.field == "batch.records[1].time"
        assert service.query(LogQuery()) == []

    def test_numbers_that_no_store_holds_are_refused(self, service: LogService) -> None:
        """Of a batch, of what was lost, and of the record behind which one asks."""
        with pytest.raises(BadParam, match="too large"):
            service.append(batch(2**62, record(1, "a")))
        with pytest.raises(BadParam, match="too large"):
            service.append(batch(1, record(1, "a"), lost=2**62))
        with pytest.raises(BadParam, match=r"count is .*too large"):
            service.append(batch(1, record(1, "a", count=2**62)))
        for query in (LogQuery(after=2**62), LogQuery(beyond=2**62)):
            with pytest.raises(BadParam, match="no record has such a number"):
                service.query(query)
