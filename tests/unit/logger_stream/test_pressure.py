"""Streams that cannot keep up: told soon, alarmed when it lasts."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from idl_like_interfaces.alarms import AlarmReport, Severity
from idl_like_interfaces.event_logger import LoggerRun, RunState, StreamStatus
from objects.logger_stream.pressure import Pressure
from tests.support.clock import ManualClock


class Told:
    """What was raised and cleared."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.alarms: list[AlarmReport] = []
        self.over: list[str] = []
        self.pressure = Pressure(self.clock, "obs/logger/1", self.alarms.append, self.over.append)

    def look(self, blocked_s: float) -> None:
        """Look at a run with one stream, blocked for so long, and one that is not."""
        streams = [
            StreamStatus(name="all", id=1, blocked_s=blocked_s, queue_events=20_000),
            StreamStatus(name="muon", id=2),
        ]
        self.pressure.look(
            [LoggerRun(run=4, state=RunState.ACTIVE, started=self.clock.utc(), streams=streams)]
        )


@pytest.mark.parametrize("blocked_s", [0.0, 4.9])
def test_a_short_wait_is_nobodys_business(blocked_s: float, caplog: Any) -> None:
    """Back-pressure is how the speed of a disk reaches the senders."""
    told = Told()
    with caplog.at_level(logging.INFO):
        told.look(blocked_s)
    assert not caplog.records
    assert not told.alarms


def test_a_longer_one_is_warned_of_then_alarmed(caplog: Any) -> None:
    """After 5 and 30 s, once each; both are over when the stream takes all again."""
    told = Told()
    with caplog.at_level(logging.INFO):
        for blocked_s in (5.0, 12.0, 29.9):
            told.look(blocked_s)
        assert [each.levelname for each in caplog.records] == ["WARNING"]
        assert not told.alarms
        for blocked_s in (30.0, 60.0):
            told.look(blocked_s)
        (alarm,) = told.alarms
        assert alarm.severity is Severity.MAJOR
        assert (alarm.object, alarm.name) == ("obs/logger/1/4/all", "queue full")
        assert "20000 events" in alarm.text
        told.look(0.0)
    assert told.over == ["obs/logger/1/4/all"]
    assert "takes events again" in caplog.text
    told.look(31.0)
    assert len(told.alarms) == 2


def test_the_end_of_a_run_ends_its_alarm() -> None:
    """Nobody waits for it any more."""
    told = Told()
    told.look(31.0)
    told.pressure.look([])
    assert told.over == ["obs/logger/1/4/all"]
