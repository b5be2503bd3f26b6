"""Periodic work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

import apscheduler.schedulers.base
import pytest
from apscheduler.schedulers.base import STATE_STOPPED
from typing_extensions import override

from objects.component.timetable import Timetable
from tests.support.eventually import eventually


@pytest.fixture
def timetable() -> Iterator[Timetable]:
    timetable = Timetable()
    yield timetable
    timetable.close()


def test_a_job_runs_again_and_again(timetable: Timetable) -> None:
    """It runs more than once."""
    runs = threading.Semaphore(0)
    timetable.every(0.02, runs.release)
    assert all(runs.acquire(timeout=20) for _ in range(3))


def test_a_failing_job_goes_on(timetable: Timetable, caplog: pytest.LogCaptureFixture) -> None:
    """A failure is logged with its traceback and does not end the job."""
    runs = threading.Semaphore(0)

    def fail() -> None:
        runs.release()
        raise ZeroDivisionError

    timetable.every(0.02, fail)
    assert all(runs.acquire(timeout=20) for _ in range(2))
    assert "ZeroDivisionError" in caplog.text


def test_an_ended_job_does_not_run(timetable: Timetable) -> None:
    """Ending is final and may be repeated."""
    ran = threading.Event()
    end = timetable.every(3600, ran.set)
    end()
    end()
    assert not ran.is_set()


@pytest.mark.parametrize("days", [-1, 20_000], ids=["back", "forward"])
def test_a_clock_that_is_set_stops_nothing(
    timetable: Timetable, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """Jobs go on at their pace when the host's clock is set by a day back or decades forward."""

    class Set(datetime):
        @classmethod
        @override
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(days=days)

    runs = threading.Semaphore(0)
    timetable.every(0.05, runs.release)
    assert runs.acquire(timeout=20)
    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Set)
    assert all(runs.acquire(timeout=20) for _ in range(4))


@pytest.mark.parametrize("changes", ["ends itself", "begins another one"])
def test_a_job_that_runs_at_the_end_may_change_the_table(changes: str) -> None:
    """The end waits for the job, and the job not for the end."""
    timetable = Timetable()
    runs, goes_on = threading.Event(), threading.Event()

    def change() -> None:
        runs.set()
        goes_on.wait(30)
        if changes == "ends itself":
            end()
        else:
            timetable.every(3600, runs.set)

    end = timetable.every(0.02, change)
    assert runs.wait(30)
    closing = threading.Thread(target=timetable.close, daemon=True)
    closing.start()
    eventually(lambda: timetable._scheduler.state == STATE_STOPPED, "the end has begun")
    goes_on.set()
    closing.join(30)
    assert not closing.is_alive()
