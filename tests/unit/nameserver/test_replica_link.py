"""How a name server reaches the other one."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime

import pytest

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.mapping.context import Caller, serving
from idl_like_interfaces.naming import Binding
from idl_like_interfaces.replication import (
    OBJECT_ID,
    ChangeSet,
    NameReplica,
    ReplicaRole,
    Standing,
    Standpoint,
)
from nameserver.replica import Member, Replica
from nameserver.replica_link import PeerLink
from nameserver.replica_record import RecordKeeper
from nameserver.stores import MemoryStore

LEADER = Standpoint(incarnation="b", role=ReplicaRole.LEADING, epoch=1, standing=Standing.MEMBER)
NAME = Binding(name="a", uri="PYRO:x@localhost:1", bound_at=datetime(2026, 1, 2, tzinfo=UTC))


def test_a_closed_port_refuses() -> None:
    """Nobody listens, on a host that lives."""
    with socket.create_server(("localhost", 0)) as server:
        address = server.getsockname()
        with PeerLink(address) as link:
            assert not link.is_refused()
    with PeerLink(address) as link:
        assert link.is_refused()


def test_a_host_that_is_not_known_is_no_refusal() -> None:
    """It may live all the same."""
    with PeerLink(("nobody.invalid", 9090)) as link:
        assert not link.is_refused()
        with pytest.raises(RemoteError):
            link.hello(LEADER)


def test_a_client_in_a_hurry_does_not_hurry_the_follower() -> None:
    """Its deadline does not reach the hand-over of a change."""
    store = MemoryStore()
    member = Member(store, RecordKeeper(None), "a", time.monotonic)
    with PeerLink(("localhost", 1)) as nobody, ObjectAdapter() as adapter:
        adapter.activate_fixed(Replica(member, nobody), NameReplica, OBJECT_ID)
        with PeerLink(("localhost", adapter.port)) as link:
            link.hello(LEADER)
            link.offer("s", 0, ChangeSet())
            link.adopt(LEADER, "s", 1)
            with serving(time.monotonic() - 1.0, Caller()):
                link.append("s", 1, ChangeSet(put_bindings=[NAME]))
    assert store.load().bindings == (NAME,)
