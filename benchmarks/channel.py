"""Throughput of the event channel beside Redis and NATS, and that nothing is lost."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from benchmarks.programs import Child, Program, await_port, free_port


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
    def serve(self) -> Iterator[str]:
        """Run its server on a free loopback port; yield the port."""
        port = free_port()
        with (
            tempfile.TemporaryDirectory(prefix="obsorb-bench-") as folder,
            Program([self.program, "--port", str(port), *self.options], cwd=Path(folder)),
        ):
            await_port(port)
            yield str(port)


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
def serve_obsorb() -> Iterator[str]:
    """Run our channel; yield its URI."""
    with Child("benchmarks.channel_obsorb:Server") as server:
        yield server.hello


@dataclass
class Side:
    """One supplier and some consumers at one server; counts what was lost.

    Attributes:
        supplier: The process that publishes.
        consumers: The processes that read.
        lost: Events that did not arrive in their place, of all runs and consumers.
    """

    supplier: Child
    consumers: list[Child]
    lost: int = field(default=0)

    def rate(self, events: int) -> float:
        """Send events; return how many reached each of the consumers in a second."""
        for consumer in self.consumers:
            consumer.order("receive", events=events)
        began: float = self.supplier.do("publish", events=events)
        accounts = [consumer.result() for consumer in self.consumers]
        self.lost += sum(round(each["lost"] + each["strays"]) for each in accounts)
        ended: float = max(each["ended"] for each in accounts)
        return events / (ended - began)


@contextmanager
def side(server: AbstractContextManager[str], parts: str, consumers: int) -> Iterator[Side]:
    """Connect a supplier and consumers to a server."""
    with ExitStack() as stack:
        where = stack.enter_context(server)
        readers = [stack.enter_context(Child(f"{parts}:Consumer", where)) for _ in range(consumers)]
        yield Side(stack.enter_context(Child(f"{parts}:Supplier", where)), readers)


def measure_channel(counts: Counts) -> list[Figure]:
    """Measure with every number of consumers, ours and the peers in turn."""
    return [row for consumers in counts.consumers for row in _measure(consumers, counts)]


def _measure(consumers: int, counts: Counts) -> list[Figure]:
    installed = [peer for peer in PEERS if peer.is_installed]
    servers = [(serve_obsorb(), "benchmarks.channel_obsorb")]
    servers += [(peer.serve(), peer.parts) for peer in installed]
    with ExitStack() as stack:
        sides = [stack.enter_context(side(*server, consumers)) for server in servers]
        runs: list[Callable[[], float]] = [
            lambda side=each: side.rate(counts.events)  # type: ignore[misc]
            for each in sides
        ]
        alternate(1, runs)
        rates = alternate(counts.channel_rounds, runs)
    ours = (rates[0], sides[0].lost)
    theirs = {
        peer.name: (values, each.lost)
        for peer, values, each in zip(installed, rates[1:], sides[1:], strict=True)
    }
    return [_row(consumers, peer, ours, theirs.get(peer.name, ([], None))) for peer in PEERS]


def _row(
    consumers: int,
    peer: Peer,
    ours: tuple[list[float], int],
    theirs: tuple[list[float], int | None],
) -> Figure:
    return figure(
        "channel",
        f"events to {'1 consumer' if consumers == 1 else f'each of {consumers} consumers'}",
        "1/s",
        ours[0],
        peer=peer.title,
        theirs=theirs[0],
        goal=peer.goal,
        lost=ours[1],
        peer_lost=theirs[1],
        at=consumers,
    )
