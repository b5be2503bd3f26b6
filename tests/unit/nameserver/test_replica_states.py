"""Who leads: each row of the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from idl_like_interfaces.replication import ReplicaRole, Standing, Standpoint
from nameserver import replica_states as states
from nameserver.replica_states import TIMING, Record, State, Timing

MEMBER = Record(epoch=5, standing=Standing.MEMBER)
SOLE = Record(epoch=5, standing=Standing.SOLE)
WAITING = State(incarnation="b", record=MEMBER)
FOLLOWING = replace(
    WAITING, role=ReplicaRole.FOLLOWING, partner="a", peer="a", session="s", heard_at=100.0
)
ALONE = State(incarnation="b", record=SOLE, role=ReplicaRole.LEADING, reign=1)
PAIRED = replace(
    ALONE, record=MEMBER, partner="a", peer="a", session="s", is_synced=True, heard_at=100.0
)
FENCED = 100.0 + TIMING.fence_s
TAKE_OVER = 100.0 + TIMING.take_over_s


def peer(
    role: ReplicaRole = ReplicaRole.WAITING,
    incarnation: str = "a",
    epoch: int = 5,
    standing: Standing = Standing.MEMBER,
) -> Standpoint:
    return Standpoint(incarnation=incarnation, role=role, epoch=epoch, standing=standing)


def is_alone(state: State) -> bool:
    return state.leads_alone and states.may_acknowledge(state, 1e9)


class TestAcknowledging:
    """A leader acknowledges what nobody can take from it."""

    def test_one_that_leads_alone_does(self) -> None:
        """At any time."""
        assert states.may_acknowledge(ALONE, 1e9)

    def test_one_with_a_follower_does_until_the_fence(self) -> None:
        """Then the follower may be about to take over."""
        assert states.may_acknowledge(PAIRED, FENCED - 0.01)
        assert not states.may_acknowledge(PAIRED, FENCED)

    def test_one_in_doubt_does_not(self) -> None:
        """Before the follower has a new copy."""
        assert not states.may_acknowledge(states.on_doubt(PAIRED, "s"), 100.0)
        assert states.on_doubt(PAIRED, "other") is PAIRED

    @pytest.mark.parametrize("state", [WAITING, FOLLOWING, states.ended(ALONE)])
    def test_others_do_not(self, state: State) -> None:
        """Whatever their store says."""
        assert not states.may_acknowledge(replace(state, record=SOLE), 100.0)

    def test_a_leader_that_stops_too_late_is_refused(self) -> None:
        """Timing that would allow two is no timing."""
        with pytest.raises(ValueError, match="longer than its leader"):
            Timing(fence_s=3.0, take_over_s=3.0)


class TestWaiting:
    """It leads when nobody can know more."""

    def test_the_one_that_knows_more_leads(self) -> None:
        """In an epoch above both."""
        led = states.on_answer(WAITING, peer(epoch=4), 0, 0.0)
        assert is_alone(led)
        assert led.record.epoch == 6
        assert states.on_answer(WAITING, peer(epoch=6), 0, 0.0).role is ReplicaRole.WAITING

    def test_of_equals_the_older_process_leads(self) -> None:
        """Both have everything."""
        assert not states.on_answer(WAITING, peer(incarnation="a"), 0, 0.0).leads
        assert states.on_answer(WAITING, peer(incarnation="c"), 0, 0.0).leads

    def test_nothing_is_known_of_a_new_one(self) -> None:
        """Whatever epoch it has heard of."""
        answer = peer(epoch=9, standing=Standing.NEW)
        assert is_alone(states.on_answer(WAITING, answer, 0, 0.0))

    @pytest.mark.parametrize("role", [ReplicaRole.LEADING, ReplicaRole.FOLLOWING])
    def test_one_that_leads_or_follows_is_waited_for(self, role: ReplicaRole) -> None:
        """Also by who was sole: it has been overtaken."""
        sole = replace(WAITING, record=SOLE)
        assert states.on_answer(sole, peer(role), 0, 0.0) == sole

    def test_an_answer_from_before_a_hello_does_not_count(self) -> None:
        """The other one has changed since."""
        met = states.on_hello(WAITING, peer(), 0.0)
        assert states.on_answer(met, peer(epoch=1), 0, 0.0) == met

    def test_without_an_answer_it_leads_when_it_is_sole(self) -> None:
        """Or when an operator wants it; a refused port alone proves nothing."""
        sole, forced = replace(WAITING, record=SOLE), replace(WAITING, is_forced=True)
        for event in (states.on_refused, states.on_unanswered):
            assert is_alone(event(sole, 0, 0.0))
            assert is_alone(event(forced, 0, 0.0))
            assert event(WAITING, 0, 0.0) == WAITING
        assert is_alone(states.on_dismissal(WAITING))


class TestFollowing:
    """It takes over when its leader cannot acknowledge any more."""

    def test_at_silence(self) -> None:
        """After its time, not before."""
        assert states.on_tick(FOLLOWING, TAKE_OVER - 0.01) == FOLLOWING
        assert is_alone(states.on_tick(FOLLOWING, TAKE_OVER))

    def test_at_a_refused_port(self) -> None:
        """Unless it was heard while the port was tried."""
        assert is_alone(states.on_refused(FOLLOWING, 0, 100.0))
        heard = states.on_append(FOLLOWING, 100.0)
        assert states.on_refused(heard, 0, 100.0) == heard

    def test_at_another_process_or_one_that_gave_up(self) -> None:
        """Its leader leads no more."""
        assert is_alone(states.on_answer(FOLLOWING, peer(incarnation="c"), 0, 100.0))
        assert is_alone(states.on_answer(FOLLOWING, peer(ReplicaRole.ENDED), 0, 100.0))

    def test_not_while_its_leader_answers(self) -> None:
        """Though an answer does not count as a beat."""
        leader = peer(ReplicaRole.LEADING)
        assert states.on_answer(FOLLOWING, leader, 0, TAKE_OVER - 0.01) == FOLLOWING
        assert is_alone(states.on_answer(FOLLOWING, leader, 0, TAKE_OVER))

    @pytest.mark.parametrize(
        "answer",
        [peer(ReplicaRole.LEADING, "c"), peer(ReplicaRole.WAITING, "c", 6, Standing.SOLE)],
    )
    def test_not_when_another_one_knows_more(self, answer: Standpoint) -> None:
        """It was made to lead by force."""
        assert states.on_answer(FOLLOWING, answer, 0, 100.0).role is ReplicaRole.WAITING

    def test_never_behind_a_promise(self) -> None:
        """Given to another process by the answer to its hello."""
        promised = states.on_hello(FOLLOWING, peer(incarnation="c"), 100.0)
        assert promised.role is ReplicaRole.WAITING
        assert not states.follows(promised, "s")
        late = states.on_hello(promised, peer(), 100.0)
        assert late == promised, "the process before the last one has no say"

    def test_one_that_cannot_keep_a_change_follows_no_more(self) -> None:
        """It lacks something; a leader is not touched."""
        assert states.on_unfit(FOLLOWING).role is ReplicaRole.WAITING
        assert states.on_unfit(ALONE) is ALONE


class TestLeading:
    """It goes on alone when its follower cannot have taken over."""

    def test_at_a_refused_port_before_the_fence(self) -> None:
        """Behind it the follower may have taken over before it died."""
        assert is_alone(states.on_refused(PAIRED, 0, FENCED - 0.01))
        assert states.on_refused(PAIRED, 0, FENCED) == PAIRED

    def test_not_at_silence(self) -> None:
        """That is what is given up."""
        assert states.on_unanswered(PAIRED, 0, 1e9) == PAIRED
        assert is_alone(states.on_dismissal(PAIRED))
        assert states.on_dismissal(ALONE) is ALONE

    def test_when_the_other_one_does_not_follow(self) -> None:
        """And its store does not say that it had taken over."""
        assert is_alone(states.on_answer(PAIRED, peer(incarnation="c"), 0, FENCED))
        taken = peer(incarnation="c", epoch=6, standing=Standing.SOLE)
        assert states.on_answer(PAIRED, taken, 0, FENCED).role is ReplicaRole.WAITING

    def test_it_gives_way_to_one_of_a_higher_rank(self) -> None:
        """And is sole no more, also after a restart."""
        other = peer(ReplicaRole.LEADING, epoch=6, standing=Standing.SOLE)
        for given in (states.on_answer(ALONE, other, 0, 0.0), states.on_hello(ALONE, other, 0.0)):
            assert given.role is ReplicaRole.WAITING
            assert given.record == MEMBER
        lower = peer(ReplicaRole.LEADING, epoch=4, standing=Standing.SOLE)
        assert states.on_answer(ALONE, lower, 0, 0.0) == ALONE

    def test_member_is_written_before_the_other_may_take_over(self) -> None:
        """From the first question on nothing is acknowledged but what both have."""
        asking = states.before_adoption(ALONE, "a", "t", 7.0)
        assert asking.record == MEMBER
        assert asking.heard_at == 7.0
        assert not states.may_acknowledge(asking, 7.0)
        confirmed = states.on_confirmed(asking, "t", 7.0)
        assert states.may_acknowledge(confirmed, 7.0)
        assert states.on_confirmed(asking, "s", 7.0) == asking

    def test_a_new_copy_does_not_move_the_fence(self) -> None:
        """Who follows already counts from what it heard last."""
        assert states.before_adoption(PAIRED, "a", "t", 107.0).heard_at == PAIRED.heard_at

    def test_the_epoch_rises_above_the_other_s(self) -> None:
        """Before the other one follows."""
        assert states.raised(ALONE, 4) is ALONE
        assert states.raised(ALONE, 7).record.epoch == 8


class TestAdopting:
    """A copy is taken from the one that was met last."""

    def test_of_a_leader_that_knows_more(self) -> None:
        """Its epoch is ours."""
        met = states.on_hello(WAITING, peer(ReplicaRole.LEADING, epoch=7), 0.0)
        leader = peer(ReplicaRole.LEADING, epoch=7)
        assert states.may_adopt(met, leader)
        following = states.on_adoption(met, leader, "t", 9.0)
        assert states.follows(following, "t")
        assert following.record == Record(epoch=7, standing=Standing.MEMBER)

    @pytest.mark.parametrize(
        ("state", "leader"),
        [
            (WAITING, peer(ReplicaRole.LEADING, epoch=7)),
            (replace(WAITING, peer="a"), peer(ReplicaRole.LEADING, epoch=4)),
            (replace(ALONE, peer="a"), peer(ReplicaRole.LEADING, epoch=7)),
        ],
    )
    def test_of_nobody_else(self, state: State, leader: Standpoint) -> None:
        """A stranger, one of an older epoch, or any when we lead."""
        assert not states.may_adopt(state, leader)
