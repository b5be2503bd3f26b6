"""What a test may leave behind in its process: nothing.

A watch notes threads, listening sockets, child processes and the environment before a
test and names what is new after it. Reading ``/proc`` keeps that far below a millisecond.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path

import psutil

GRACE_S = 10.0
"""How long something that is just ending may still be there."""

_TICK_S = 0.01
_OWN_THREADS = ("pytest_timeout", "hypothesis", "execnet", "pytest-")
_OWN_VARIABLES = ("PYTEST_", "HYPOTHESIS_", "COV_CORE_")
_SELF = Path("/proc/self")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a process had at one moment.

    Attributes:
        threads: Its live threads.
        sockets: Its open sockets, as the kernel names them.
        children: Process ids of its children.
        environment: Its variables.
    """

    threads: frozenset[threading.Thread]
    sockets: frozenset[str]
    children: frozenset[int]
    environment: dict[str, str]

    @classmethod
    def now(cls) -> Watch:
        """Note what there is."""
        return cls(
            threads=frozenset(threading.enumerate()),
            sockets=_sockets(),
            children=_children(),
            environment=_environment(),
        )

    def leaks(self, grace_s: float = GRACE_S) -> list[str]:
        """Name what is new since and does not end within the time of grace."""
        deadline = time.monotonic() + grace_s
        threads = self._threads(deadline)
        new = [*self._sockets(), *self._children()]
        while new and time.monotonic() < deadline:
            time.sleep(_TICK_S)
            new = [*self._sockets(), *self._children()]
        return [*threads, *new, *self._changed_variables()]

    def _threads(self, deadline: float) -> list[str]:
        new = [t for t in threading.enumerate() if t not in self.threads and not _is_own(t)]
        for thread in new:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [f"thread {t.name!r} is alive" for t in new if t.is_alive()]

    def _sockets(self) -> Iterator[str]:
        if not _sockets() - self.sockets:
            return
        for connection in psutil.Process().net_connections(kind="inet"):
            link = _link(_SELF / "fd" / str(connection.fd))
            if connection.status == psutil.CONN_LISTEN and link not in self.sockets:
                yield f"socket is listening on {connection.laddr.ip}:{connection.laddr.port}"

    def _children(self) -> Iterator[str]:
        for pid in sorted(_children() - self.children - {_tracker_pid()}):
            try:
                process = psutil.Process(pid)
                yield f"child process {pid} is {process.status()}: {_command(process)}"
            except psutil.NoSuchProcess:
                continue

    def _changed_variables(self) -> Iterator[str]:
        now = _environment()
        for name in sorted(now.keys() | self.environment.keys()):
            before, after = self.environment.get(name), now.get(name)
            if before != after:
                yield f"environment variable {name} went from {before!r} to {after!r}"


def _is_own(thread: threading.Thread) -> bool:
    """Tell whether a thread belongs to the test tools or was not made by Python."""
    return thread.name.startswith(_OWN_THREADS) or isinstance(thread, threading._DummyThread)


def _sockets() -> frozenset[str]:
    with os.scandir(_SELF / "fd") as entries:
        links = [_link(Path(entry.path)) for entry in entries]
    return frozenset(link for link in links if link.startswith("socket:"))


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:  # closed since it was listed
        return ""


def _children() -> frozenset[int]:
    pids: set[int] = set()
    with os.scandir(_SELF / "task") as tasks:
        for task in tasks:
            try:
                pids.update(map(int, Path(task.path, "children").read_text().split()))
            except FileNotFoundError:
                if Path(task.path).exists():  # the kernel does not list children there
                    return frozenset(child.pid for child in psutil.Process().children())
    return frozenset(pids)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.ZombieProcess:
        return "not waited for"


def _tracker_pid() -> int | None:
    """Return the helper that multiprocessing keeps to the end of the process."""
    pid: int | None = getattr(resource_tracker._resource_tracker, "_pid", None)
    return pid


def _environment() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(_OWN_VARIABLES)
    }
