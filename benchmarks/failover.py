"""How long names cannot be bound after one of two name servers has died."""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.programs import DEADLINE_S, Program, free_port
from idl_like_interfaces.errors import CommFailure, RemoteError
from idl_like_interfaces.replication import NotLeading, ReplicaRole
from nameserver.client import Address, Names, status_of

_URI = "PYRO:measured@localhost:4711"
_PAUSE_S = 0.01
_HOST = "localhost"


def measure(quick: bool) -> dict[str, Any]:  # noqa: FBT001 (the form that a runner calls)
    """Kill the leading one of two name servers (kill -9) again and again.

    Returns:
        ``runs``, and in seconds ``times_s`` (from the kill to the first bind that is
        acknowledged by the other one), ``median_s`` and ``worst_s``; besides
        ``bind_pair_s`` and ``bind_alone_s``, the median time of a durable bind with and
        without a follower.
    """
    runs = 2 if quick else 10
    with tempfile.TemporaryDirectory() as folder, _Pair(Path(folder)) as pair:
        with_follower = pair.time_binds("pair", 20 if quick else 300)
        times = [pair.kill_leader(number) for number in range(runs)]
        alone = pair.time_binds("alone", 20 if quick else 300, wanted="alone")
    return {
        "runs": runs,
        "times_s": times,
        "median_s": statistics.median(times),
        "worst_s": max(times),
        "bind_pair_s": with_follower,
        "bind_alone_s": alone,
    }


class _Pair(ExitStack):
    """Two name servers, each the other's peer."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._addresses: tuple[Address, Address] = ((_HOST, free_port()), (_HOST, free_port()))
        self._programs: dict[Address, Program] = {}
        self._names = self.enter_context(Names(self._addresses))
        self._pause = threading.Event()
        for address in self._addresses:
            self._start(address)

    def time_binds(self, prefix: str, count: int, wanted: str = "pair") -> float:
        """Return the median time of a bind, in seconds."""
        leader = self._await_pair()
        if wanted == "alone":
            self._kill(self._other(leader))
            self._names.context.bind(f"{prefix}-first", _URI)
        taken = []
        for number in range(count):
            started = time.perf_counter()
            self._names.context.bind(f"{prefix}{number}", _URI)
            taken.append(time.perf_counter() - started)
        return statistics.median(taken)

    def kill_leader(self, run: int) -> float:
        """Return how long it took from the kill to the first bind, in seconds."""
        leader = self._await_pair()
        with Names(self._other(leader)) as other:
            started = time.perf_counter()
            self._kill(leader)
            while not self._bind(other, f"run{run}"):
                self._pause.wait(_PAUSE_S)
            taken = time.perf_counter() - started
        self._start(leader)
        return taken

    def _bind(self, names: Names, name: str) -> bool:
        try:
            names.context.bind(name, _URI)
        except (NotLeading, CommFailure):
            return False
        return True

    def _start(self, address: Address) -> None:
        peer = self._other(address)
        program = Program(
            [
                str(Path(sys.executable).with_name("obsorb-nameserver")),
                *("--port", str(address[1]), "--peer", f"{peer[0]}:{peer[1]}"),
                *("--store", str(self._folder / f"{address[1]}.sqlite")),
            ]
        )
        self._programs[address] = self.enter_context(program)
        program.await_line("name server: ")

    def _kill(self, address: Address) -> None:
        program = self._programs[address]
        os.kill(program.pid, signal.SIGKILL)
        program.wait()

    def _await_pair(self) -> Address:
        """Wait until one leads and the other one follows; return the leader."""
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            roles = {self._role(each): each for each in self._addresses}
            if {ReplicaRole.LEADING, ReplicaRole.FOLLOWING} == roles.keys():
                return roles[ReplicaRole.LEADING]
            self._pause.wait(_PAUSE_S)
        message = "the two name servers did not find together"
        raise TimeoutError(message)

    def _role(self, address: Address) -> ReplicaRole | None:
        try:
            return status_of(address).role
        except RemoteError:
            return None

    def _other(self, address: Address) -> Address:
        one, other = self._addresses
        return other if address == one else one
