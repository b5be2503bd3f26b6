"""The log handler of a component."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.clients.folding import Folding
from idl_like_interfaces.clients.logs import LONGEST_TEXT, LogForwarder, level_of, wire_text
from idl_like_interfaces.clients.owner import log_owner
from idl_like_interfaces.errors import BadParam, Transient
from idl_like_interfaces.logs import LEVEL_NUMBERS, LogBatch, LogLevel, LogQuery, LogService
from objects.messaging.log_service import LogServiceServant
from objects.messaging.log_store import SqliteLogStore
from tests.support.peers import PATIENCE_S

UNFOLDED = Folding(beyond=0)


class AbsentService(LogServiceServant):
    """Lets nothing through until it is told to; then forwards."""

    def __init__(self, service: LogService) -> None:
        self.service = service
        self.is_there = False
        self.refuses = False
        self.attempts = threading.Semaphore(0)
        self.batches: list[LogBatch] = []

    @override
    def append(self, batch: LogBatch) -> int:
        self.attempts.release()
        logging.getLogger("idl_like_interfaces.mapping.calling.stub").warning("calling")
        logging.getLogger("some.library.below").warning("calling, too")
        if not self.is_there:
            raise Transient("nobody is there")
        if self.refuses:
            raise BadParam("not today", field="batch", remedy="come back tomorrow")
        self.batches.append(batch)
        return self.service.append(batch)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LogServiceServant]:
    """Yield a log service."""
    store = SqliteLogStore(tmp_path / "log.sqlite")
    yield LogServiceServant(store)
    store.close()


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Yield a logger at the lowest level, whose handlers are gone after the test."""
    logger = logging.getLogger("daq.ocm.tested")
    logger.setLevel(1)
    logger.propagate = False
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def forward(
    logger: logging.Logger,
    service: LogService,
    spool_records: int = 10_000,
    folding: Folding = UNFOLDED,
) -> LogForwarder:
    """Let a logger's records go to a service."""
    forwarder = LogForwarder(service, "ocm", "i1", spool_records=spool_records, folding=folding)
    logger.addHandler(forwarder)
    return forwarder


def dropped(forwarder: LogForwarder) -> dict[str, int]:
    """Return for each reason how many records did not get through."""
    counts: dict[str, int] = {}
    for drop in forwarder.account().drops:
        counts[drop.reason] = counts.get(drop.reason, 0) + drop.count
    return counts


def texts(service: LogService) -> list[str]:
    """Return what the service has of the component."""
    return [each.record.text for each in service.query(LogQuery(components=["ocm"]))]


def test_records_reach_the_service(logger: logging.Logger, service: LogServiceServant) -> None:
    """With component, logger, level, the finished text and the traceback."""
    forwarder = forward(logger, service)
    try:
        int("missing")
    except ValueError:
        logger.exception("cannot open %s", "shutter")
    assert forwarder.drain(PATIENCE_S)
    (found,) = service.query(LogQuery())
    record = found.record
    assert (record.component, record.logger) == ("ocm", "daq.ocm.tested")
    assert (record.level, record.text) == (LogLevel.ERROR, "cannot open shutter")
    assert "ValueError: invalid literal" in record.traceback


def test_every_declared_level_has_its_name_in_logging(
    logger: logging.Logger, service: LogServiceServant
) -> None:
    """ESO's levels can be used as numbers and are printed by their names."""
    forwarder = forward(logger, service)
    for level, number in LEVEL_NUMBERS.items():
        assert logging.getLevelName(number) == level.value
        logger.log(number, "at %s", level)
    assert forwarder.drain(PATIENCE_S)
    assert service.get_stats().by_level == {level.value: 1 for level in LogLevel}


@pytest.mark.parametrize(
    ("number", "level"),
    [(60, "CRITICAL"), (45, "ERROR"), (26, "EVENT"), (22, "INFO"), (7, "TRACE"), (1, "TRACE")],
)
def test_numbers_between_levels_fall_to_the_lower_one(number: int, level: str) -> None:
    """A library's own level is never shown as more severe than it is."""
    assert level_of(number) is LogLevel(level)


def test_records_wait_for_an_absent_service(
    logger: logging.Logger, service: LogServiceServant
) -> None:
    """Nothing is lost within the bound, and sending makes no records of its own."""
    absent = AbsentService(service)
    forwarder = forward(logger, absent)
    root = logging.getLogger()
    root.addHandler(forwarder)
    try:
        for number in range(500):
            logger.info("record %d", number)
        absent.is_there = True
        assert forwarder.drain(PATIENCE_S)
    finally:
        root.removeHandler(forwarder)
    assert texts(service) == [f"record {number}" for number in range(500)]
    assert max(len(batch.records) for batch in absent.batches) <= 200


def test_a_full_spool_reports_what_it_dropped(
    logger: logging.Logger, service: LogServiceServant
) -> None:
    """The newest records are kept, and the service adds up the lost ones."""
    absent = AbsentService(service)
    forwarder = forward(logger, absent, spool_records=10)
    for number in range(1000):
        logger.info("record %d", number)
    absent.is_there = True
    assert forwarder.drain(PATIENCE_S)
    stats = service.get_stats()
    assert stats.lost == forwarder.counters.dropped > 0
    assert stats.by_component["ocm"] + stats.lost == 1000
    assert texts(service)[-1] == "record 999"
    # A batch may have been on its way in the middle of it: then there are two gaps.
    told = [each.record.text for each in service.query(LogQuery(loggers=["log.losses"]))]
    assert sum(int(text.split()[0]) for text in told) == stats.lost
    assert all("of ocm lost" in text and "spool was full" in text for text in told)
    account = forwarder.account()
    assert (account.taken, account.passed, account.in_flight) == (1000, 1000 - stats.lost, 0)
    assert dropped(forwarder) == {"spool": stats.lost}


def test_a_flood_is_folded_with_its_exact_count(
    logger: logging.Logger, service: LogServiceServant
) -> None:
    """The first ones go through, one more stands for the rest; nothing is lost."""
    forwarder = forward(logger, service, folding=Folding(beyond=10, window_s=600.0))
    for number in range(1000):
        logger.info("frame %d of 1000", number)
        if number % 100 == 0:
            logger.error("frame %d is broken", number)
    assert forwarder.drain(PATIENCE_S)
    found = service.query(LogQuery(level=LogLevel.INFO))
    infos = [each.record for each in found if each.record.level is LogLevel.INFO]
    assert [each.text for each in infos] == [f"frame {number} of 1000" for number in range(11)]
    assert [each.count for each in infos] == [1] * 10 + [990]
    assert infos[-1].until is not None
    assert infos[-1].until >= infos[-1].time
    stats = service.get_stats()
    assert (stats.by_level, stats.folded, stats.lost) == ({"INFO": 11, "ERROR": 10}, 989, 0)
    account = forwarder.account()
    assert (account.taken, account.passed) == (1010, 21)
    assert dropped(forwarder) == {"folded": 989}


def test_a_folded_record_that_is_lost_counts_for_those_it_stands_for(
    logger: logging.Logger, service: LogServiceServant
) -> None:
    """What the service has, what stands behind it and what was lost is all that was made."""
    absent = AbsentService(service)
    forwarder = forward(logger, absent, spool_records=5, folding=Folding(beyond=3, window_s=600.0))
    for round in range(50):
        for number in range(20):
            logger.info("%s %d", "abcdefghij"[round % 10], number)
        forwarder._folder.flush()
    absent.is_there = True
    assert forwarder.drain(PATIENCE_S)
    stats = service.get_stats()
    assert stats.by_component["ocm"] + stats.folded + stats.lost == 1000
    assert forwarder.account().taken == 1000
    assert dropped(forwarder) == {"spool": stats.lost, "folded": stats.folded}


def test_what_is_left_at_the_end_is_counted(
    logger: logging.Logger, service: LogServiceServant
) -> None:
    """Also what stands behind folded records, on their way or not."""
    absent = AbsentService(service)
    forwarder = forward(logger, absent, folding=Folding(beyond=3, window_s=600.0))
    for number in range(100):
        logger.info("first %d", number)
    forwarder._folder.flush()
    absent.attempts.acquire(timeout=PATIENCE_S)
    for number in range(100):
        logger.info("second %d", number)
    forwarder.close(0.0)
    account = forwarder.account()
    assert (account.taken, account.passed, account.in_flight) == (200, 0, 0)
    assert dropped(forwarder) == {"closed": 200}


def test_a_refused_batch_is_owed_to_the_next_one(
    logger: logging.Logger, service: LogServiceServant
) -> None:
    """The service learns how many were lost and why."""
    absent = AbsentService(service)
    absent.is_there = True
    absent.refuses = True
    forwarder = forward(logger, absent)
    logger.info("one")
    logger.info("two")
    assert forwarder.drain(PATIENCE_S)
    absent.refuses = False
    logger.info("three")
    assert forwarder.drain(PATIENCE_S)
    assert texts(service) == ["three"]
    assert service.get_stats().lost == 2
    (told,) = service.query(LogQuery(loggers=["log.losses"]))
    assert "refused: not today" in told.record.text
    assert dropped(forwarder) == {"refused": 2}


def test_records_belong_to_an_owner(logger: logging.Logger, service: LogServiceServant) -> None:
    """That of ``extra``, else the innermost around; other threads have their own."""
    forwarder = forward(logger, service)
    logger.info("nobody's")
    with log_owner("run-7"):
        logger.info("run's")
        with log_owner("STIS.d1"):
            logger.info("acquisition's")
        logger.info("explicit", extra={"owner": 8})
        with ThreadPoolExecutor(1) as pool:
            pool.submit(logger.info, "elsewhere").result(PATIENCE_S)
        logger.info("run's again")
    assert forwarder.drain(PATIENCE_S)
    owners = {each.record.text: each.record.owner for each in service.query(LogQuery())}
    assert owners == {
        "nobody's": "",
        "run's": "run-7",
        "acquisition's": "STIS.d1",
        "explicit": "8",
        "elsewhere": "",
        "run's again": "run-7",
    }


def test_a_record_with_wrong_arguments_does_not_stop_the_program(
    logger: logging.Logger, service: LogServiceServant, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mistake is shown where logging shows its own, and the next record goes through."""
    forwarder = forward(logger, service)
    wrong = {"name": "daq", "levelno": 20, "msg": "%d frames", "args": ("eight",)}
    forwarder.handle(logging.makeLogRecord(wrong))
    logger.info("next")
    assert forwarder.drain(PATIENCE_S)
    assert texts(service) == ["next"]
    assert "Logging error" in capsys.readouterr().err


def test_closing_drains(logger: logging.Logger, service: LogServiceServant) -> None:
    """What was logged just before the end is stored; what comes later is not sent."""
    forwarder = forward(logger, service)
    logger.info("last words")
    forwarder.close(PATIENCE_S)
    logger.info("too late")
    forwarder.close()
    assert texts(service) == ["last words"]


def test_texts_are_made_fit_to_travel() -> None:
    """Lone surrogates (odd file names) and endless texts would block all that follow."""
    assert wire_text("odd \udcff name", 100) == "odd ? name"
    shortened = wire_text("x" * (LONGEST_TEXT + 5), LONGEST_TEXT)
    assert shortened.endswith("(5 more characters)")
