"""The harness's hold on one process of ``blind_roles``."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.support.nameserver import command, first_line

ROOT = Path(__file__).parents[2]
START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 60.0


class BlindChild:
    """A process that has its imports done and waits for the word.

    Args:
        role: What it plays.
        log: Takes its standard error.
    """

    def __init__(self, role: str, log: Path) -> None:
        with log.open("a") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.system.blind_roles", role],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
            )
        self._said: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()
        self._log = log
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                self._said.put(json.loads(line))
        self._said.put(None)

    def begin(self, given: dict[str, Any]) -> float:
        """Let it begin; return when it was up (monotonic)."""
        self._await("ready")
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        return self._await("up")

    def _await(self, what: str) -> float:
        said = self._said.get(timeout=START_DEADLINE_S)
        assert said is not None, f"it has ended: {self._log.read_text()[-3000:]}"
        assert said[0] == what, said
        return float(said[1])

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._gone()

    def end(self) -> None:
        """Ask it to finish, and wait until it has."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._gone()

    def discard(self) -> None:
        """End it, whatever it does; harmless when it has ended."""
        self._process.kill()
        self._gone()

    def _gone(self) -> None:
        self._process.wait(STOP_DEADLINE_S)
        self._reader.join(STOP_DEADLINE_S)
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()


class NameServerProcess:
    """A name server that is killed, and started again on its port with its store.

    Args:
        store: Its store.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            command("--port", str(self.port), "--store", str(self._store)),
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(first_line(self._process).rpartition(":")[2])

    def kill(self) -> None:
        """End it as a crash does; harmless when it has ended."""
        self._process.kill()
        self._process.wait(STOP_DEADLINE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
