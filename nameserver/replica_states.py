"""Who of two name servers leads: pure decisions, clock passed in.

Each server keeps a *record* with its store (epoch and standing) and a *state* in memory.
What it observes of the other one is an event; each function here is one event and returns
the next state. The right to acknowledge changes moves like this:

| state | acknowledges | becomes |
|---|---|---|
| waiting | no | leading alone: the other waits too and knows no more; or the store says ``sole`` \
and the other does not answer that it leads; or an operator says so |
| | | following: it has taken the leader's copy |
| following | no | leading alone: the leader's port refuses, its process is another one or \
has given up, or it was silent for ``take_over_s`` |
| | | waiting: another incarnation than its leader says hello (a promise not to take over) |
| leading alone (``sole``) | yes | leading with a follower: just before it asks the other one to \
adopt a copy |
| | | waiting: the other leads with a higher rank |
| leading with a follower (``member``) | what the follower has too, within ``fence_s`` after it \
last heard it | leading alone: the follower's port refuses within ``fence_s``; or it answers that \
it does not follow and knows no more; or an operator says so |
| | | waiting: the other knows more |
| ended | no | |

Why there are never two that acknowledge: a follower needs ``take_over_s`` of silence, counted
from the receipt of a message, and the leader stops ``fence_s`` after it *sent* the last message
that was answered; that is earlier. Who leads alone has first written ``sole`` into its store,
and ``member`` before it lets the other one adopt; so after a restart at most one store says
``sole``, and who reads ``member`` leads only after it has talked to the other one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from idl_like_interfaces.replication import ReplicaRole, Standing, Standpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When silence means something; seconds.

    Attributes:
        beat_s: A leader lets its follower hear it, and everybody asks, in this period.
        worry_s: A follower that hears nothing for so long asks whether its leader lives.
        fence_s: A leader that hears nothing for so long acknowledges no change.
        take_over_s: A follower that hears nothing for so long takes over.

    Raises:
        ValueError: A follower would take over before its leader has stopped.
    """

    beat_s: float = 0.25
    worry_s: float = 0.6
    fence_s: float = 2.0
    take_over_s: float = 3.0

    def __post_init__(self) -> None:
        if not 0 < self.beat_s < self.fence_s < self.take_over_s:
            message = "a follower must wait longer than its leader acknowledges"
            raise ValueError(message)


TIMING = Timing()

_REMEMBERED = 16
"""Incarnations whose late messages are told apart; they live seconds, not generations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a restart does not forget."""

    epoch: int = 0
    standing: Standing = Standing.NEW

    @property
    def rank(self) -> tuple[bool, int, bool]:
        """Compare two of them: the greater one knows everything that the other one knows."""
        return self.standing is not Standing.NEW, self.epoch, self.standing is Standing.SOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a server stands.

    Attributes:
        incarnation: This start of it.
        record: As in its store.
        role: What it does.
        reign: Counts the times that it began to lead.
        peer: Incarnation that said hello last.
        past: Those that did before; a message of theirs that comes late means nothing.
        partner: Incarnation that it follows, or that follows it.
        session: Of the copy that both have.
        is_synced: Leading: the follower has everything.
        heard_at: Following: when the last message of the leader came. Leading: when the
            last message was sent that the follower has answered.
        contacts: Counts the messages of the other one: what was observed before the
            last of them does not count.
        is_forced: An operator wants it to lead.
    """

    incarnation: str
    record: Record = Record()
    role: ReplicaRole = ReplicaRole.WAITING
    reign: int = 0
    peer: str = ""
    past: tuple[str, ...] = ()
    partner: str = ""
    session: str = ""
    is_synced: bool = False
    heard_at: float = 0.0
    contacts: int = 0
    is_forced: bool = False

    @property
    def leads(self) -> bool:
        """Tell whether it leads, alone or not."""
        return self.role is ReplicaRole.LEADING

    @property
    def leads_alone(self) -> bool:
        """Tell whether nobody else may take over."""
        return self.leads and self.record.standing is Standing.SOLE

    @property
    def standpoint(self) -> Standpoint:
        """Say it to the other one."""
        return Standpoint(
            incarnation=self.incarnation,
            role=self.role,
            epoch=self.record.epoch,
            standing=self.record.standing,
            session=self.session,
        )


def may_acknowledge(state: State, now: float, timing: Timing = TIMING) -> bool:
    """Tell whether a change may be acknowledged at this moment."""
    return state.leads_alone or (
        state.leads and state.is_synced and not _fenced(state, now, timing)
    )


def alone(state: State, above: int = 0) -> State:
    """Lead alone from now on, in a new epoch above all that are known."""
    return replace(
        state,
        record=Record(epoch=max(state.record.epoch, above) + 1, standing=Standing.SOLE),
        role=ReplicaRole.LEADING,
        reign=state.reign if state.leads else state.reign + 1,
        partner="",
        session="",
        is_synced=False,
        is_forced=False,
    )


def ended(state: State) -> State:
    """Acknowledge nothing any more."""
    return replace(state, role=ReplicaRole.ENDED, partner="", session="", is_synced=False)


def on_hello(state: State, caller: Standpoint, now: float) -> State:
    """The other one says where it stands, and will be answered."""
    if caller.incarnation in state.past:
        return state
    state = _met(state, caller.incarnation)
    if state.role is ReplicaRole.FOLLOWING:
        if caller.incarnation == state.partner and caller.role is ReplicaRole.LEADING:
            return replace(state, heard_at=now)
        return _waiting(state)
    if state.leads and caller.role is ReplicaRole.LEADING and _is_outranked(state, caller):
        return _waiting(state)
    return state


def on_answer(
    state: State, answer: Standpoint, asked: int, now: float, timing: Timing = TIMING
) -> State:
    """The other one has answered our hello.

    Args:
        state: Now.
        answer: Where it stood.
        asked: ``contacts`` when we asked.
        now: Monotonic time.
        timing: See there.
    """
    if state.leads:
        return _leader_on_answer(state, answer, now, timing)
    if state.contacts != asked:
        return on_tick(state, now, timing)
    if state.role is ReplicaRole.WAITING:
        return _waiting_on_answer(state, answer)
    if state.role is ReplicaRole.FOLLOWING:
        return _follower_on_answer(state, answer, now, timing)
    return state


def on_refused(state: State, asked: int, now: float, timing: Timing = TIMING) -> State:
    """The other one's port refuses a connection: its process is dead, on a living host."""
    if state.leads and not state.leads_alone:
        # Later the follower may have taken over before it died.
        return state if _fenced(state, now, timing) else alone(state)
    if state.role is ReplicaRole.FOLLOWING and state.contacts == asked:
        return alone(state)
    return on_unanswered(state, asked, now, timing)


def on_unanswered(state: State, asked: int, now: float, timing: Timing = TIMING) -> State:
    """The other one neither answers nor refuses."""
    if state.role is ReplicaRole.WAITING and state.contacts == asked and _needs_nobody(state):
        return alone(state)
    return on_tick(state, now, timing)


def on_tick(state: State, now: float, timing: Timing = TIMING) -> State:
    """Time has passed."""
    if state.role is ReplicaRole.FOLLOWING and now >= state.heard_at + timing.take_over_s:
        return alone(state)
    return state


def on_dismissal(state: State) -> State:
    """An operator says that the other one is dead."""
    if state.role in {ReplicaRole.WAITING, ReplicaRole.FOLLOWING} or (
        state.leads and not state.leads_alone
    ):
        return alone(state)
    return state


def before_adoption(state: State, follower: str, session: str, now: float) -> State:
    """The other one will be asked to adopt a copy: from then on it may take over.

    One that follows already could do so before: its silence counts from what it heard last.
    """
    return replace(
        state,
        record=replace(state.record, standing=Standing.MEMBER),
        partner=follower,
        session=session,
        is_synced=False,
        heard_at=now if state.leads_alone else state.heard_at,
    )


def on_confirmed(state: State, session: str, sent_at: float) -> State:
    """The follower has what was sent to it at that time, and with it everything."""
    if not state.leads or state.session != session:
        return state
    return replace(state, is_synced=True, heard_at=max(state.heard_at, sent_at))


def on_doubt(state: State, session: str) -> State:
    """It is not known whether the follower has a change: it needs a new copy."""
    return replace(state, is_synced=False) if state.session == session else state


def raised(state: State, above: int) -> State:
    """Lead on in an epoch above one that the other one knows."""
    if above < state.record.epoch:
        return state
    return replace(state, record=replace(state.record, epoch=above + 1))


def may_adopt(state: State, leader: Standpoint) -> bool:
    """Tell whether a copy of that leader may become our own state."""
    return (
        state.role in {ReplicaRole.WAITING, ReplicaRole.FOLLOWING}
        and leader.incarnation == state.peer
        and leader.epoch >= state.record.epoch
    )


def on_adoption(state: State, leader: Standpoint, session: str, now: float) -> State:
    """The leader's copy is our own state: follow."""
    return replace(
        state,
        record=Record(epoch=leader.epoch, standing=Standing.MEMBER),
        role=ReplicaRole.FOLLOWING,
        partner=leader.incarnation,
        session=session,
        heard_at=now,
        contacts=state.contacts + 1,
        is_forced=False,
    )


def follows(state: State, session: str) -> bool:
    """Tell whether a change of that session may be taken."""
    return state.role is ReplicaRole.FOLLOWING and state.session == session


def on_unfit(state: State) -> State:
    """A change or a copy cannot be kept here: a follower that lacks something is none."""
    return _waiting(state) if state.role is ReplicaRole.FOLLOWING else state


def on_append(state: State, now: float) -> State:
    """The leader was heard in our session."""
    return replace(state, heard_at=now, contacts=state.contacts + 1)


def _met(state: State, incarnation: str) -> State:
    past = state.past
    if state.peer and state.peer != incarnation:
        past = (*past, state.peer)[-_REMEMBERED:]
    return replace(state, contacts=state.contacts + 1, peer=incarnation, past=past)


def _waiting(state: State) -> State:
    """Give up leading or following; who was sole by force is so no more."""
    is_sole = state.record.standing is Standing.SOLE
    return replace(
        state,
        record=replace(state.record, standing=Standing.MEMBER) if is_sole else state.record,
        role=ReplicaRole.WAITING,
        partner="",
        session="",
        is_synced=False,
        is_forced=False,
    )


def _waiting_on_answer(state: State, answer: Standpoint) -> State:
    if answer.role in {ReplicaRole.LEADING, ReplicaRole.FOLLOWING}:
        return state
    if state.is_forced or not _is_outranked(state, answer):
        return alone(state, answer.epoch)
    return state


def _follower_on_answer(state: State, answer: Standpoint, now: float, timing: Timing) -> State:
    is_leader = answer.incarnation == state.partner
    if answer.role is ReplicaRole.LEADING:
        # That it answers does not count as its beat: what it acknowledges needs that.
        return on_tick(state, now, timing) if is_leader else _waiting(state)
    if not is_leader and _record(answer).rank > state.record.rank:
        return _waiting(state)
    return alone(state, answer.epoch)


def _leader_on_answer(state: State, answer: Standpoint, now: float, timing: Timing) -> State:
    if answer.role is ReplicaRole.LEADING:
        return _waiting(state) if _is_outranked(state, answer) else state
    if state.leads_alone:
        return state
    is_following = answer.role is ReplicaRole.FOLLOWING and answer.incarnation == state.partner
    if is_following:
        return state
    # The follower's process has ended, or has stopped following: had it led in between,
    # its record would say so.
    if _fenced(state, now, timing) and _record(answer).rank > state.record.rank:
        return _waiting(state)
    return alone(state, answer.epoch)


def _needs_nobody(state: State) -> bool:
    return state.is_forced or state.record.standing is Standing.SOLE


def _fenced(state: State, now: float, timing: Timing) -> bool:
    return now >= state.heard_at + timing.fence_s


def _record(standpoint: Standpoint) -> Record:
    return Record(epoch=standpoint.epoch, standing=standpoint.standing)


def _is_outranked(state: State, other: Standpoint) -> bool:
    """Tell who goes first; of equals the one that started earlier."""
    theirs, ours = _record(other).rank, state.record.rank
    return theirs > ours or (theirs == ours and other.incarnation < state.incarnation)
