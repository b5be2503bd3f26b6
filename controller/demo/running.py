"""An installation in a process of its own, which is ended whatever happens."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from typing_extensions import override

from controller.demo.interruption import Interruption
from controller.failure import CommandFailed
from idl_like_interfaces.closing import Closing

NAME_SERVER = "name server: "

UP = " is up: "
"""Is in the line that says that every component has started."""

_START_DEADLINE_S = 60.0
_STOP_DEADLINE_S = 40.0
_TICK_S = 0.1
_LOG_LINES = 12


def obsorb_command() -> list[str]:
    """Return how to start `obsorb` in this environment."""
    script = Path(sysconfig.get_path("scripts")) / "obsorb"
    if script.is_file():
        return [str(script)]
    # -P: a folder of the same name in the current directory must not be imported.
    return [sys.executable, "-P", "-c", "from controller.cli import main; main()"]


class RunningInstallation(Closing):
    """Runs ``obsorb up`` for an installation file; a context manager.

    Args:
        installation: The file.
        log: Gets what the processes say on stderr.
        interruption: Ends every wait.
        say: Gets the lines that it prints, but for the address of the name server.

    Attributes:
        is_up: It has said that every component has started.
    """

    def __init__(
        self, installation: Path, log: Path, interruption: Interruption, say: Callable[[str], None]
    ) -> None:
        self._command = [*obsorb_command(), "up", "--with-parent", str(installation)]
        self._log = log
        self._interruption = interruption
        self._say = say
        self.is_up = False
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @override
    def __enter__(self) -> Self:
        with self._log.open("a", encoding="utf-8") as log:
            # A session of its own: Ctrl-C is for the demonstration, which then stops it.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, name="read installation")
        self._reader.start()
        return self

    @override
    def close(self) -> None:
        process, reader = self._process, self._reader
        assert process is not None
        assert reader is not None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()

    def wait_for_name_server(self) -> str:
        """Return the address of the name server, ``HOST:PORT``.

        Raises:
            CommandFailed: The installation does not start.
            Interrupted: An end was asked for.
        """
        address = ""

        def is_known() -> bool:
            nonlocal address
            while not address and not self._lines.empty():
                line = self._lines.get()
                address = line.removeprefix(NAME_SERVER) if line.startswith(NAME_SERVER) else ""
            return bool(address)

        self.wait_until("the name server answers", is_known)
        return address

    def wait_until(self, what: str, is_true: Callable[[], bool]) -> None:
        """Wait for a condition as long as the installation runs.

        Raises:
            CommandFailed: It has ended, or the condition did not come true in time.
            Interrupted: An end was asked for.
        """
        deadline = time.monotonic() + _START_DEADLINE_S
        while not is_true():
            self.check()
            if time.monotonic() > deadline:
                raise self._failure(f"in {_START_DEADLINE_S:g} s it did not happen that {what}")
            self._interruption.pause(_TICK_S)

    def check(self) -> None:
        """Show what it says.

        Raises:
            CommandFailed: It has ended.
            Interrupted: An end was asked for.
        """
        self._interruption.check()
        while not self._lines.empty():
            line = self._lines.get()
            self.is_up = self.is_up or UP in line
            self._say(line)
        assert self._process is not None
        if (code := self._process.poll()) is not None:
            raise self._failure(f"the installation has ended with exit code {code}")

    def _failure(self, message: str) -> CommandFailed:
        said = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return CommandFailed(
            message, cause="\n".join(said[-_LOG_LINES:]), remedy=f"see {self._log} for all of it"
        )

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
