"""What a name server is made of: alone, or as one of a pair."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from typing_extensions import override

from idl_like_interfaces.naming import NamingContext
from idl_like_interfaces.replication import NameReplica
from nameserver import replica_states as states
from nameserver.replica import Member, Replica
from nameserver.replica_gate import Gate, Passing
from nameserver.replica_leading import Leadership
from nameserver.replica_link import PeerLink
from nameserver.replica_record import RecordKeeper
from nameserver.replica_states import TIMING, Timing
from nameserver.replica_watch import ReplicaWatch
from nameserver.servant import NamingServant
from nameserver.stores import NameStore


class Part(ABC):
    """The objects of a name server behind its port.

    Attributes:
        context: The root context.
        stock_context: The one that stock Pyro5 clients are served from.
        replica: What the other one of a pair calls, and who asks for the status.
    """

    context: NamingContext
    stock_context: NamingContext
    replica: NameReplica

    @abstractmethod
    def expire_leases(self) -> None:
        """Unbind what stands under leases that have run out."""

    @abstractmethod
    def count(self) -> int:
        """Return how many names there are."""

    def start(self) -> None:  # noqa: B027 (alone there is nothing to start)
        """Begin to look after the other one."""

    def end(self) -> None:  # noqa: B027 (alone there is nobody to be given way to)
        """Acknowledge nothing any more; comes before the port is closed."""

    def close(self) -> None:  # noqa: B027 (alone there is nothing to release)
        """Release everything but the store; comes after the port is closed."""


class Alone(Part):
    """A name server without another one.

    Args:
        store: The names.
        keeper: The record; one of a former pair learns that this one goes on alone.
        incarnation: This start of it.

    Raises:
        PersistStore: Store or record cannot be used.
    """

    def __init__(self, store: NameStore, keeper: RecordKeeper, incarnation: str) -> None:
        # A record is written only where one of a former pair must not stand.
        kept = keeper if keeper.is_kept else RecordKeeper(None)
        member = Member(store, kept, incarnation, time.monotonic)
        member.change(states.alone)
        self._servant = NamingServant(store)
        self.context = self.stock_context = self._servant
        self.replica = Replica(member, None)

    @override
    def expire_leases(self) -> None:
        self._servant.expire_leases()

    @override
    def count(self) -> int:
        return len(self._servant.list(recursive=True).bindings)


class Paired(Part):
    """One of two name servers.

    Args:
        store: Its own names.
        keeper: Its own record.
        incarnation: This start of it.
        peer: Where the other one is.
        is_forced: Lead without having heard the other one.
        timing: What silence means.

    Attributes:
        member: The state.
    """

    def __init__(
        self,
        store: NameStore,
        keeper: RecordKeeper,
        incarnation: str,
        *,
        peer: tuple[str, int],
        is_forced: bool = False,
        timing: Timing = TIMING,
    ) -> None:
        self._link = PeerLink(peer)
        self.member = Member(
            store, keeper, incarnation, time.monotonic, timing=timing, is_forced=is_forced
        )
        replica = Replica(self.member, self._link)
        leadership = Leadership(self.member, replica, self._link)
        self._gate = Gate(self.member, replica, leadership)
        self._watch = ReplicaWatch(self.member, replica, self._link, leadership, self._gate.refresh)
        self.replica = replica
        self.context = self._gate.context
        self.stock_context = Passing(self.member, self.context, self._link).context

    @override
    def expire_leases(self) -> None:
        self._gate.expire_leases()

    @override
    def count(self) -> int:
        return len(self.member.local.load().bindings)

    @override
    def start(self) -> None:
        self._watch.start()

    @override
    def end(self) -> None:
        self._watch.close()
        self.member.change(states.ended)
        self._gate.refresh()

    @override
    def close(self) -> None:
        self._watch.close()
        self._link.close()
