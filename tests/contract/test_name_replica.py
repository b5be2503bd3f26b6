"""One of two name servers, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typing_extensions import override

from idl_like_interfaces.replication import NameReplica
from nameserver.replica import Member, Replica
from nameserver.replica_link import PeerLink
from nameserver.replica_record import RecordKeeper
from nameserver.stores import MemoryStore
from tests.contract.name_replica import NameReplicaContract
from tests.support.clock import ManualClock
from tests.support.wire import MODES, wired


class TestReplica(NameReplicaContract):
    """The one that there is."""

    @pytest.fixture
    @override
    def store(self) -> MemoryStore:
        return MemoryStore()

    @pytest.fixture(params=MODES)
    @override
    def replica(self, request: pytest.FixtureRequest, store: MemoryStore) -> Iterator[NameReplica]:
        clock = ManualClock()
        member = Member(store, RecordKeeper(None), "a", clock.monotonic)
        with (
            PeerLink(("localhost", 1)) as link,
            wired(Replica(member, link), NameReplica, request.param) as replica,
        ):
            yield replica
