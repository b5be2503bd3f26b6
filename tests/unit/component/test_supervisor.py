"""What a supervisor makes of processes that die, with real processes and a clock of the test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from idl_like_interfaces.alarms import AlarmReport
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.supervision import PartState
from objects.component.crash_loop import CRASH_LOOP
from objects.component.crew import STOP_DEADLINE_S
from objects.component.installation import Installation
from objects.component.parts import Part
from objects.component.presence import Presence
from objects.component.restarts import WINDOW_S
from objects.component.supervisor import Supervisor
from tests.support.clock import ManualClock

pytestmark = pytest.mark.timeout(120)

_WORKS = "print('ready part', flush=True); import threading; threading.Event().wait()"
_STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + _WORKS
_REFUSES = "print('refused the disk is full', flush=True); raise SystemExit(3)"


class Remembered:
    """Remembers alarms in place of the service."""

    def __init__(self) -> None:
        self.raised: list[AlarmReport] = []
        self.cleared: list[tuple[str, str]] = []

    def raise_alarm(self, report: AlarmReport) -> None:
        self.raised.append(report)

    def clear_alarm(self, object: str, text: str) -> None:
        self.cleared.append((object, text))

    def close(self) -> None:
        pass


class Supervised:
    """A supervisor of one part."""

    def __init__(self, folder: Path) -> None:
        file = folder / "installation.toml"
        file.write_text('[installation]\nname = "tested"\n[name_server]\nstart = false\n')
        self.clock = ManualClock()
        self.said: list[str] = []
        self.alarms = Remembered()
        self.supervisor = Supervisor(Installation(file), self.said.append, self.clock)
        self.supervisor._presence = cast("Presence", self.alarms)

    def start(self, program: str = _WORKS) -> Part:
        command = [sys.executable, "-I", "-S", "-c", program]
        part = self.supervisor._crew.add("part", "idle", command)
        self.step_until(lambda: part.state is PartState.RUNNING or bool(part.refusal))
        return part

    def step_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.supervisor._step(30.0)

    def kill(self, part: Part) -> None:
        """Kill the process, as a crash would, and wait until that was noticed."""
        assert part.process is not None
        part.process.kill()
        self.step_until(lambda: part.state is PartState.WAITING)

    def let_restart(self, part: Part) -> None:
        """Let the time of the delay pass."""
        self.clock.advance(part.status().restart_in_s)
        self.step_until(lambda: part.state is PartState.RUNNING)


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    supervised = Supervised(tmp_path)
    yield supervised
    supervised.supervisor._stop_all()


def test_what_dies_is_started_again_after_a_while(supervised: Supervised) -> None:
    """Its status says how it died and when it comes back."""
    part = supervised.start()
    first = part.pid
    supervised.kill(part)
    (waiting,) = supervised.supervisor.status().parts
    assert (waiting.state, waiting.pid, waiting.deaths) == (PartState.WAITING, 0, 1)
    assert (waiting.last_death, waiting.restart_in_s) == ("signal SIGKILL", 0.5)
    supervised.let_restart(part)
    (running,) = supervised.supervisor.status().parts
    assert (running.state, running.deaths, running.restart_in_s) == (PartState.RUNNING, 1, 0.0)
    assert running.pid not in (0, first)


def test_a_crash_loop_raises_an_alarm_until_it_has_run_for_a_minute(
    supervised: Supervised,
) -> None:
    """With cause and remedy; the fifth death within a minute does, the fourth does not."""
    part = supervised.start()
    for _ in range(4):
        supervised.kill(part)
        supervised.let_restart(part)
    assert supervised.alarms.raised == []
    supervised.kill(part)
    (report,) = supervised.alarms.raised
    assert (report.object, report.name) == ("obs/part", CRASH_LOOP)
    assert "5 times" in report.text
    assert report.cause
    assert "obsorb log query --component part" in report.remedy
    assert "part" in supervised.supervisor._problem()
    supervised.let_restart(part)
    supervised.clock.advance(WINDOW_S - 1)
    supervised.supervisor._step(0.0)
    assert supervised.alarms.cleared == []
    supervised.clock.advance(1)
    supervised.supervisor._step(0.0)
    assert [object for object, _ in supervised.alarms.cleared] == ["obs/part"]
    assert (part.is_alarming, supervised.supervisor._problem()) == (False, "")


def test_a_death_begins_the_minute_anew(supervised: Supervised) -> None:
    """Also one that would not be alarming by itself; the alarm says so again."""
    part = supervised.start()
    for _ in range(4):
        supervised.kill(part)
        supervised.let_restart(part)
    supervised.kill(part)
    supervised.let_restart(part)
    supervised.clock.advance(WINDOW_S - 1)
    supervised.kill(part)
    assert len(supervised.alarms.raised) == 2
    assert "6 times within ten minutes" in supervised.alarms.raised[1].text
    supervised.let_restart(part)
    supervised.clock.advance(WINDOW_S - 1)
    supervised.supervisor._step(0.0)
    assert supervised.alarms.cleared == []


def test_a_restart_on_request_counts_as_no_death(supervised: Supervised) -> None:
    """It is ended in good order and runs again at once."""
    part = supervised.start()
    first = part.pid
    assert supervised.supervisor._crew.request_restart("part")
    supervised.step_until(lambda: part.pid not in (0, first) and part.state is PartState.RUNNING)
    (status,) = supervised.supervisor.status().parts
    assert (status.deaths, status.restart_in_s) == (0, 0.0)
    assert any("ended to be started again" in line for line in supervised.said)


def test_one_that_waits_is_restarted_at_once(supervised: Supervised) -> None:
    """The delay need not be waited for."""
    part = supervised.start()
    supervised.kill(part)
    assert supervised.supervisor._crew.request_restart("part")
    supervised.step_until(lambda: part.state is PartState.RUNNING)
    assert part.restart_at is None


def test_one_that_does_not_end_is_killed(supervised: Supervised) -> None:
    """After its time for an orderly end."""
    part = supervised.start(_STUBBORN)
    first = part.pid
    supervised.supervisor._crew.request_restart("part")
    supervised.supervisor._step(30.0)
    assert part.pid == first
    # What comes after it ends when it is told to.
    part.command = [sys.executable, "-I", "-S", "-c", _WORKS]
    supervised.clock.advance(STOP_DEADLINE_S)
    supervised.step_until(lambda: part.pid not in (0, first) and part.state is PartState.RUNNING)


def test_an_unknown_part_is_told(supervised: Supervised) -> None:
    """There is nothing to restart."""
    assert not supervised.supervisor._crew.request_restart("nobody")


def test_what_it_refuses_is_the_cause_of_the_alarm(supervised: Supervised) -> None:
    """A part that ran once and cannot start any more says itself why."""
    part = supervised.start()
    part.command = [sys.executable, "-I", "-S", "-c", _REFUSES]
    supervised.kill(part)
    while not supervised.alarms.raised:
        supervised.clock.advance(part.status().restart_in_s)
        supervised.step_until(lambda: part.state is PartState.STARTING)
        supervised.step_until(lambda: part.state is PartState.WAITING)
    assert supervised.alarms.raised[0].cause == "the disk is full"


def test_no_component_takes_the_supervisors_name(tmp_path: Path) -> None:
    """Both would be bound under it."""
    file = tmp_path / "installation.toml"
    file.write_text('[component.supervisor]\nkind = "events"\n')
    with pytest.raises(BadParam, match="taken"):
        Installation(file)
