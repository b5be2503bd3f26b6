"""The sides of the benchmark of the channel: a server each, one supplier, some consumers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.figures import Goal, Measure
from benchmarks.processes import seconds_used
from benchmarks.programs import Child, Program, await_port, free_port, together

_US = 1e6


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs.

    Attributes:
        where: What its clients are told.
        pid: Its process.
    """

    where: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A message system that stands beside ours.

    Attributes:
        name: Of its Python client, as distributed.
        module: What the client is imported as.
        program: Its server.
        parts: Module with its supplier and consumer.
        goal: Our rate by its rate.
        options: Of the server, but for the port.
    """

    name: str
    module: str
    program: str
    parts: str
    goal: Goal
    options: tuple[str, ...]

    @property
    def is_installed(self) -> bool:
        """Tell whether client and server are there."""
        return shutil.which(self.program) is not None and find_spec(self.module) is not None

    @property
    def title(self) -> str:
        """Name and version of the client."""
        try:
            return f"{self.name} {version(self.name)}"
        except PackageNotFoundError:
            return self.name

    @contextmanager
    def serve(self) -> Iterator[Served]:
        """Run its server on a free loopback port."""
        port = free_port()
        with (
            tempfile.TemporaryDirectory(prefix="obsorb-bench-") as folder,
            Program([self.program, "--port", str(port), *self.options], cwd=Path(folder)) as run,
        ):
            await_port(port)
            yield Served(str(port), run.pid)


# Redis: nothing on disk, and no slow consumer is thrown out. NATS: on loopback only.
REDIS = Peer(
    name="redis",
    module="redis",
    program="redis-server",
    parts="benchmarks.channel_redis",
    goal=Goal(of=Measure.RATIO, at_least=4.0),
    options=(
        *("--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
        *("--client-output-buffer-limit", "pubsub 0 0 0"),
    ),
)
NATS = Peer(
    name="nats-py",
    module="nats",
    program="nats-server",
    parts="benchmarks.channel_nats",
    goal=Goal(of=Measure.RATIO, at_least=2.0),
    options=("--addr", "127.0.0.1"),
)
PEERS = (REDIS, NATS)


@contextmanager
def serve_obsorb(*options: str) -> Iterator[Served]:
    """Run our channel.

    Args:
        *options: See ``channel_obsorb.Server``.
    """
    with Child("benchmarks.channel_obsorb:Server", *options) as server:
        yield Served(server.hello, server.pid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What a burst of events was like.

    Attributes:
        rate: Events that reached each of the consumers in a second.
        server_us: Processor time of the server for each delivery.
        all_us: The same of all processes together.
    """

    rate: float
    server_us: float
    all_us: float


@dataclass
class Side:
    """One supplier and some consumers at one server; counts what was lost.

    Attributes:
        server: Its process id.
        supplier: The process that publishes.
        consumers: The processes that read.
        lost: Events that did not arrive in their place, of all runs and consumers.
    """

    server: int
    supplier: Child
    consumers: list[Child]
    lost: int = field(default=0)

    def burst(self, events: int) -> Burst:
        """Send events as fast as possible to all consumers."""
        clients = [self.supplier.pid, *(each.pid for each in self.consumers)]
        before = seconds_used(self.server), sum(map(seconds_used, clients))
        rate = self._rate(events)
        served = seconds_used(self.server) - before[0]
        whole = served + sum(map(seconds_used, clients)) - before[1]
        each_us = _US / (events * len(self.consumers))
        return Burst(rate=rate, server_us=each_us * served, all_us=each_us * whole)

    def _rate(self, events: int) -> float:
        for consumer in self.consumers:
            consumer.order("receive", events=events)
        began: float = self.supplier.do("publish", events=events)
        accounts = [consumer.result() for consumer in self.consumers]
        self.lost += sum(round(each["lost"] + each["strays"]) for each in accounts)
        ended: float = max(each["ended"] for each in accounts)
        return events / (ended - began)


@contextmanager
def side(server: AbstractContextManager[Served], parts: str, consumers: int) -> Iterator[Side]:
    """Connect a supplier and consumers to a server."""
    with ExitStack() as stack:
        served = stack.enter_context(server)
        readers = together(
            stack, [Child(f"{parts}:Consumer", served.where) for _ in range(consumers)]
        )
        supplier = stack.enter_context(Child(f"{parts}:Supplier", served.where))
        yield Side(served.pid, supplier, readers)
