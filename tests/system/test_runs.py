"""A run over two loggers and an acquisition in a whole installation, driven from the command line."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.alarms import (
    AlarmBatch,
    AlarmReport,
    AlarmService,
    Change,
    HistoryQuery,
    Severity,
)
from idl_like_interfaces.clients.event_sender import EventSender
from idl_like_interfaces.event_logger import LoggerControl, RunState
from idl_like_interfaces.event_server import EventServer
from idl_like_interfaces.run_control import Phase, Run, RunControl, Verdict, WriterPhase
from idl_like_interfaces.supervision import Supervisor
from nameserver.client import Names
from tests.support.eventually import eventually
from tests.support.installation import OBSORB, TEMPLATE, running_installation

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

MORE = """
[component.run]
kind = "run_control"

[component.logger0]
kind = "logger"

[component.logger1]
kind = "logger"
"""

NIGHT = """
startTimeoutS = 30.0
endTimeoutS = 60.0

[[writers]]
name = "first"
kind = "logger"
reference = "obs/logger/0/control"
configuration = {streams = [{name = "physics", id = 1}]}

[[writers]]
name = "second"
kind = "logger"
reference = "obs/logger/1/control"
configuration = {streams = [{name = "calibration", id = 2}]}

[[writers]]
name = "camera"
kind = "acquisition"
reference = "obs/ocm/daq"
after = ["first", "second"]

[writers.configuration]
sources = [{type = "primarySource", sourceName = "dcs1", rrUri = "obs/sources/dcs1/rec"}]
"""


class Night:
    """The installation as an operator sees it."""

    def __init__(self, folder: Path, address: str, names: Names) -> None:
        self.folder = folder
        self.names = names
        self.service = names.narrow("obs/run", RunControl)
        self._environment = os.environ | {
            "OBSORB_NAMES": address,
            "OBSORB_RUN_TOKEN": str(folder / "token.json"),
            "OBSORB_OPERATOR": "anna",
        }

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Give a command."""
        done = subprocess.run(
            [str(OBSORB), "run", *arguments],
            capture_output=True,
            text=True,
            env=self._environment,
            cwd=self.folder,
            timeout=200,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def json(self, *arguments: str) -> Any:
        """Give a command and read its JSON."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def send(self, sender: EventSender, run: int, stream: int, first: int, count: int) -> None:
        """Send events, and wait until they are durable."""
        for event in range(first, first + count):
            sender.send(run, event, 1 + event // 50, [stream], bytes(500))
        assert sender.wait_durable(timeout_s=60.0)

    def sender(self, number: int) -> EventSender:
        """Return a sender to a logger."""
        server = self.names.narrow(f"obs/logger/{number}/events", EventServer)
        return EventSender(server, f"cr{number}")

    def kill(self, component: str) -> None:
        """Kill a component as a crash does; the supervisor starts it again."""
        parts = self.names.narrow("obs/supervisor", Supervisor).get_status().parts
        os.kill(next(each.pid for each in parts if each.name == component), 9)

    def until(self, run: int, phase: Phase) -> Run:
        """Wait until a run is in a phase."""
        eventually(lambda: self.service.get_run(run).phase is phase, f"run {run} is {phase}")
        return self.service.get_run(run)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """Run an installation with two loggers, an acquisition and run control."""
    folder = tmp_path_factory.mktemp("night")
    (folder / "night.toml").write_text(NIGHT)
    with running_installation(folder, TEMPLATE + MORE) as address:
        host, _, port = address.rpartition(":")
        with Names((host, int(port))) as names:
            made = Night(folder, address, names)
            made.run("configure", "@night.toml")
            yield made


@pytest.mark.spec("D38", "D43", "D47", "D51", "D60", "D62", "D63", "D65")
def test_a_run_over_loggers_and_an_acquisition(night: Night) -> None:  # noqa: PLR0915 (a whole night)
    """A logger and run control die in it: it goes on, all is there once, and it is GOOD."""
    begun = night.run("start", "--comment", "first light", "--type", "test", "--shifter", "Anna")
    assert "camera           active" in begun.stderr
    run = night.service.get_status().last_run
    with night.sender(0) as one, night.sender(1) as two:
        night.send(one, run, 1, 1, 200)
        night.send(two, run, 2, 1, 100)
        night.kill("logger0")
        night.kill("run")
        night.send(one, run, 1, 201, 200)
        night.send(two, run, 2, 101, 100)
    states = {WriterPhase.ACTIVE}
    eventually(
        lambda: {each.phase for each in night.service.get_run(run).writers} == states,
        "all writers are active again",
    )
    assert night.service.get_run(run).phase is Phase.ACTIVE
    ended = night.json("end", "--quality", "Good", "--comment", "clouds")
    assert (ended["phase"], ended["verdict"], ended["missing"]) == ("Ended", "GOOD", [])
    assert ended["events"] == 600
    files = [file for each in ended["writers"] for file in each["files"]]
    assert {each["stream"] for each in files} == {"physics", "calibration", "product"}
    for each in files:
        content = Path(each["path"]).read_bytes()
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == each["digest"]
    first, last = night.json("logbook", "--limit", "2")
    assert (first["moment"], last["moment"], last["verdict"]) == ("begin", "end", "GOOD")
    assert first["begin"]["shifter"] == "Anna"
    assert first["project"]["version"] == "1"
    page = Path(ended["report"]).read_text()
    assert page.count("<svg") == 6
    assert "first light" in page
    alarms = night.names.narrow("obs/alarms", AlarmService)
    notes = [
        each.text for each in alarms.history(HistoryQuery(changes=[Change.NOTED], newest=True))
    ]
    assert any(f"run {run} is Ended, GOOD" in each for each in notes)


@pytest.mark.spec("D55", "D56")
def test_an_alarm_pauses_the_run(night: Night) -> None:
    """One that is declared so; resuming is refused until somebody has acknowledged it."""
    night.run("start", "--comment", "alarm")
    run = night.service.get_status().last_run
    alarms = night.names.narrow("obs/alarms", AlarmService)
    report = AlarmReport(
        object="crate 7",
        name="hot",
        severity=Severity.MAJOR,
        text="61 °C",
        cause="a fan stands still",
        remedy="cool it",
        time=datetime.now(UTC),
        pauses_run=True,
    )
    alarms.report(AlarmBatch(source="obs/crate", incarnation="1", first=1, reports=[report]))
    paused = night.until(run, Phase.PAUSED)
    assert "crate 7: hot" in paused.pause_reason
    logger = night.names.narrow("obs/logger/0/control", LoggerControl)
    eventually(
        lambda: any(
            each.run == run and each.state is RunState.PAUSED for each in logger.get_status().runs
        ),
        "the logger pauses",
    )
    refused = night.run("resume", code=1)
    assert "still holds" in refused.stderr
    assert "acknowledge" in refused.stderr
    (alarm,) = [each for each in alarms.get_alarms() if each.report.name == "hot"]
    alarms.acknowledge([alarm.alarm_id], "anna")
    eventually(lambda: not night.service.get_status().pause_conditions, "the condition is over")
    night.run("resume")
    assert night.service.get_run(run).phase is Phase.ACTIVE
    ended = night.json("end", str(run), "--quality", "Useless")
    assert ended["verdict"] == Verdict.GOOD


@pytest.mark.spec("D42")
def test_control_and_an_abort_at_the_command_line(night: Night) -> None:
    """Who has taken control keeps it; others are told who has it, and may take it by force."""
    assert "anna" in night.run("take", "--for", "600").stdout
    token = night.folder / "token.json"
    assert token.stat().st_mode & 0o777 == 0o600
    night.run("start", "--comment", "to abort")
    hidden = token.rename(night.folder / "hidden.json")
    refused = night.run("pause", code=1)
    assert "anna has control" in refused.stderr
    assert "--force" in refused.stderr
    aborted = night.json("abort", "--reason", "beam lost", "--force", "--by", "bert")
    assert (aborted["phase"], aborted["verdict"]) == ("Aborted", "flagged")
    assert aborted["missing"][0] == "the run was aborted: beam lost"
    hidden.rename(token)
    taken = night.run("configure", "@night.toml")
    assert "has ended" in taken.stderr
    assert not token.exists()


def test_what_is_wrong_is_said_before_anything_starts(night: Night) -> None:
    """The path of the field; the logger that is away; the run that there is not."""
    before = night.service.get_status().last_run
    (night.folder / "circle.toml").write_text(
        NIGHT.replace('name = "first"', 'name = "first"\nafter = ["camera"]')
    )
    circle = night.run("configure", "@circle.toml", code=1)
    assert "first after camera after first" in circle.stderr
    (night.folder / "away.toml").write_text(NIGHT.replace("logger/1", "logger/9"))
    away = night.run("configure", "@away.toml", code=1)
    assert "second: " in away.stderr
    assert "obs/logger/9/control" in away.stderr
    (night.folder / "wrong.toml").write_text(NIGHT.replace("endTimeoutS", "endTimeout"))
    assert "configuration.endTimeout" in night.run("configure", "@wrong.toml", code=1).stderr
    assert "there is no run 4711" in night.run("show", "4711", code=1).stderr
    assert "no run is active" in night.run("end", code=1).stderr
    assert night.service.get_status().last_run == before
