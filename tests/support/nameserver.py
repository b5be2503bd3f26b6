"""A name server in a process of its own."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from idl_like_interfaces.mapping import narrow, release
from idl_like_interfaces.naming import OBJECT_ID, NamingContext

START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 30.0

_BIN = Path(sys.executable).parent


@dataclass
class RunningNameServer:
    """A name server's process and where it listens."""

    process: subprocess.Popen[str]
    host: str
    port: int

    @contextmanager
    def names(self) -> Iterator[NamingContext]:
        """Yield a stub of the root context."""
        stub = narrow(f"PYRO:{OBJECT_ID}@{self.host}:{self.port}", NamingContext)
        try:
            yield stub
        finally:
            release(stub)

    def kill(self) -> None:
        """End it as a crash does (kill -9)."""
        self.process.kill()
        self.process.wait(STOP_DEADLINE_S)

    def terminate(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """End it in good order; return exit code and what it wrote to standard error."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=STOP_DEADLINE_S)
        return self.process.returncode, errors


def command(*arguments: str) -> list[str]:
    """Return the command line of a name server."""
    return [str(_BIN / "obsorb-nameserver"), *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a name server that is expected to end by itself."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=START_DEADLINE_S, check=False
    )


def nsc(server: RunningNameServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Pyro5's own control program."""
    return subprocess.run(
        [str(_BIN / "pyro5-nsc"), "-n", server.host, "-p", str(server.port), *arguments],
        capture_output=True,
        text=True,
        timeout=START_DEADLINE_S,
        check=False,
    )


@contextmanager
def name_server(*arguments: str) -> Iterator[RunningNameServer]:
    """Start a name server and wait until it answers; end it at the end."""
    process = subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        host, _, port = first_line(process).removeprefix("name server: ").rpartition(":")
        yield RunningNameServer(process=process, host=host, port=int(port))
    finally:
        process.kill()
        process.wait(STOP_DEADLINE_S)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def first_line(process: subprocess.Popen[str]) -> str:
    """Wait for the line that says where a name server listens."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_DEADLINE_S)
    assert ready, f"no line from process {process.pid} within {START_DEADLINE_S} s"
    line = process.stdout.readline()
    if not line and process.stderr is not None:
        pytest.fail(f"the name server did not start: {process.stderr.read()}")
    assert line.startswith("name server: "), f"first line is {line!r}"
    return line.strip()
