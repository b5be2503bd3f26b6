"""The simulated collector/router and real loggers: what one has sent the others have written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.event_logger import (
    LoggerConfiguration,
    LoggerControl,
    LoggerInit,
    LoggerRunStart,
    RunState,
    StreamConfiguration,
    StreamParameters,
)
from nameserver.client import Names, parse_addresses
from objects.logger_stream.files.reader import EventFile
from objects.logger_stream.router import STRAY, UNKNOWN_STREAM
from objects.logger_stream.tally import Tally
from tests.support.installation import OBSORB, start

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

INSTALLATION = """
[installation]
name = "tested"
data_root = "data"

[name_server]
address = "localhost:0"

[component.events]
kind = "events"

[component.logger1]
kind = "logger"

[component.logger2]
kind = "logger"
"""

DEADLINE_S = 120.0


class Place:
    """An installation with two loggers.

    Attributes:
        address: Of its name server.
        data: Its files.
    """

    def __init__(self, address: str, data: Path, names: Names) -> None:
        self.address = address
        self.data = data
        self._names = names

    def logger(self, number: int) -> LoggerControl:
        """Return a stub of a logger."""
        return self._names.narrow(f"obs/logger/{number}/control", LoggerControl, DEADLINE_S)

    def begin(self, number: int, run: int, *ids: int) -> LoggerControl:
        """Begin a run with streams of these ids."""
        logger = self.logger(number)
        logger.init(LoggerInit())
        streams = [StreamConfiguration(name=f"s{each}", id=each) for each in ids]
        defaults = StreamParameters(sync_period_s=0.2)
        logger.configure(LoggerConfiguration(streams=streams, defaults=defaults))
        logger.start_run(LoggerRunStart(run=run))
        return logger

    def sim(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run the simulator."""
        command = [str(OBSORB), "sim", "router", "cr1", "--names", self.address]
        return subprocess.run(
            [*command, *map(str, arguments)],
            capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip

    def written(self, run: int) -> Tally:
        """Count what is in the files of a run, by the name of their stream."""
        found = Tally()
        for path in sorted(self.data.glob(f"logger*/runs/{run:09}/*.raw")):
            with EventFile(path) as file:
                assert file.problems == []
                for event in file:
                    head = event.header
                    names = [file.header.stream.name.removeprefix("s")]
                    found.add(head.run, head.event, head.lbn, event.payload, names)
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Run the installation."""
    folder = tmp_path_factory.mktemp("router")
    (folder / "installation.toml").write_text(INSTALLATION)
    running = start(str(OBSORB), "up", "installation.toml", cwd=folder)
    try:
        address = running.await_line("name server: ")
        running.await_line("tested is up")
        with Names(parse_addresses(address)) as names:
            yield Place(address, folder / "data", names)
    finally:
        running.end()


def known(sent: Tally, run: int) -> Tally:
    """Return what of a count has a run and a stream that somebody has configured."""
    found = Tally()
    for (of, stream, lbn), count in sent.counts.items():
        if of == run:
            name = "unassigned" if stream == str(UNKNOWN_STREAM) else stream
            found.counts[of, name, lbn] = count
    return found


@pytest.mark.spec("D21", "D28", "D32")
def test_what_is_sent_is_written_whatever_else_is_sent(place: Place, tmp_path: Path) -> None:
    """With damaged and foreign messages, strays and unknown streams between; counted by both."""
    logger = place.begin(1, 1, 1, 2)
    report = tmp_path / "sent.json"
    done = place.sim(
        "--run", 1, "--count", 4000, "--size", "exp:500", "--streams", "1:0.6,2:0.3,1+2:0.1",
        "--lbn-every", 500, "--damage", 0.01, "--other", 0.01, "--wrong-run", 0.0005,
        "--unknown-stream", 0.02, "--report", report, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "all is durable" in done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["events"] == 4000
    assert result["waiting"] == 0
    sent = Tally.read(report)
    strays = {key: each for key, each in sent.counts.items() if key[0] == 1 + STRAY}
    certificate = logger.end_run(1, timeout_s=DEADLINE_S)
    assert (certificate.state, certificate.missing) == (RunState.ENDED, [])
    assert known(sent, 1).differences(place.written(1)) == []
    status = logger.get_status()
    (sender,) = status.senders
    assert (sender.name, sender.durable) == ("cr1", sender.accepted)
    assert sender.skipped["D0MN"] > 0
    assert status.orphans[str(1 + STRAY)] > 0
    assert strays
    assert status.unassigned[str(UNKNOWN_STREAM)] == sum(
        each.events for key, each in sent.counts.items() if key[:2] == (1, str(UNKNOWN_STREAM))
    )


@pytest.mark.spec("D65")
def test_two_loggers_share_the_streams(place: Place, tmp_path: Path) -> None:
    """Each event is in the streams it names, whichever logger writes them."""
    place.begin(1, 2, 1, 2)
    place.begin(2, 2, 3, 4)
    report = tmp_path / "sent.json"
    done = place.sim(
        "--run", 2, "--count", 3000, "--streams", "1:0.4,3:0.3,2+4:0.2,1+2+3+4:0.1",
        "--logger", "logger/1", "--logger", "logger/2", "--report", report,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for number in (1, 2):
        assert place.logger(number).end_run(2, timeout_s=DEADLINE_S).missing == []
    assert Tally.read(report).differences(place.written(2)) == []


@pytest.mark.spec("D33", "D34")
def test_a_killed_router_goes_on_where_its_spool_ends(place: Place, tmp_path: Path) -> None:
    """It dies in the middle; the next start sends the rest: nothing is lost or twice there."""
    logger = place.begin(1, 3, 1)
    some = ("--run", 3, "--size", "300", "--spool", tmp_path)
    killed = place.sim(*some, "--die-after", 700)
    assert killed.returncode == -9
    done = place.sim(*some, "--first", 701, "--count", 300)
    assert done.returncode == 0, done.stderr
    certificate = logger.end_run(3, timeout_s=DEADLINE_S)
    assert certificate.events == 1000
    numbers = []
    for path in sorted(place.data.glob("logger1/runs/000000003/*.raw")):
        with EventFile(path) as file:
            numbers += [event.header.event for event in file]
    assert sorted(numbers) == list(range(1, 1001))


def test_recorded_events_are_replayed(place: Place, tmp_path: Path) -> None:
    """Under another run, with their numbers and content."""
    (path,) = place.data.glob("logger1/runs/000000003/s1_*.raw")
    logger = place.begin(1, 4, 1)
    report = tmp_path / "sent.json"
    done = place.sim("--run", 4, "--replay", path, "--report", report)
    assert done.returncode == 0, done.stderr
    assert logger.end_run(4, timeout_s=DEADLINE_S).events == 1000
    assert Tally.read(report).differences(place.written(4)) == []


def test_the_example_sends_each_event_once(place: Place, tmp_path: Path) -> None:
    """As a user would run it; without an active run it says so."""
    logger = place.begin(1, 5, 1, 2)
    script = Path(__file__).parents[2] / "examples" / "send_events.py"

    def sent(run: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(script), str(run), "500"],
            env={**os.environ, "OBSORB_NAMES": place.address},
            cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip

    done = sent(5)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "500 of 500 messages are on the disk\n"
    certificate = logger.end_run(5, timeout_s=DEADLINE_S)
    assert certificate.events == 500
    assert {Path(each.path).name[:2]: each.events for each in certificate.files} == {
        "s1": 500,
        "s2": 50,
    }
    done = sent(5)
    assert done.returncode == 1
    assert "is run 5 active?" in done.stdout


def test_a_router_without_a_run_is_told_so(place: Place) -> None:
    """Made-up events need a number."""
    refused = place.sim("--count", 3)
    assert refused.returncode == 1
    assert "--run" in refused.stderr
