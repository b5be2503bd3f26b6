"""Two name servers in processes of their own, each the other's peer."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.naming import NamingContext
from idl_like_interfaces.replication import ReplicaRole
from nameserver.client import Address, Names, status_of
from tests.support.eventually import eventually
from tests.support.nameserver import STOP_DEADLINE_S, command, first_line

DEADLINE_S = 40.0
URI = "PYRO:ocm~1@localhost:4711"


class Pair:
    """Both processes; server 0 and server 1.

    Args:
        folder: Their stores and their logs.
        hosts: Where each listens.
        wrappers: What stands before each one's command line.
    """

    def __init__(
        self,
        folder: Path,
        hosts: Sequence[str] = ("localhost", "localhost"),
        wrappers: Sequence[Sequence[str]] = ((), ()),
        options: Sequence[str] = (),
    ) -> None:
        self._folder = folder
        self._wrappers = wrappers
        self._options = options
        self.addresses: tuple[Address, ...] = tuple(zip(hosts, _two_free_ports(), strict=True))
        self._processes: dict[int, subprocess.Popen[str]] = {}

    def start(self, number: int, *options: str) -> None:
        """Start one of them; return when it listens."""
        (host, port), peer = self.addresses[number], self.addresses[1 - number]
        arguments = command(
            *("--host", host, "--port", str(port), "--peer", f"{peer[0]}:{peer[1]}"),
            *("--store", str(self._folder / f"{number}.sqlite"), *self._options, *options),
        )
        with (self._folder / f"{number}.log").open("a") as errors:
            process = subprocess.Popen(
                [*self._wrappers[number], *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._processes[number] = process
        first_line(process)

    def kill(self, number: int) -> None:
        """End one of them as a crash does."""
        process = self._processes.pop(number)
        process.send_signal(signal.SIGKILL)
        process.wait(STOP_DEADLINE_S)
        assert process.stdout is not None
        process.stdout.close()

    def terminate(self, number: int) -> None:
        """End one of them in good order."""
        process = self._processes.pop(number)
        process.terminate()
        assert process.wait(STOP_DEADLINE_S) == 0
        assert process.stdout is not None
        process.stdout.close()

    def signal(self, number: int, what: signal.Signals) -> None:
        """Send one of them a signal."""
        self._processes[number].send_signal(what)

    def role(self, number: int) -> ReplicaRole | None:
        """Return what one of them does; ``None``: no answer."""
        try:
            return status_of(self.addresses[number]).role
        except RemoteError:
            return None

    def await_roles(self) -> tuple[int, int]:
        """Wait until one leads and the other one follows; return leader and follower."""
        expected = {ReplicaRole.LEADING, ReplicaRole.FOLLOWING}
        eventually(lambda: {self.role(0), self.role(1)} == expected, "one leads, the other follows")
        leader = 0 if self.role(0) is ReplicaRole.LEADING else 1
        return leader, 1 - leader

    def await_leader(self, number: int) -> None:
        """Wait until that one leads."""
        eventually(lambda: self.role(number) is ReplicaRole.LEADING, f"{number} leads")

    def log(self, number: int) -> str:
        """Return what one of them wrote to standard error."""
        return (self._folder / f"{number}.log").read_text()

    def names_of(self, number: int) -> set[str]:
        """Return the names at one of them, which leads."""
        with Names(self.addresses[number]) as names:
            return {each.name for each in names.context.list(recursive=True).bindings}

    def close(self) -> None:
        """End both."""
        for number in list(self._processes):
            self.signal(number, signal.SIGCONT)
            self.kill(number)


@contextmanager
def running_pair(folder: Path) -> Iterator[Pair]:
    """Run both and wait until one leads and the other one follows."""
    pair = Pair(folder)
    try:
        pair.start(0)
        pair.start(1)
        pair.await_roles()
        yield pair
    finally:
        pair.close()


class Binder:
    """A client that binds one name after the other, in a thread, and notes what became of it.

    Args:
        names: Where it binds.
        prefix: Of its names.

    Attributes:
        acknowledged: Name and time (monotonic) of each.
        refused: How often it was told something else.
    """

    def __init__(self, names: Names, prefix: str, uri: str = URI) -> None:
        self._context: NamingContext = names.context
        self._prefix = prefix
        self._uri = uri
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"binder {prefix}")
        self.acknowledged: list[tuple[str, float]] = []
        self.refused = 0

    @property
    def names(self) -> set[str]:
        """What was acknowledged."""
        return {name for name, _ in self.acknowledged}

    def first_after(self, moment: float) -> float:
        """Return when the first bind behind a moment was acknowledged."""
        return next(at for _, at in self.acknowledged if at > moment)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()

    def await_more(self, count: int) -> None:
        """Wait until so many more are acknowledged."""
        wanted = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= wanted, f"{count} more binds")

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            name = f"{self._prefix}{number}"
            try:
                self._context.bind(name, self._uri)
            except RemoteError:
                self.refused += 1
                self._stop.wait(0.01)
            else:
                self.acknowledged.append((name, time.monotonic()))
                self._stop.wait(0.005)


def _two_free_ports() -> tuple[int, int]:
    with (
        socket.create_server(("localhost", 0)) as one,
        socket.create_server(("localhost", 0)) as other,
    ):
        return one.getsockname()[1], other.getsockname()[1]
