"""Running an installation: start everything, restart what dies, stop cleanly (``obsorb up``)."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.security.protection import AUDIT
from idl_like_interfaces.security.settings import ABSENT
from nameserver.client import Address, parse_address, show_addresses
from objects.component import launch
from objects.component.clock import Clock, SystemClock
from objects.component.installation import Installation
from objects.component.process import REFUSED
from objects.component.restarts import RestartPolicy

log = logging.getLogger(__name__)

NAME_SERVER = "name server"
SECOND_NAME_SERVER = "second name server"

_NAME_SERVERS = (NAME_SERVER, SECOND_NAME_SERVER)

_CARRIERS = ("events", "log")
_STOP_DEADLINE_S = 10.0
_START_DEADLINE_S = 30.0

Say = Callable[[str], None]


class StartRefused(RemoteError, repository_id="IDL:obsorb/component/StartRefused:1.0"):
    """A part of the installation refuses to start; everything is stopped again.

    Attributes:
        part: Which.
    """

    part: str


@dataclass(frozen=True, slots=True)
class _Said:
    """A part printed a line; None: it has ended."""

    part: str
    line: str | None


@dataclass(slots=True)
class _Part:
    """A process of the installation."""

    name: str
    command: list[str]
    restarts: RestartPolicy
    process: subprocess.Popen[str] | None = None
    reader: threading.Thread | None = None
    is_ready: bool = False
    refusal: str = ""
    restart_at: float | None = field(default=None)


class Supervisor:
    """Starts the processes of an installation and keeps them running.

    All its methods are called in one thread; others only call ``request_stop``.
    """

    def __init__(self, installation: Installation, say: Say, clock: Clock | None = None) -> None:
        self._installation = installation
        self._say = say
        self._clock = clock or SystemClock()
        self._said: queue.SimpleQueue[_Said | None] = queue.SimpleQueue()
        self._parts: dict[str, _Part] = {}
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
        self._said.put(None)

    def _start_name_servers(self) -> None:
        if len(self._installation.name_servers) > 1:
            self._start_pair()
            return
        part = self._add(
            NAME_SERVER, self._name_server(parse_address(self._names), self._name_store())
        )
        self._await(lambda: part.is_ready, [part])
        # A restart must come back where everybody knows it.
        part.command[part.command.index("--port") + 1] = self._names.rpartition(":")[2]

    def _start_pair(self) -> None:
        # Each is told the other's port before it runs, so none can be left to chance.
        first, second = (
            (host, port or _free_port(host)) for host, port in self._installation.name_servers
        )
        self._names = show_addresses((first, second))
        parts = [
            self._add(NAME_SERVER, self._name_server(first, self._name_store(), second)),
            self._add(SECOND_NAME_SERVER, self._second_name_server(second, first)),
        ]
        self._await(lambda: all(part.is_ready for part in parts), parts)

    def _name_store(self, prefix: str = "") -> str:
        store = self._installation.name_server.store
        path = self._installation.data_root / store
        return store if store == "memory" else str(path.with_name(prefix + path.name))

    def _name_server(self, address: Address, store: str, peer: Address | None = None) -> list[str]:
        """Return the command line of a name server."""
        host, port = address
        command = [str(_bin("obsorb-nameserver")), "--host", host, "--port", str(port)]
        command += ["--store", store, *self._security_options()]
        return command if peer is None else [*command, "--peer", show_addresses(peer)]

    def _second_name_server(self, address: Address, peer: Address) -> list[str]:
        command = self._name_server(address, self._name_store("second-"), peer)
        return [*command, "--audit-name", SECOND_NAME_SERVER.replace(" ", "-")]

    def _security_options(self) -> list[str]:
        installation = self._installation
        if installation.security == ABSENT:
            return []
        audit = str(installation.data_root / AUDIT)
        return ["--security", str(installation.path), "--audit", audit]

    def _start_components(self) -> None:
        file = str(self._installation.path)
        parts = [
            self._add(
                name, [sys.executable, "-m", "objects.component.process", file, name, self._names]
            )
            for name in self._installation.components
        ]
        self._await(lambda: all(part.is_ready for part in parts), parts)
        if not self._is_stopping:
            self._say(f"{self._installation.name} is up: {len(parts)} components")

    def _add(self, name: str, command: list[str]) -> _Part:
        part = _Part(name, command, RestartPolicy())
        self._parts[name] = part
        self._spawn(part)
        return part

    def _await(self, condition: Callable[[], bool], parts: list[_Part]) -> None:
        """Handle news until the parts are ready; refuse when one cannot start."""
        deadline = self._clock.monotonic() + _START_DEADLINE_S
        while not condition() and not self._is_stopping:
            left = deadline - self._clock.monotonic()
            self._step(max(0.0, left))
            failed = next((p for p in parts if p.refusal or (left <= 0 and not p.is_ready)), None)
            if failed is not None:
                raise StartRefused(
                    f"{failed.name} does not start: {failed.refusal or 'no answer from it'}",
                    part=failed.name,
                    cause=""
                    if failed.refusal
                    else f"it was not ready after {_START_DEADLINE_S:g} s",
                    remedy="mend what it says and start the installation again",
                )

    def _step(self, timeout_s: float | None = None) -> None:
        """Wait for the next news or restart and deal with it."""
        due = [p.restart_at for p in self._parts.values() if p.restart_at is not None]
        if due:
            until = max(0.0, min(due) - self._clock.monotonic())
            timeout_s = until if timeout_s is None else min(timeout_s, until)
        try:
            news = self._said.get(timeout=timeout_s)
        except queue.Empty:
            news = None
        if news is not None:
            self._hear(self._parts[news.part], news.line)
        for part in self._parts.values():
            if part.restart_at is not None and part.restart_at <= self._clock.monotonic():
                self._spawn(part)

    def _hear(self, part: _Part, line: str | None) -> None:
        if line is None:
            self._has_ended(part)
        elif line.startswith("refused "):
            part.refusal = line.removeprefix("refused ")
        elif line.startswith(f"{NAME_SERVER}: "):
            if SECOND_NAME_SERVER not in self._parts:
                self._names = line.removeprefix(f"{NAME_SERVER}: ")
            if part.is_ready:
                self._say_started(part)
            part.is_ready = True
        elif line.startswith("ready "):
            part.is_ready = True
            self._say_started(part)

    def _say_started(self, part: _Part) -> None:
        self._say(f"started {part.name} (pid {part.process.pid if part.process else 0})")

    def _spawn(self, part: _Part) -> None:
        part.restart_at = None
        part.process = subprocess.Popen(
            [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), *part.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C at the terminal is for the supervisor, which stops them in order.
            start_new_session=True,
        )
        part.reader = threading.Thread(
            target=self._read, args=(part.name, part.process), name=f"read {part.name}"
        )
        part.reader.start()

    def _read(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._said.put(_Said(name, line.rstrip("\n")))
        self._said.put(_Said(name, None))

    def _has_ended(self, part: _Part) -> None:
        assert part.process is not None
        code = part.process.wait()
        if part.is_ready and code == 0:
            self._say(f"{part.name} has ended on request")
        elif part.is_ready:
            self._plan_restart(part, code)
        elif code == REFUSED or part.name in _NAME_SERVERS:
            part.refusal = part.refusal or f"exit code {code} (see its message above)"
            self._say(f"{part.name} refuses to start: {part.refusal}")
        else:
            self._plan_restart(part, code)

    def _plan_restart(self, part: _Part, code: int) -> None:
        """Start it again later; what it refuses now (a full disk) may be mended by then."""
        now = self._clock.monotonic()
        plan = part.restarts.plan(now)
        part.restart_at = now + plan.delay_s
        how = (
            f"died (signal {signal.Signals(-code).name})"
            if code < 0
            else f"died (exit code {code})"
        )
        if part.refusal:
            how = f"refuses to start: {part.refusal}"
        self._say(f"{part.name} {how}; it starts again in {plan.delay_s:g} s")
        part.refusal = ""
        if plan.is_alarming:
            log.error("%s died %d times within a minute", part.name, plan.recent_deaths)

    def _stop_all(self) -> None:
        """Stop the components, then what carries their last words, then the name servers."""
        kinds = {name: table["kind"] for name, table in self._installation.components.items()}
        last = [part for name, part in self._parts.items() if kinds.get(name) in _CARRIERS]
        names = [part for name, part in self._parts.items() if name in _NAME_SERVERS]
        self._stop([part for part in self._parts.values() if part not in (*last, *names)])
        self._stop(last)
        self._stop(names)
        self._say("stopped")

    def _stop(self, parts: list[_Part]) -> None:
        running = [p.process for p in parts if p.process is not None]
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = self._clock.monotonic() + _STOP_DEADLINE_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - self._clock.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("process %d did not end in time and is killed", process.pid)
                process.kill()
                process.wait()
        for part in parts:
            if part.reader is not None:
                part.reader.join()


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _bin(program: str) -> Path:
    return Path(sys.executable).with_name(program)


def run(installation: Path, *, on_message: Say) -> int:
    """Run an installation until SIGINT or SIGTERM.

    Args:
        installation: The installation file.
        on_message: Gets a line for each thing that happens; the first is
            ``name server: HOST:PORT``, or of two of them ``HOST:PORT,HOST:PORT``.

    Returns:
        Exit code: 0.

    Raises:
        BadParam: The file is wrong.
        StartRefused: A part refuses to start; nothing is left running.
    """
    read = Installation(installation)
    for name in read.components:
        read.settings(name)
    supervisor = Supervisor(read, on_message)
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
