"""``obsorb names watch`` as a process, while the name server's process is killed."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.nameserver import name_server

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

URI = "PYRO:guest@localhost:4711"
DEADLINE_S = 60.0


class Watching:
    """The command's process."""

    def __init__(self, address: str) -> None:
        command = [str(Path(sys.executable).parent / "obsorb"), "names", "watch", "--json"]
        self.process = subprocess.Popen(
            [*command, "--names", address], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def next(self) -> tuple[str, str]:
        """Return type and name (or nothing) of the next line."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE_S)
        assert ready, f"no line within {DEADLINE_S} s"
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found["type"], found["binding"]["name"] if "binding" in found else ""

    def end(self) -> tuple[int, bytes]:
        """Press Ctrl-C; return exit code and what was written to standard error."""
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, errors

    def kill(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate(timeout=DEADLINE_S)


def test_it_goes_on_over_a_kill_of_the_name_server(tmp_path: Path) -> None:
    """What was bound is not repeated, what is bound afterwards is told; Ctrl-C ends it with 0."""
    store = str(tmp_path / "names.db")
    with name_server("--port", "0", "--store", store) as server, server.names() as names:
        names.bind("a", URI)
        address, port = f"{server.host}:{server.port}", str(server.port)
        watching = Watching(address)
        try:
            assert watching.next() == ("known", "a")
            names.bind("b", URI)
            assert watching.next() == ("bound", "b")
            server.kill()
            assert watching.next() == ("lost", "")
            with name_server("--port", port, "--store", store) as again, again.names() as same:
                assert watching.next() == ("restarted", "")
                same.unbind("a")
                assert watching.next() == ("unbound", "a")
                assert watching.end() == (0, b"")
        finally:
            watching.kill()
