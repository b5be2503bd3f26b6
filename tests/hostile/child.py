"""Programs of this suite in processes of their own, spoken to in lines of JSON."""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 30.0


class Child:
    """A process that answers each line with a line.

    Attributes:
        pid: Its process id.
        first: The line that it began with.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid
        self.first = self.read(START_DEADLINE_S)

    def ask(self, timeout_s: float, **request: Any) -> dict[str, Any]:
        """Send a request and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self.read(timeout_s)

    def read(self, timeout_s: float) -> dict[str, Any]:
        """Return the next line.

        Raises:
            AssertionError: It did not come in time, or the process has ended.
        """
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        assert ready, f"no line from process {self.pid} within {timeout_s} s"
        line = self._process.stdout.readline()
        assert line, f"process {self.pid} has ended with {self._process.wait(STOP_DEADLINE_S)}"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def child(module: str, *arguments: str, log: IO[str] | None = None) -> Iterator[Child]:
    """Start ``tests.hostile.<module>``; end it at the end.

    Args:
        module: Name of the program.
        *arguments: Of the program.
        log: Takes its standard error.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.hostile.{module}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        cwd=ROOT,
    )
    try:
        yield Child(process)
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_DEADLINE_S)


def say(**answer: Any) -> None:
    """Write a line, in the child."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def requests() -> Iterator[dict[str, Any]]:
    """Read lines until the other side closes, in the child."""
    for line in sys.stdin:
        yield json.loads(line)


def settle(core: int) -> None:
    """Take one processor, where there are several, and as many files as are allowed."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
