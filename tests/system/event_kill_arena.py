"""An installation that takes a run while its processes are killed, and start again."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.event_logger import LoggerControl, RunState
from idl_like_interfaces.mapping import make_incarnation
from idl_like_interfaces.run_configuration import (
    Quality,
    RunBegin,
    RunConfiguration,
    RunEnd,
    Writer,
    WriterKind,
)
from idl_like_interfaces.run_control import Phase, Run, RunControl
from nameserver.client import Names
from tests.support.eventually import eventually
from tests.support.installation import OBSORB, Running, start
from tests.support.nameserver import name_server

ROOT = Path(__file__).parents[2]

STREAMS = {1: "physics", 2: "bhabha", 3: "cosmic"}
FORGETFUL, CAREFUL = "cr1", "cr2"
"""Senders: this keeps in memory, that on its disk what is not durable."""

SENDERS = {FORGETFUL: 1, CAREFUL: 2}
"""With their seeds."""

COMPONENTS = ("events", "run", "lg0")
VICTIMS = ("lg0", FORGETFUL, CAREFUL, "run", "events")
READY_S = 180.0
"""Generous: what starts shares the machine with whatever else runs."""

INSTALLATION = """
[installation]
name = "killed"
data_root = "data"

[name_server]
address = "localhost:0"

[component.events]
kind = "events"

[component.run]
kind = "run_control"

[component.lg0]
kind = "logger"

[component.lg0.defaults]
maxEvents = 3000
flushPeriodS = 0.1
syncPeriodS = 0.3
rangeGraceS = 0.5
"""

CONFIGURATION = RunConfiguration(
    writers=[
        Writer(
            name="logger",
            kind=WriterKind.LOGGER,
            reference="obs/logger/0/control",
            configuration={"streams": [{"name": name, "id": id} for id, name in STREAMS.items()]},
        )
    ],
    start_timeout_s=60.0,
    end_timeout_s=60.0,
)


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill, and how long it took until the victim served again."""

    victim: str
    back_s: float


class Arena:
    """Processes, a run, and its senders.

    Args:
        folder: For everything.
        port: Of the name server.
        names: The same as a client.
        seed: Of the moments of the kills.

    Attributes:
        kills: What was done.
        taps: Where each sender writes down what it does.
        deaths: Processes that ended and were not killed.
    """

    def __init__(self, folder: Path, port: int, names: Names, seed: int) -> None:
        self._folder = folder
        self._port = port
        self._chance = random.Random(seed)
        self._processes: dict[str, Running] = {}
        self._pause = threading.Event()
        self._control = names.narrow("obs/run", RunControl, READY_S)
        self._logger = names.narrow("obs/logger/0/control", LoggerControl)
        self._token = ""
        self._run = 0
        self.kills: list[Kill] = []
        self.taps = {name: folder / f"{name}.tap" for name in SENDERS}
        self.deaths: list[str] = []

    @property
    def run_folder(self) -> Path:
        """Where the files of the run are."""
        return self._folder / "data" / "lg0" / "runs" / f"{self._run:09d}"

    def begin(self) -> None:
        """Start everything, begin a run, and let the senders send."""
        (self._folder / "installation.toml").write_text(INSTALLATION)
        for name in COMPONENTS:
            self._start(name)
        for name in COMPONENTS:
            self._processes[name].await_line(f"ready {name}", READY_S)
        self._token = self._control.take_control("judge", term_s=3600.0).token
        self._control.configure(self._token, CONFIGURATION)
        begun = self._control.start(self._token, RunBegin(shifter="judge"), make_incarnation())
        self._run = begun.run
        for name in SENDERS:
            self._start(name)
            self._processes[name].await_line("up", READY_S)

    def kill(self, victim: str) -> None:
        """Kill at some moment, start again, and wait until it serves."""
        self._pause.wait(self._chance.uniform(0.05, 0.8))
        at = time.monotonic()
        self._kill_and_start(victim)
        while self._chance.random() < 0.1:
            # In the middle of a recovery, too.
            self._pause.wait(self._chance.uniform(0.1, 0.6))
            self._kill_and_start(victim)
        if victim in SENDERS:
            self._processes[victim].await_line("up", READY_S)
        else:
            self._processes[victim].await_line(f"ready {victim}", READY_S)
        if victim == "lg0":
            eventually(self._is_taking, "the logger takes events again", READY_S)
        self.kills.append(Kill(victim=victim, back_s=time.monotonic() - at))

    def ended(self) -> Run:
        """Let the senders end what they have begun, and the run; return what run control says."""
        for name in SENDERS:
            _close_input(self._processes[name])
        for name in SENDERS:
            code = self._processes[name].process.wait(READY_S)
            self.deaths += [f"{name}, with {code}"] if code else []
        end = RunEnd(quality=Quality.GOOD, comment="over")
        self._control.end(self._token, self._run, end)
        eventually(self._has_ended, "the run ends", READY_S)
        self.deaths += [
            name for name in COMPONENTS if self._processes[name].process.poll() is not None
        ]
        return self._control.get_run(self._run)

    def discard(self) -> None:
        """End everything."""
        for running in reversed(self._processes.values()):
            _close_input(running)
            running.end()

    def _is_taking(self) -> bool:
        try:
            runs = self._logger.get_status().runs
        except RemoteError:
            return False
        return any(each.run == self._run and each.state is RunState.ACTIVE for each in runs)

    def _has_ended(self) -> bool:
        return self._control.get_run(self._run).phase is Phase.ENDED

    def _kill_and_start(self, name: str) -> None:
        self._processes[name].process.kill()
        _close_input(self._processes[name])
        self._processes[name].end()
        self._start(name)

    def _start(self, name: str) -> None:
        if name in SENDERS:
            self._processes[name] = self._sender(name)
            return
        file = str(self._folder / "installation.toml")
        command = (str(OBSORB), "serve", file, name, "--names", f"localhost:{self._port}")
        self._processes[name] = start(*command, cwd=self._folder)

    def _sender(self, name: str) -> Running:
        spool = str(self._folder / "spool") if name == CAREFUL else "-"
        arguments = [str(self._port), name, str(self.taps[name]), str(self._run)]
        command = [sys.executable, "-m", "tests.system.event_kill_sender", *arguments]
        with (self._folder / "stderr.log").open("a") as stderr:
            process = subprocess.Popen(
                [*command, str(SENDERS[name]), spool],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        return Running(process)


def _close_input(running: Running) -> None:
    if running.process.stdin is not None:
        running.process.stdin.close()


@contextmanager
def arena(folder: Path, seed: int) -> Iterator[Arena]:
    """Start everything; end it at the end."""
    with name_server("--port", "0") as server, Names((server.host, server.port)) as names:
        ready = Arena(folder, server.port, names, seed)
        try:
            ready.begin()
            yield ready
        finally:
            ready.discard()
