"""What a leader does with its follower, and what clients see of it, by hand-made troubles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from idl_like_interfaces.errors import PersistStore
from idl_like_interfaces.replication import (
    NotFollowing,
    NotLeading,
    NotReplicated,
    ReplicaRole,
    Standing,
)
from nameserver.records import Changes
from nameserver.replica_gate import Gate, Passing
from nameserver.replica_leading import LeaderStore
from nameserver.replica_link import PeerLink
from nameserver.replica_record import RecordKeeper
from nameserver.replica_states import TIMING, Record, State, alone
from tests.support.replicas import Node, World, binding

URI = "PYRO:x@localhost:1"


@pytest.fixture
def world() -> World:
    """Return two of which one leads and the other follows."""
    world = World(())
    world.heal()
    return world


def leader(world: World) -> Node:
    return next(node for node in world.nodes if node.member.state.leads)


def follower(world: World) -> Node:
    return world.other(leader(world))


def gate(node: Node) -> Gate:
    return Gate(node.member, node.replica, node.leadership)


class TestHandingOver:
    """A change is acknowledged when both have it."""

    def test_both_have_it(self, world: World) -> None:
        """Before the client hears of it."""
        LeaderStore(leader(world).leadership, leader(world).member.local, 1).apply(binding("a"))
        assert leader(world).names == follower(world).names == {"a"}

    def test_without_the_follower_s_answer_it_is_in_doubt(self, world: World) -> None:
        """Tried until the fence; then nothing is taken until the follower has a new copy."""
        world.is_cut = True
        leading, following = leader(world), follower(world)
        with pytest.raises(NotReplicated) as refused:
            leading.leadership.make(binding("a"), 1)
        assert "obsorb names dismiss" in refused.value.remedy
        assert leading.names == set()
        with pytest.raises(NotLeading, match="does not take this now"):
            leading.leadership.make(binding("b"), 1)
        world.is_cut = False
        leading.step()
        leading.leadership.make(binding("b"), 1)
        assert leading.names == following.names == {"b"}

    def test_a_dead_follower_does_not_count(self, world: World) -> None:
        """The change is made by the leader alone."""
        follower(world).is_down = True
        leader(world).leadership.make(binding("a"), 1)
        assert leader(world).member.state.leads_alone

    def test_a_follower_that_cannot_keep_it_follows_no_more(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its full disk does not stop the leader."""

        def full(_: Changes) -> None:
            raise PersistStore("the disk is full")

        following = follower(world)
        monkeypatch.setattr(following.member.local, "apply", full)
        leader(world).leadership.make(binding("a"), 1)
        assert following.member.state.role is ReplicaRole.WAITING
        leader(world).step()
        assert "cannot take a copy" in leader(world).replica.peer_state
        monkeypatch.undo()
        world.heal()
        assert following.names == {"a"}

    def test_a_leader_that_cannot_keep_it_takes_it_back(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The follower, which has it already, gets a new copy."""

        def full(_: Changes) -> None:
            raise PersistStore("the disk is full")

        leading, following = leader(world), follower(world)
        monkeypatch.setattr(leading.member.local, "apply", full)
        with pytest.raises(PersistStore, match="full"):
            leading.leadership.make(binding("a"), 1)
        assert following.names == {"a"}
        monkeypatch.undo()
        leading.step()
        assert following.names == set()

    def test_a_reign_that_is_over_changes_nothing(self, world: World) -> None:
        """A servant of before does not know yet."""
        with pytest.raises(NotLeading):
            leader(world).leadership.make(binding("a"), 0)


class TestGate:
    """What a client may ask, and whom."""

    def test_a_leader_that_is_cut_off_answers_look_ups_only(self, world: World) -> None:
        """Nothing that must be remembered."""
        leading = leader(world)
        context = gate(leading).context
        context.bind("a", URI)
        world.is_cut = True
        world.now += TIMING.fence_s
        assert context.resolve("a").uri == URI
        for ask in (
            lambda: context.bind("b", URI),
            lambda: context.renew_lease("x"),
            lambda: context.grant_lease("x", 1.0),
        ):
            with pytest.raises(NotLeading):
                ask()

    def test_a_follower_refuses_everything(self, world: World) -> None:
        """And says whom to ask."""
        with pytest.raises(NotLeading) as refused:
            gate(follower(world)).context.resolve("a")
        assert refused.value.peer == "peer:1"
        gate(follower(world)).expire_leases()

    def test_leases_do_not_age_while_nobody_can_renew_them(self, world: World) -> None:
        """They go on with what was left."""
        leading = leader(world)
        guarded = gate(leading)
        lease = guarded.context.grant_lease("ocm", 6.0)
        world.now += 1.0
        leading.step()
        world.is_cut = True
        world.now += 60.0
        guarded.expire_leases()
        assert guarded.context.list_leases()[0].remaining_s > 2.5
        world.is_cut = False
        leading.step()
        left = guarded.context.list_leases()[0].remaining_s
        assert 2.5 < left < 5.0
        assert guarded.context.renew_lease(lease.lease_id).remaining_s == 6.0
        world.now += 1.0
        assert guarded.context.list_leases()[0].remaining_s == pytest.approx(5.0)

    def test_a_take_over_gives_full_terms(self, world: World) -> None:
        """Whatever was left at the other one."""
        leading, following = leader(world), follower(world)
        context, other = gate(leading).context, gate(following)
        lease = context.grant_lease("ocm", 6.0)
        context.bind("a", URI, lease_id=lease.lease_id)
        leading.is_down = True
        world.now += TIMING.take_over_s
        following.step()
        other.refresh()
        assert other.context.list_leases()[0].remaining_s == 6.0
        assert other.context.resolve("a").lease_id == lease.lease_id
        world.now += 6.1
        other.expire_leases()
        assert other.context.list().bindings == []

    def test_stock_clients_are_passed_on_by_a_follower(self, world: World) -> None:
        """To the one that leads."""
        with PeerLink(("localhost", 1)) as link:
            own = gate(leader(world)).context
            assert Passing(leader(world).member, own, link).context.list().bindings == []
            passed = Passing(follower(world).member, own, link).context
            assert passed.list.__self__ is not own  # type: ignore[attr-defined]


class TestRecord:
    """What must be on disk first."""

    def test_a_right_that_cannot_be_written_does_not_begin(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """But one that ends, ends."""

        def fail(_: RecordKeeper, __: Record) -> None:
            raise PersistStore("the disk fails")

        monkeypatch.setattr(RecordKeeper, "write", fail)
        following = follower(world)
        with pytest.raises(PersistStore):
            following.member.change(alone)
        assert following.member.state.role is ReplicaRole.FOLLOWING
        leading = leader(world)
        sole = leading.member.state
        assert sole.record.standing is Standing.MEMBER
        leading.member.change(waiting_in_epoch_9)
        assert not leading.member.state.leads


def waiting_in_epoch_9(state: State) -> State:
    """Give up a right together with a record that changes."""
    record = Record(epoch=9, standing=Standing.MEMBER)
    return replace(state, role=ReplicaRole.WAITING, record=record)


def test_a_copy_is_refused_to_a_leader(world: World) -> None:
    """It has its own names."""
    with pytest.raises(NotFollowing):
        leader(world).replica.adopt(follower(world).member.state.standpoint, "s", 1)
