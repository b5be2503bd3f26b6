"""What a leading name server does: nothing is acknowledged that its follower has not."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable

from typing_extensions import override

from idl_like_interfaces.errors import PersistStore, RemoteError
from idl_like_interfaces.replication import (
    ChangeSet,
    NotFollowing,
    NotReplicated,
    ReplicaRole,
    Standpoint,
)
from nameserver import replica_states as states
from nameserver.records import Changes, Snapshot
from nameserver.replica import Member, Replica
from nameserver.replica_copy import NOTHING, split, to_wire
from nameserver.replica_link import PeerLink
from nameserver.replica_states import State
from nameserver.stores import NameStore

log = logging.getLogger(__name__)

_AGAIN_S = 0.05
_COPY_AGAIN_S = 2.0


class Leadership:
    """Hands changes and copies to the follower, one after the other.

    Args:
        member: The state.
        replica: Our own.
        link: The other one.
        wait: Waits so many seconds before a change is handed over once more.
    """

    def __init__(
        self,
        member: Member,
        replica: Replica,
        link: PeerLink,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._member = member
        self._replica = replica
        self._link = link
        self._turn = threading.Lock()
        self._number = 0
        # No change was handed over in the present session, so none can be in doubt.
        self._is_untouched = False
        self._wait = wait or threading.Event().wait
        self._copy_at = 0.0
        self._why_not = ""

    def make(self, changes: Changes, reign: int) -> None:
        """Make a change here and at the follower.

        Raises:
            NotLeading: Nothing was changed.
            NotReplicated: The follower may have it or not; here it is not made.
            PersistStore: It could not be written here.
        """
        with self._turn:
            wire, was_sent = to_wire(changes), False
            while True:
                state = self._allowed(reign, was_sent=was_sent)
                if state.leads_alone:
                    break
                self._is_untouched = False
                if self._hand_over(state, self._number + 1, wire):
                    break
                was_sent = True
            self._number += 1
            self._make_here(changes, reign, was_sent=not state.leads_alone)

    def beat(self) -> None:
        """Let the follower hear us."""
        with self._turn:
            state = self._member.state
            if state.leads and state.is_synced:
                self._hand_over(state, self._number, NOTHING)

    def copy(self, follower: Standpoint) -> None:
        """Give the other one everything and make it our follower.

        One that has adopted our last copy, though its answer was lost, needs no other one.
        """
        with self._turn:
            state = self._member.state
            if self._is_untouched and follower.session and follower.session == state.session:
                self._confirm(state.session, state.heard_at)
                return
            if self._member.clock() < self._copy_at:
                self._replica.peer_state = self._why_not
                return
            try:
                self._copy(follower)
            except NotFollowing as refusal:
                self._hear(refusal.standpoint)
                self._put_off(refusal)
            except RemoteError as error:
                self._put_off(error)

    def look_if_dead(self) -> None:
        """Find out whether the other one, which did not answer, has died."""
        member = self._member
        asked = member.state.contacts
        if self._link.is_refused():
            self._replica.peer_state = "refuses connections: not running"
            member.change(
                lambda state: states.on_refused(state, asked, member.clock(), member.timing)
            )
        else:
            self._replica.peer_state = "silent"
            member.change(
                lambda state: states.on_unanswered(state, asked, member.clock(), member.timing)
            )

    def _copy(self, follower: Standpoint) -> None:
        member, session = self._member, secrets.token_hex(8)
        member.change(lambda state: states.raised(state, follower.epoch) if state.leads else state)
        parts = 0
        for content in split(member.local.load()):
            self._link.offer(session, parts, content)
            parts += 1
        sent_at = member.clock()
        state = member.change(
            lambda state: (
                states.before_adoption(state, follower.incarnation, session, sent_at)
                if state.leads
                else state
            )
        )
        if not state.leads:
            return
        self._number, self._is_untouched = 0, True
        self._link.adopt(state.standpoint, session, parts)
        self._confirm(session, sent_at)

    def _confirm(self, session: str, sent_at: float) -> None:
        self._member.change(lambda state: states.on_confirmed(state, session, sent_at))
        self._replica.peer_state = "follows"
        log.info("%s follows", self._replica.peer)

    def _put_off(self, error: RemoteError) -> None:
        self._copy_at = self._member.clock() + _COPY_AGAIN_S
        self._why_not = self._replica.peer_state = f"cannot take a copy: {error.message}"
        log.warning("%s does not take a copy of the names: %s", self._replica.peer, error)

    def _allowed(self, reign: int, *, was_sent: bool) -> State:
        """Return the state when a change may be made in it."""
        state = self._member.state
        if state.reign == reign and self._member.may_acknowledge():
            return state
        if not was_sent:
            raise self._replica.not_leading()
        raise self._in_doubt(state)

    def _hand_over(self, state: State, number: int, wire: ChangeSet) -> bool:
        """Give the follower a change and tell whether it has it."""
        sent_at = self._member.clock()
        try:
            self._link.append(state.session, number, wire)
        except NotFollowing as refusal:
            self._hear(refusal.standpoint)
            self._member.change(lambda now: states.on_doubt(now, state.session))
        except RemoteError as error:
            log.debug("no answer of the follower: %s", error.briefly())
            self.look_if_dead()
            self._wait(_AGAIN_S)
        else:
            self._replica.peer_state = "follows"
            self._member.change(lambda now: states.on_confirmed(now, state.session, sent_at))
            return True
        return False

    def _hear(self, standpoint: Standpoint) -> None:
        member = self._member
        asked = member.state.contacts
        self._replica.peer_state = f"is {standpoint.role}"
        member.change(
            lambda state: states.on_answer(state, standpoint, asked, member.clock(), member.timing)
        )

    def _make_here(self, changes: Changes, reign: int, *, was_sent: bool) -> None:
        member = self._member
        with member.lock:
            state = member.state
            if not state.leads or state.reign != reign:
                raise self._in_doubt(state) if was_sent else self._replica.not_leading()
            try:
                member.local.apply(changes)
            except PersistStore:
                # The follower has it: what it has more is taken from it with a new copy.
                member.change(lambda now: states.on_doubt(now, state.session))
                raise

    def _in_doubt(self, state: State) -> NotReplicated:
        self._member.change(lambda now: states.on_doubt(now, state.session))
        return NotReplicated(
            f"the other name server, {self._replica.peer}, has not confirmed the change: "
            "it may be in effect or not",
            cause="it hangs, its host is gone, or it leads by now",
            remedy="look what is bound and try again; `obsorb names ping` shows both, "
            "`obsorb names dismiss` ends the wait for one that is dead",
        )


class LeaderStore(NameStore):
    """The store of a servant during one reign.

    Args:
        leadership: Makes the changes.
        local: What there is.
        reign: When it is over, nothing is changed any more.
    """

    def __init__(self, leadership: Leadership, local: NameStore, reign: int) -> None:
        self._leadership = leadership
        self._local = local
        self._reign = reign

    @override
    def load(self) -> Snapshot:
        return self._local.load()

    @override
    def apply(self, changes: Changes) -> None:
        self._leadership.make(changes, self._reign)

    @override
    def close(self) -> None:
        """Nothing to release: the local store belongs to the name server."""


def wants_a_copy(state: State, answer: Standpoint) -> bool:
    """Tell whether the other one shall be made our follower (again)."""
    return (
        state.leads
        and not state.is_synced
        and answer.role in {ReplicaRole.WAITING, ReplicaRole.FOLLOWING}
    )
