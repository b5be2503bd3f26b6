"""The log handler of a component."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.clients.logs import LONGEST_TEXT, LogForwarder, level_of, wire_text
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.logs import LEVEL_NUMBERS, LogBatch, LogLevel, LogQuery, LogService
from objects.messaging.log_service import LogServiceServant
from objects.messaging.log_store import SqliteLogStore
from tests.support.peers import PATIENCE_S


class AbsentService(LogServiceServant):
    """Lets nothing through until it is told to; then forwards."""

    def __init__(self, service: LogService) -> None:
        self.service = service
        self.is_there = False
        self.batches: list[LogBatch] = []

    @override
    def append(self, batch: LogBatch) -> int:
        logging.getLogger("idl_like_interfaces.mapping.calling.stub").warning("calling")
        logging.getLogger("some.library.below").warning("calling, too")
        if not self.is_there:
            raise Transient("nobody is there")
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
    logger: logging.Logger, service: LogService, spool_records: int = 10_000
) -> LogForwarder:
    """Let a logger's records go to a service."""
    forwarder = LogForwarder(service, "ocm", "i1", spool_records=spool_records)
    logger.addHandler(forwarder)
    return forwarder


def texts(service: LogService) -> list[str]:
    """Return what the service has."""
    return [each.record.text for each in service.query(LogQuery())]


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
    assert stats.records + stats.lost == 1000
    assert texts(service)[-1] == "record 999"


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
