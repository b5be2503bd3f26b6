"""What one name server may rely on when it talks to the other one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.naming import Binding
from idl_like_interfaces.replication import (
    ChangeSet,
    LeaseTerm,
    NameReplica,
    NotFollowing,
    ReplicaRole,
    Standing,
    Standpoint,
)
from nameserver.records import Snapshot
from nameserver.stores import MemoryStore

NAME = Binding(name="a", uri="PYRO:x@localhost:1", bound_at=datetime(2026, 1, 2, tzinfo=UTC))
LEADER = Standpoint(
    incarnation="b", role=ReplicaRole.LEADING, epoch=3, standing=Standing.MEMBER, session=""
)


class NameReplicaContract:
    """Inherit it and give the fixtures ``replica``, a fresh one with a peer, and its ``store``."""

    @pytest.fixture
    def replica(self) -> NameReplica:
        """Return what is tested: it waits, and its peer is not there."""
        raise NotImplementedError

    @pytest.fixture
    def store(self) -> MemoryStore:
        """Return the store of what is tested."""
        raise NotImplementedError

    @pytest.fixture
    def followed(self, replica: NameReplica) -> NameReplica:
        """Return it as the follower of a leader with one name, in session ``s``."""
        replica.hello(LEADER)
        replica.offer("s", 0, ChangeSet(put_bindings=[NAME]))
        replica.adopt(LEADER, "s", 1)
        return replica

    def test_a_new_one_waits(self, replica: NameReplica) -> None:
        """It acknowledges nothing and knows nothing."""
        status = replica.get_status()
        assert (status.role, status.standing, status.epoch) == ("waiting", "new", 0)
        assert not status.acknowledges
        assert status.silent_s is None

    def test_a_hello_is_answered_in_kind(self, replica: NameReplica) -> None:
        """With role, epoch and standing."""
        answer = replica.hello(LEADER)
        assert (answer.role, answer.epoch, answer.standing) == ("waiting", 0, "new")

    def test_a_copy_is_adopted(self, followed: NameReplica, store: MemoryStore) -> None:
        """Names and epoch are the leader's."""
        status = followed.get_status()
        assert (status.role, status.standing, status.epoch) == ("following", "member", 3)
        assert status.silent_s is not None
        assert store.load() == Snapshot(bindings=(NAME,))
        followed.adopt(LEADER, "s", 1)  # repeated: no effect

    def test_a_copy_takes_the_place_of_all_that_was(
        self, followed: NameReplica, store: MemoryStore
    ) -> None:
        """Names, leases; parts in any order, those of another copy are forgotten."""
        followed.offer("other", 0, ChangeSet(put_bindings=[NAME]))
        lease = LeaseTerm(lease_id="l", holder="ocm", term_s=6.0)
        followed.offer("t", 1, ChangeSet())
        followed.offer("t", 0, ChangeSet(put_leases=[lease]))
        followed.adopt(LEADER, "t", 2)
        assert store.load().bindings == ()
        assert [each.lease_id for each in store.load().leases] == ["l"]

    def test_an_incomplete_copy_is_refused(self, replica: NameReplica, store: MemoryStore) -> None:
        """Nothing of it is in effect."""
        replica.hello(LEADER)
        replica.offer("s", 1, ChangeSet(put_bindings=[NAME]))
        with pytest.raises(NotFollowing) as refused:
            replica.adopt(LEADER, "s", 2)
        assert refused.value.standpoint.role is ReplicaRole.WAITING
        assert store.load() == Snapshot()

    def test_a_hello_makes_copies_void(self, replica: NameReplica) -> None:
        """What comes of them behind it is late, and refused."""
        replica.hello(LEADER)
        replica.offer("s", 0, ChangeSet(put_bindings=[NAME]))
        replica.hello(LEADER)
        with pytest.raises(NotFollowing):
            replica.offer("s", 0, ChangeSet(put_bindings=[NAME]))
        with pytest.raises(NotFollowing):
            replica.adopt(LEADER, "s", 1)

    def test_a_stranger_is_not_followed(self, replica: NameReplica) -> None:
        """Who has not said hello, or knows less, is no leader."""
        replica.hello(LEADER)
        replica.offer("s", 0, ChangeSet())
        stranger = Standpoint(
            incarnation="c", role=ReplicaRole.LEADING, epoch=9, standing=Standing.MEMBER
        )
        with pytest.raises(NotFollowing):
            replica.adopt(stranger, "s", 1)

    def test_changes_are_taken_in_their_order(
        self, followed: NameReplica, store: MemoryStore
    ) -> None:
        """One that is repeated has no effect; one that is missing is noticed."""
        followed.append("s", 0, ChangeSet())
        followed.append("s", 1, ChangeSet(drop_names=["a"]))
        followed.append("s", 1, ChangeSet(put_bindings=[NAME]))
        assert store.load() == Snapshot()
        with pytest.raises(NotFollowing):
            followed.append("s", 3, ChangeSet(put_bindings=[NAME]))
        assert store.load() == Snapshot()

    def test_changes_of_another_session_are_refused(self, followed: NameReplica) -> None:
        """They come late, or from one who leads no more."""
        with pytest.raises(NotFollowing) as refused:
            followed.append("t", 1, ChangeSet())
        assert refused.value.standpoint.session == "s"

    def test_another_hello_ends_the_following(self, followed: NameReplica) -> None:
        """That is the promise not to take over."""
        other = Standpoint(
            incarnation="c", role=ReplicaRole.WAITING, epoch=3, standing=Standing.MEMBER
        )
        assert followed.hello(other).role is ReplicaRole.WAITING
        with pytest.raises(NotFollowing):
            followed.append("s", 1, ChangeSet())

    def test_the_leader_s_own_hello_does_not(self, followed: NameReplica) -> None:
        """It asks only."""
        assert followed.hello(LEADER).role is ReplicaRole.FOLLOWING

    def test_a_dismissal_makes_it_lead(self, replica: NameReplica) -> None:
        """Alone, in a new epoch; it takes no copies any more."""
        replica.dismiss_peer()
        status = replica.get_status()
        assert (status.role, status.standing, status.epoch) == ("leading", "sole", 1)
        assert status.acknowledges
        with pytest.raises(NotFollowing):
            replica.offer("s", 0, ChangeSet())

    def test_a_leader_of_a_lower_epoch_gives_way(self, replica: NameReplica) -> None:
        """Two that lead have met."""
        replica.dismiss_peer()
        assert replica.hello(LEADER).role is ReplicaRole.WAITING

    def test_a_negative_number_is_refused(self, followed: NameReplica) -> None:
        """On the wire by its type, in-process since nothing of that number is missing."""
        with pytest.raises((BadParam, NotFollowing)):
            followed.append("s", -1, ChangeSet())
