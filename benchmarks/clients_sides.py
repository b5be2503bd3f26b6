"""The sides of the benchmark of many clients: a server each, and processes with its clients."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.latency import percentile
from benchmarks.programs import Child, Program, ProgramFailed, await_port, free_port

RAW = "benchmarks.raw:Clients"

_PROCESSES = 2
_MS = 1000.0
_TANGO_DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What some clients saw together.

    Attributes:
        rate: Calls in a second, of all.
        p50_ms: Half of the calls took no longer.
        p99_ms: All but one of a hundred took no longer.
    """

    rate: float
    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, accounts: Sequence[dict[str, Any]]) -> Run:
        """Sum up what the processes of clients tell."""
        ordered = sorted(each for one in accounts for each in one["latencies_us"])
        return cls(
            rate=sum(len(one["latencies_us"]) / one["seconds"] for one in accounts),
            p50_ms=percentile(ordered, 0.5) / _MS,
            p99_ms=percentile(ordered, 0.99) / _MS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A server, and what calls it.

    Attributes:
        title: For the table.
        serve: Runs it for at least so many clients; yields where it is.
        clients: The part that is its clients.
        raw: Arguments of the raw clients behind the address; None: it speaks another protocol.
    """

    title: str
    serve: Callable[[int], AbstractContextManager[str]]
    clients: str
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """The processes with the clients of one server."""

    processes: list[Child]

    def connect(self, clients: int) -> None:
        """Connect until there are so many in all."""
        for process, share in self._shares(clients):
            process.do("connect", count=share)

    def run(self, clients: int, seconds: float) -> Run:
        """Let so many of them call."""
        shares = self._shares(clients)
        for process, share in shares:
            process.order("run", count=share, seconds=seconds)
        return Run.of([process.result() for process, _ in shares])

    def _shares(self, clients: int) -> list[tuple[Child, int]]:
        each, more = divmod(clients, len(self.processes))
        shares = [each + (number < more) for number in range(len(self.processes))]
        return [(one, share) for one, share in zip(self.processes, shares, strict=True) if share]


@contextmanager
def _obsorb(_: int) -> Iterator[str]:
    with Child("benchmarks.clients_obsorb:Server") as server:
        yield server.hello


@contextmanager
def _bare(server_type: str, clients: int) -> Iterator[str]:
    with Child("benchmarks.clients_bare:Server", server_type, str(clients)) as server:
        yield server.hello


@contextmanager
def _tango(_: int) -> Iterator[str]:
    port = free_port()
    script = Path(__file__).with_name("clients_tango.py")
    with Program([sys.executable, "-P", str(script), str(port)]) as program:
        program.await_line("Ready", deadline_s=_TANGO_DEADLINE_S)
        await_port(port)
        yield str(port)


def _tango_title() -> str:
    try:
        return f"PyTango {version('pytango')}"
    except PackageNotFoundError:
        return "PyTango"


OURS = Peer(title="obsorb", serve=_obsorb, clients="benchmarks.clients_obsorb:Clients", raw="ours")
THREAD = Peer(
    title="Pyro5 thread server",
    serve=lambda clients: _bare("thread", clients),
    clients="benchmarks.clients_bare:Clients",
    raw="bare",
)
MULTIPLEX = Peer(
    title="Pyro5 multiplex server",
    serve=lambda clients: _bare("multiplex", clients),
    clients="benchmarks.clients_bare:Clients",
    raw="bare",
)
TANGO = Peer(title=_tango_title(), serve=_tango, clients="benchmarks.clients_tango:Clients")
PEERS = (THREAD, MULTIPLEX, TANGO)


def start(stack: ExitStack, peer: Peer, clients: int) -> dict[str, Side] | None:
    """Start a server and the processes of its clients.

    Args:
        stack: Ends them.
        peer: Which server.
        clients: The most that will call at the same time, of each kind.

    Returns:
        The side of its own clients, and that of the raw ones where it has them; None when
        the peer cannot be run, which is told on standard error.
    """
    with ExitStack() as starting:
        try:
            where = starting.enter_context(peer.serve(2 * clients))
            own = [starting.enter_context(Child(peer.clients, where)) for _ in range(_PROCESSES)]
        except (ProgramFailed, TimeoutError) as error:
            print(f"{peer.title} is left out: {error}", file=sys.stderr, flush=True)
            return None
        sides = {"own": Side(own)}
        if peer.raw is not None:
            sides["raw"] = Side([starting.enter_context(Child(RAW, where, peer.raw))])
        stack.push(starting.pop_all())
    return sides
