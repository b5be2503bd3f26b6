"""Running an installation: start everything, restart what dies, stop cleanly (``obsorb up``)."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.logs import LogLevel
from idl_like_interfaces.mapping.wire import host_name
from idl_like_interfaces.supervision import PartState, SupervisorStatus
from nameserver.client import parse_address, parse_addresses, show_addresses
from objects.component.clock import Clock, SystemClock
from objects.component.commands import NAME_SERVER, NAME_SERVERS, SECOND_NAME_SERVER, Commands
from objects.component.crash_loop import crash_loop, object_of
from objects.component.crew import Crew, Said, Wanted
from objects.component.installation import Installation
from objects.component.parts import Part, how_it_died
from objects.component.presence import Presence, SupervisorSettings
from objects.component.process import REFUSED
from objects.component.restarts import WINDOW_S
from objects.component.supervisor_servant import SupervisorServant

log = logging.getLogger(__name__)

_CARRIERS = ("events", "log", "alarms", "oldb")
_START_DEADLINE_S = 60.0
_KNOWN_WITHIN_S = 5.0

Say = Callable[[str], None]


class StartRefused(RemoteError, repository_id="IDL:obsorb/component/StartRefused:1.0"):
    """A part of the installation refuses to start; everything is stopped again.

    Attributes:
        part: Which.
    """

    part: str


class Supervisor:
    """Starts the processes of an installation and keeps them running.

    All its methods are called in one thread; others only call ``request_stop`` and ``status``.
    """

    def __init__(
        self,
        installation: Installation,
        say: Say,
        clock: Clock | None = None,
        log_level: LogLevel | None = None,
    ) -> None:
        self._installation = installation
        self._say = say
        self._clock = clock or SystemClock()
        self._started = self._clock.utc()
        self._crew = Crew(self._clock)
        self._commands = Commands(installation, log_level)
        self._presence: Presence | None = None
        self._is_stopping = False
        self._names = show_addresses(installation.name_servers)

    def run(self) -> None:
        """Start, watch and, when asked to, stop.

        Raises:
            StartRefused: A part refuses to start; nothing is left running.
        """
        try:
            if self._installation.name_server.start:
                self._start_name_servers()
            self._say(f"{NAME_SERVER}: {self._names}")
            self._start_components()
            while not self._is_stopping:
                self._step()
        finally:
            self._stop_all()

    def request_stop(self) -> None:
        """Ask ``run`` to return; may be called from a signal handler."""
        self._is_stopping = True
        self._crew.wake()

    def status(self) -> SupervisorStatus:
        """Return how all parts stand."""
        return SupervisorStatus(
            installation=self._installation.name,
            file=str(self._installation.path),
            host=host_name(),
            started=self._started,
            parts=self._crew.status(),
        )

    def _start_name_servers(self) -> None:
        if len(self._installation.name_servers) > 1:
            self._start_pair()
            return
        command = self._commands.name_server(parse_address(self._names))
        part = self._crew.add(NAME_SERVER, NAME_SERVER, command)
        self._await_ready([part])
        # A restart must come back where everybody knows it.
        part.command[part.command.index("--port") + 1] = self._names.rpartition(":")[2]

    def _start_pair(self) -> None:
        # Each is told the other's port before it runs, so none can be left to chance.
        first, second = (
            (host, port or _free_port(host)) for host, port in self._installation.name_servers
        )
        self._names = show_addresses((first, second))
        commands = {
            NAME_SERVER: self._commands.name_server(first, second),
            SECOND_NAME_SERVER: self._commands.second_name_server(second, first),
        }
        self._await_ready(
            [self._crew.add(name, NAME_SERVER, each) for name, each in commands.items()]
        )

    def _start_components(self) -> None:
        parts = [
            self._crew.add(name, table["kind"], self._commands.component(name, self._names))
            for name, table in self._installation.components.items()
        ]
        # While they start, for this takes a moment too.
        self._presence = self._make_known()
        self._await_ready(parts)
        if not self._is_stopping:
            self._presence.await_attempt(_KNOWN_WITHIN_S)
            self._say(f"{self._installation.name} is up: {len(parts)} components")

    def _make_known(self) -> Presence:
        servant = SupervisorServant(self.status, self._crew.request_restart)
        settings = SupervisorSettings(servant=servant, detail=self._detail, problem=self._problem)
        return Presence(self._installation, parse_addresses(self._names), settings)

    def _detail(self) -> str:
        parts = self._crew.parts
        return f"{sum(each.state is PartState.RUNNING for each in parts)} of {len(parts)} parts run"

    def _problem(self) -> str:
        dying = [each.name for each in self._crew.parts if each.is_alarming]
        return f"these die again and again: {', '.join(dying)}" if dying else ""

    def _await_ready(self, parts: list[Part]) -> None:
        """Handle news until the parts are ready; refuse when one cannot start."""
        deadline = self._clock.monotonic() + _START_DEADLINE_S
        while not all(part.was_ready for part in parts) and not self._is_stopping:
            left = deadline - self._clock.monotonic()
            self._step(max(0.0, left))
            failed = next((p for p in parts if p.refusal or (left <= 0 and not p.was_ready)), None)
            if failed is not None:
                raise StartRefused(
                    f"{failed.name} does not start: {failed.refusal or 'no answer from it'}",
                    part=failed.name,
                    cause="its settings, its files or its name, as it says"
                    if failed.refusal
                    else f"it was not ready after {_START_DEADLINE_S:g} s",
                    remedy="mend what it says and start the installation again",
                )

    def _step(self, timeout_s: float | None = None) -> None:
        """Wait for the next news, or until something is due, and deal with it."""
        match self._crew.await_news(timeout_s):
            case Said(part, line):
                self._hear(part, line)
            case Wanted(part):
                self._restart(part)
            case None:
                pass
        for part in self._crew.parts:
            self._crew.kill_late(part)
            now = self._clock.monotonic()
            if part.restart_at is not None and part.restart_at <= now:
                self._crew.spawn(part)
            if part.calm_at is not None and part.calm_at <= now:
                self._calm(part)

    def _hear(self, part: Part, line: str | None) -> None:
        if line is None:
            self._has_ended(part)
        elif line.startswith("refused "):
            part.refusal = line.removeprefix("refused ")
        elif line.startswith(f"{NAME_SERVER}: "):
            if SECOND_NAME_SERVER not in self._crew:
                self._names = line.removeprefix(f"{NAME_SERVER}: ")
            self._is_ready(part, is_told=part.was_ready)
        elif line.startswith("ready "):
            self._is_ready(part, is_told=True)

    def _is_ready(self, part: Part, *, is_told: bool) -> None:
        part.was_ready = True
        part.enter(PartState.RUNNING)
        if part.is_alarming:
            part.calm_at = self._clock.monotonic() + WINDOW_S
        if is_told:
            self._say(f"started {part.name} (pid {part.pid})")

    def _has_ended(self, part: Part) -> None:
        assert part.process is not None
        code = part.process.wait()
        if part.kill_at is not None:
            part.kill_at = None
            self._say(f"{part.name} has ended to be started again")
            self._crew.spawn(part)
        elif part.was_ready and code == 0:
            part.enter(PartState.ENDED)
            self._say(f"{part.name} has ended on request")
        elif part.was_ready or (code != REFUSED and part.name not in NAME_SERVERS):
            self._plan_restart(part, code)
        else:
            part.enter(PartState.ENDED)
            part.refusal = part.refusal or f"exit code {code} (see its message above)"
            self._say(f"{part.name} refuses to start: {part.refusal}")

    def _plan_restart(self, part: Part, code: int) -> None:
        """Start it again later; what it refuses now (a full disk) may be mended by then."""
        refusal, part.refusal = part.refusal, ""
        how = f"refuses to start: {refusal}" if refusal else f"died ({how_it_died(code)})"
        plan = part.die(how_it_died(code))
        self._say(f"{part.name} {how}; it starts again in {plan.delay_s:g} s")
        log.warning("%s %s; it starts again in %g s", part.name, how, plan.delay_s)
        part.is_alarming = part.is_alarming or plan.is_alarming
        if part.is_alarming and self._presence is not None:
            self._presence.raise_alarm(
                crash_loop(
                    object_of(self._installation.root, part.name),
                    part.name,
                    how_it_died(code),
                    plan,
                    refusal=refusal,
                    now=self._clock.utc(),
                )
            )

    def _calm(self, part: Part) -> None:
        part.calm_at = None
        part.is_alarming = False
        log.warning("%s has run for a minute again", part.name)
        if self._presence is not None:
            text = f"{part.name} has run for a minute again"
            self._presence.clear_alarm(object_of(self._installation.root, part.name), text)

    def _restart(self, part: Part) -> None:
        """End it to be started again; one that does not run is started at once."""
        if part.state in (PartState.STARTING, PartState.RUNNING):
            self._crew.end(part)
        else:
            self._crew.spawn(part)

    def _stop_all(self) -> None:
        """Stop the components, then what carries their last words, then the name servers."""
        parts = self._crew.parts
        names = [part for part in parts if part.name in NAME_SERVERS]
        last = [part for part in parts if part.kind in _CARRIERS]
        self._crew.stop(part for part in parts if part not in (*last, *names))
        if self._presence is not None:
            self._presence.close()
        self._crew.stop(last)
        self._crew.stop(names)
        self._say("stopped")


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def run(installation: Path, *, on_message: Say, log_level: LogLevel | None = None) -> int:
    """Run an installation until SIGINT or SIGTERM.

    Args:
        installation: The installation file.
        on_message: Gets a line for each thing that happens; the first is
            ``name server: HOST:PORT``, or of two of them ``HOST:PORT,HOST:PORT``.
        log_level: Root level of the logs of all parts; ``None``: as the file says.

    Returns:
        Exit code: 0.

    Raises:
        BadParam: The file is wrong.
        StartRefused: A part refuses to start; nothing is left running.
    """
    read = Installation(installation)
    for name in read.components:
        read.settings(name)
    supervisor = Supervisor(read, on_message, log_level=log_level)
    before = {
        number: signal.signal(number, lambda *_: supervisor.request_stop())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        supervisor.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0
