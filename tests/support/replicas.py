"""Two name servers in one thread: their real code, a network, clock and crashes that a tape drives.

Whatever happens is drawn from a tape of small numbers, so that Hypothesis can shorten what
went wrong. A call between the two may be lost before or behind its execution, may be executed
long after it was given up, and anything may happen while it is under way: time passes, the other
one acts, either one dies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from idl_like_interfaces.errors import OutcomeUnknown, PersistStore, RemoteError, Transient
from idl_like_interfaces.naming import Binding
from nameserver.records import Changes
from nameserver.replica import Member, Replica
from nameserver.replica_leading import Leadership
from nameserver.replica_link import PeerLink
from nameserver.replica_record import RecordKeeper
from nameserver.replica_watch import ReplicaWatch
from nameserver.stores import MemoryStore

CALL_S = 0.75
DEEPEST = 2
WHEN = datetime(2026, 1, 2, tzinfo=UTC)


class Crashed(BaseException):
    """The process that made a call has died before the reply came."""


def binding(name: str) -> Changes:
    """Return the change that binds a name."""
    return Changes(put_bindings=(Binding(name=name, uri="PYRO:x@localhost:1", bound_at=WHEN),))


class Link:
    """What one start of a node sees of the other one."""

    def __init__(self, world: World, node: Node, incarnation: str) -> None:
        self.address = ("peer", 1)
        self._world = world
        self._node = node
        self._incarnation = incarnation

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self._call(name, arguments)

    def is_refused(self) -> bool:
        refused = not self._world.is_cut and self._world.other(self._node).is_down
        self._world.disturb()
        self._check_alive()
        return refused

    def _call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        world = self._world
        match world.draw(10) if not world.is_cut else 9:
            case 6:
                world.late.append((self._node, name, arguments))
                self._lose(OutcomeUnknown("late"))
            case 7:
                self._deliver(name, arguments)
                self._lose(OutcomeUnknown("no reply"))
            case 8:
                world.disturb()
            case 9:
                self._lose(Transient("lost"))
            case _:
                pass
        self._check_alive()
        try:
            return self._deliver(name, arguments)
        finally:
            world.disturb()
            self._check_alive()

    def _deliver(self, name: str, arguments: tuple[Any, ...]) -> Any:
        other = self._world.other(self._node)
        if other.is_down:
            raise Transient("down")
        return getattr(other.replica, name)(*arguments)

    def _lose(self, error: RemoteError) -> None:
        self._world.now += CALL_S
        self._world.disturb()
        self._check_alive()
        raise error

    def _check_alive(self) -> None:
        if self._node.is_down or self._node.member.state.incarnation != self._incarnation:
            raise Crashed


class Node:
    """A name server with a disk that outlives its process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._disk = MemoryStore()
        self._keeper = RecordKeeper(None)
        self.is_down = True

    def start(self) -> None:
        """Start its process."""
        world = self._world
        world.starts += 1
        incarnation = f"{world.starts:06}"
        self.member = Member(self._disk, self._keeper, incarnation, lambda: world.now)
        link = cast("PeerLink", Link(world, self, incarnation))
        self.replica = Replica(self.member, link)
        self.leadership = Leadership(self.member, self.replica, link, world.wait)
        self.watch = ReplicaWatch(self.member, self.replica, link, self.leadership, lambda: None)
        self.is_down = self._is_looking = False

    @property
    def is_busy(self) -> bool:
        """Tell whether one of its own calls is under way."""
        return self.leadership._turn.locked()

    @property
    def acknowledges(self) -> bool:
        """Tell whether it may acknowledge a change now."""
        return not self.is_down and self.member.may_acknowledge()

    @property
    def names(self) -> set[str]:
        """What its disk has."""
        return {each.name for each in self._disk.load().bindings}

    def step(self) -> None:
        """Let it look at the other one."""
        if self.is_down or self.is_busy or self._is_looking:
            return
        # One thread looks; a new process has one of its own.
        self._is_looking = True
        watch = self.watch
        self._survive(watch.step)
        if watch is self.watch:
            self._is_looking = False

    def write(self) -> None:
        """Let a client bind a name; remember what is acknowledged."""
        if self.is_down or self.is_busy:
            return
        self._world.written += 1
        name = f"n{self._world.written}"

        def bind() -> None:
            self.leadership.make(binding(name), self.member.state.reign)
            self._world.acknowledged.append(name)

        self._survive(bind)

    def _survive(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (Crashed, PersistStore):
            self._world.refused += 1


class World:
    """Both of them, and everything that can happen to them."""

    def __init__(self, tape: Sequence[int]) -> None:
        self.now = 1000.0
        self.starts = self.written = self.refused = 0
        self.is_cut = False
        self.acknowledged: list[str] = []
        self.late: list[tuple[Node, str, tuple[Any, ...]]] = []
        self._depth = 0
        self._tape: Iterator[int] = iter(tape)
        self.is_over = False
        self.nodes = (Node(self), Node(self))
        for node in self.nodes:
            node.start()

    def draw(self, choices: int) -> int:
        """Return the next number of the tape; 0 (nothing goes wrong) behind its end."""
        number = next(self._tape, None)
        self.is_over = number is None
        return (number or 0) % choices

    def other(self, node: Node) -> Node:
        """Return the other one."""
        return self.nodes[1 - self.nodes.index(node)]

    def wait(self, seconds: float) -> None:
        """Let a thread of ours wait."""
        self.now += seconds

    def run(self) -> None:
        """Let happen what the tape says."""
        while not self.is_over:
            self.event()

    def disturb(self) -> None:
        """Let something happen while a call is under way."""
        if self._depth < DEEPEST and self.draw(3) == 1:
            self.event()

    def event(self) -> None:
        """Let one thing happen, and check that all is well behind it."""
        self._depth += 1
        try:
            self._event()
            self.check()
        finally:
            self._depth -= 1

    def check(self) -> None:
        """At most one acknowledges, and who does has everything that was acknowledged."""
        acknowledging = [node for node in self.nodes if node.acknowledges]
        assert len(acknowledging) <= 1, "both acknowledge"
        for node in acknowledging:
            missing = set(self.acknowledged) - node.names
            assert not missing, f"acknowledged and lost: {missing}"

    def heal(self) -> None:
        """Let everything work again for a while."""
        self._tape = iter(())
        self.is_cut = False
        self.late.clear()
        for node in self.nodes:
            if node.is_down:
                node.start()
        for _ in range(80):
            self.now += 0.1
            for node in self.nodes:
                node.step()

    def _event(self) -> None:
        node = self.nodes[self.draw(2)]
        match self.draw(12):
            case 0 | 1 | 2:
                node.step()
            case 3 | 4 | 5:
                node.write()
            case 6:
                self.now += (0.1, 0.7, 1.5, 3.2)[self.draw(4)]
            case 7:
                node.is_down = True
            case 8 | 9:
                if node.is_down:
                    node.start()
            case 10:
                self.is_cut = not self.is_cut
            case _:
                self._deliver_late()

    def _deliver_late(self) -> None:
        if not self.late:
            return
        sender, name, arguments = self.late.pop(self.draw(len(self.late)))
        receiver = self.other(sender)
        if receiver.is_down:
            return
        try:
            getattr(receiver.replica, name)(*arguments)
        except RemoteError:
            self.refused += 1
