"""A run over one logger, each process on its own, whose files are judged from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.event_logger import LoggerControl, LoggerStatus
from idl_like_interfaces.event_server import EventServer
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

READY_S = 120.0
"""Generous: what starts shares the machine with whatever else runs."""

LOGGER, RUN = "lg0", "run"

HEAD = """
[installation]
name = "faulty"
data_root = "data"

[name_server]
address = "localhost:0"

[component.events]
kind = "events"

[component.alarms]
kind = "alarms"

[component.run]
kind = "run_control"

[component.lg0]
kind = "logger"

[component.lg0.defaults]
"""

QUICK = "flushPeriodS = 0.1\nsyncPeriodS = 0.2\nrangeGraceS = 0.5\n"


class Place(Closing):
    """Processes of an installation, and the run that it takes.

    Args:
        folder: For everything.
        port: Of the name server.
        names: The same as a client.
        defaults: Of the streams, as lines of the installation file.

    Attributes:
        folder: As given.
        names: As given.
        address: Of the name server.
        control: Run control.
        logger: The logger.
        run: Number of the run.
        token: Of the control lease.
        processes: What was started, by name.
    """

    def __init__(self, folder: Path, port: int, names: Names, defaults: str = QUICK) -> None:
        self.folder = folder
        self.names = names
        self.control = names.narrow("obs/run", RunControl, READY_S)
        self.logger = names.narrow("obs/logger/0/control", LoggerControl, READY_S)
        self.run = 0
        self.token = ""
        self.processes: dict[str, Running] = {}
        self.address = f"localhost:{port}"
        (folder / "installation.toml").write_text(HEAD + defaults)

    @property
    def server(self) -> EventServer:
        """Where events are sent to."""
        return self.names.narrow("obs/logger/0/events", EventServer)

    @property
    def status(self) -> LoggerStatus:
        """How the logger stands."""
        return self.logger.get_status()

    @property
    def pid(self) -> int:
        """Of the logger."""
        return self.processes[LOGGER].process.pid

    def start(self, *names: str, environment: dict[str, str] | None = None) -> None:
        """Start components, and wait until they serve."""
        file = str(self.folder / "installation.toml")
        for name in names:
            command = (str(OBSORB), "serve", file, name, "--names", self.address)
            self.processes[name] = start(*command, cwd=self.folder, environment=environment)
        for name in names:
            self.processes[name].await_line(f"ready {name}", READY_S)

    def kill(self, *names: str) -> None:
        """End components as a crash does (kill -9)."""
        for name in names:
            running = self.processes.pop(name)
            running.process.kill()
            running.end()

    def begin(self, streams: Sequence[dict[str, Any]], **configuration: Any) -> int:
        """Take control, configure the logger, and begin a run."""
        self.token = self.control.take_control("judge", term_s=3600.0).token
        writer = Writer(
            name="logger",
            kind=WriterKind.LOGGER,
            reference="obs/logger/0/control",
            configuration={"streams": list(streams), **configuration},
        )
        made = RunConfiguration(writers=[writer], start_timeout_s=60.0, end_timeout_s=60.0)
        self.control.configure(self.token, made)
        begun = self.control.start(self.token, RunBegin(shifter="judge"), make_incarnation())
        self.run = begun.run
        return self.run

    def known(self) -> Run:
        """Return the run as run control knows it."""
        return self.control.get_run(self.run)

    def await_phase(self, phase: Phase) -> Run:
        """Wait until run control says that it is so."""
        eventually(lambda: self.known().phase is phase, f"the run is {phase}", READY_S)
        return self.known()

    def end(self) -> Run:
        """End the run; return what run control says of it."""
        self.control.end(self.token, self.run, RunEnd(quality=Quality.GOOD, comment="over"))
        return self.await_phase(Phase.ENDED)

    def died(self) -> list[str]:
        """Return whose process has ended by itself."""
        return [
            f"{name} has died"
            for name, each in self.processes.items()
            if each.process.poll() is not None
        ]

    @override
    def close(self) -> None:
        for each in reversed(self.processes.values()):
            each.end()


@contextmanager
def place(
    folder: Path, components: Sequence[str] = (RUN, LOGGER), defaults: str = QUICK
) -> Iterator[Place]:
    """Start components; end them at the end."""
    with ExitStack() as stack:
        server = stack.enter_context(name_server("--port", "0"))
        names = stack.enter_context(Names((server.host, server.port)))
        ready = stack.enter_context(Place(folder, server.port, names, defaults))
        ready.start(*components)
        yield ready
