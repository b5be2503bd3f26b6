"""Programs that a benchmark starts: told what to do, listened to, ended by their id."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from typing_extensions import override

DEADLINE_S = 120.0

_STOP_DEADLINE_S = 20.0
_PORT_PAUSE_S = 0.02
_CHILD = Path(__file__).with_name("child.py")


class ProgramFailed(RuntimeError):
    """A program ended early or did not answer in time; the text has its last words."""


class Program:
    """A program in a process of its own; a context manager that ends it.

    Args:
        command: Program and arguments.
        cwd: Its folder; None: ours.
    """

    def __init__(self, command: Sequence[str], cwd: Path | None = None) -> None:
        self.command = list(command)
        self._cwd = cwd
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed at exit)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self.command,
            cwd=self._cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"read {self.pid}")
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._reader is not None
        process = self._process
        self._ask_to_end(process)
        try:
            process.wait(_STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join()
        self._errors.close()

    def _ask_to_end(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        process.stdin.close()
        if process.poll() is None:
            process.terminate()

    def write(self, line: str) -> None:
        """Send it a line."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._failure("has ended") from error

    def await_line(self, start: str = "", deadline_s: float = DEADLINE_S) -> str:
        """Return the next line that begins so.

        Raises:
            ProgramFailed: It ended before, or it took too long.
        """
        until = time.monotonic() + deadline_s
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise self._failure(f"printed no {start!r} in {deadline_s:g} s") from None
            if line is None:
                raise self._failure("has ended")
            if line.startswith(start):
                return line

    def wait(self, deadline_s: float = DEADLINE_S) -> int:
        """Wait until it ends by itself; return its exit code."""
        assert self._process is not None
        try:
            return self._process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise self._failure(f"has not ended in {deadline_s:g} s") from None

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _failure(self, what: str) -> ProgramFailed:
        self._errors.seek(0)
        said = self._errors.read()[-2000:]
        return ProgramFailed(f"{' '.join(self.command)} {what}; it said:\n{said}")


class Child(Program):
    """A part of a benchmark in a process of its own.

    Args:
        part: ``module:Class`` of the part, see ``benchmarks.child``.
        *arguments: Given to the class.
    """

    def __init__(self, part: str, *arguments: str) -> None:
        # -P: modules of this folder must not hide installed ones of the same name.
        super().__init__([sys.executable, "-P", str(_CHILD), part, *arguments])
        self.hello: Any = None

    @override
    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.hello = self.result()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    @override
    def _ask_to_end(self, process: subprocess.Popen[str]) -> None:
        # It ends when its orders do; a signal would only disturb its farewell.
        assert process.stdin is not None
        process.stdin.close()

    def order(self, what: str, **how: Any) -> None:
        """Tell it to begin something; ``result`` waits for the end of it."""
        self.write(json.dumps({"what": what, "how": how}))

    def result(self, deadline_s: float = DEADLINE_S) -> Any:
        """Return what the oldest open order gave."""
        return json.loads(self.await_line(deadline_s=deadline_s))

    def do(self, what: str, **how: Any) -> Any:
        """Order something and wait for its result."""
        self.order(what, **how)
        return self.result()


def together(stack: ExitStack, children: Sequence[Child]) -> list[Child]:
    """Start parts at the same time, which takes many processors less long; the stack ends them."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(stack.enter_context, children))


def free_port() -> int:
    """Return a loopback port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def await_port(port: int, deadline_s: float = 10.0) -> None:
    """Wait until somebody listens on a loopback port.

    Raises:
        TimeoutError: Nobody did in time.
    """
    until = time.monotonic() + deadline_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError as error:
            if time.monotonic() > until:
                raise TimeoutError(f"nobody listens on port {port}") from error
            threading.Event().wait(_PORT_PAUSE_S)
        else:
            return
