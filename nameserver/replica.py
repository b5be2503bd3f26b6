"""One of two name servers: its state under one lock, and what the other one may ask of it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from typing_extensions import override

from idl_like_interfaces.errors import BadParam, PersistStore, RemoteError
from idl_like_interfaces.replication import (
    ChangeSet,
    NameReplica,
    NotFollowing,
    NotLeading,
    ReplicaRole,
    ReplicaStatus,
    Standpoint,
)
from nameserver import replica_states as states
from nameserver.replica_copy import from_wire, lost, replacing
from nameserver.replica_link import PeerLink
from nameserver.replica_record import RecordKeeper
from nameserver.replica_states import TIMING, State, Timing
from nameserver.stores import NameStore

log = logging.getLogger(__name__)

_MOST_PARTS = 20_000
"""Of a copy: ten million names; who sends more than that is no name server."""

_REMEMBERED = 16
"""Copies that were given up: what comes of them late is refused."""

_SHOWN = 20


class Member:
    """The state of a name server; each change of it is in its record before it is visible.

    Args:
        local: Its own store.
        keeper: Its record.
        incarnation: This start of it.
        clock: Monotonic time.
        timing: What silence means.
        is_forced: An operator wants it to lead.

    Attributes:
        lock: Held while the state or, by a follower, the store is changed.
        local: As given.
        clock: As given.
        timing: As given.
    """

    def __init__(
        self,
        local: NameStore,
        keeper: RecordKeeper,
        incarnation: str,
        clock: Callable[[], float],
        *,
        timing: Timing = TIMING,
        is_forced: bool = False,
    ) -> None:
        self.lock = threading.RLock()
        self.local = local
        self.clock = clock
        self.timing = timing
        self._keeper = keeper
        self._state = State(incarnation=incarnation, record=keeper.record, is_forced=is_forced)
        self._paused_s = 0.0

    @property
    def state(self) -> State:
        """The state now."""
        return self._state

    def change(self, event: Callable[[State], State]) -> State:
        """Let something happen and return the state behind it.

        Raises:
            PersistStore: The record could not be written and what it allows does not begin;
                a right that ends has ended all the same.
        """
        with self.lock:
            before, after = self._state, event(self._state)
            if after is before:
                return before
            try:
                self._keeper.write(after.record)
            except PersistStore as error:
                if after.leads or after.role is ReplicaRole.FOLLOWING:
                    raise
                log.error("%s", error)
            self._paused_s += self._paused(before, after)
            self._state = after
            _tell(before, after)
            return after

    def may_acknowledge(self) -> bool:
        """Tell whether a change may be acknowledged now."""
        return states.may_acknowledge(self._state, self.clock(), self.timing)

    def lease_time(self) -> float:
        """Return a monotonic time that stands still while nothing may be acknowledged.

        Who cannot renew a lease, because its name server is cut off, must not lose it there.
        """
        with self.lock:
            now = self.clock()
            return min(now, self._fence_at(self._state, now)) - self._paused_s

    def _paused(self, before: State, after: State) -> float:
        """Return by how much the leases' time stood still until now, once it goes on."""
        now = self.clock()
        if not before.leads or not after.leads or self._fence_at(after, now) < now:
            return 0.0
        return max(0.0, now - self._fence_at(before, now))

    def _fence_at(self, state: State, now: float) -> float:
        return now if state.leads_alone else state.heard_at + self.timing.fence_s


class Replica(NameReplica):
    """What the other name server and operators call.

    Args:
        member: The state.
        link: The other one; ``None``: there is none.
    """

    def __init__(self, member: Member, link: PeerLink | None) -> None:
        self._member = member
        self._link = link
        self._session = ""
        self._parts: dict[int, ChangeSet] = {}
        self._closed: deque[str] = deque(maxlen=_REMEMBERED)
        self._number = 0
        self.peer_state = "not heard yet" if link else "none"

    @property
    def peer(self) -> str:
        """Address of the other one; empty: there is none."""
        return ":".join(map(str, self._link.address)) if self._link else ""

    @override
    def get_status(self) -> ReplicaStatus:
        member = self._member
        state, now = member.state, member.clock()
        has_partner = bool(state.partner)
        return ReplicaStatus(
            role=state.role,
            epoch=state.record.epoch,
            standing=state.record.standing,
            incarnation=state.incarnation,
            acknowledges=states.may_acknowledge(state, now, member.timing),
            peer=self.peer,
            peer_state=self.peer_state,
            silent_s=max(0.0, now - state.heard_at) if has_partner else None,
        )

    @override
    def hello(self, caller: Standpoint) -> Standpoint:
        if self._link is None:
            log.warning("a name server takes this one for its peer; this one has no --peer")
            return self._member.state.standpoint
        with self._member.lock:
            # The answer must not be overtaken by an adoption that is still under way.
            self._forget_copy()
            return self._member.change(
                lambda state: states.on_hello(state, caller, self._member.clock())
            ).standpoint

    @override
    def offer(self, session: str, part: int, content: ChangeSet) -> None:
        with self._member.lock:
            if self._member.state.leads or part >= _MOST_PARTS or session in self._closed:
                raise self._not_following("takes no copy")
            if session != self._session:
                self._forget_copy()
                self._session = session
            self._parts[part] = content

    @override
    def adopt(self, leader: Standpoint, session: str, parts: int) -> None:
        member = self._member
        with member.lock:
            if states.follows(member.state, session):
                return
            if not states.may_adopt(member.state, leader):
                raise self._not_following("does not follow that leader")
            if self._session != session or self._parts.keys() != set(range(parts)):
                raise self._not_following("has not got the whole copy")
            self._replace([self._parts[number] for number in range(parts)])
            self._forget_copy()
            self._number = 0
            self.peer_state = "leads"
            member.change(lambda state: states.on_adoption(state, leader, session, member.clock()))

    @override
    def append(self, session: str, number: int, changes: ChangeSet) -> None:
        member = self._member
        with member.lock:
            is_next = number == self._number + 1
            if not states.follows(member.state, session) or not (is_next or number == self._number):
                raise self._not_following("does not follow in the present session")
            if is_next:
                self._apply(changes)
                self._number = number
            member.change(lambda state: states.on_append(state, member.clock()))

    @override
    def dismiss_peer(self) -> None:
        if self._link is None:
            raise BadParam(
                "this name server has no other one that could be dismissed",
                field="peer",
                remedy="nothing is to be done: it leads alone",
            )
        if self._peer_leads(self._link):
            raise BadParam(
                f"the name server {self.peer} answers that it leads: it is not dismissed",
                field="peer",
                cause="it lives, and both reach each other",
                remedy="end it first, if this one shall lead",
            )
        log.warning("an operator has dismissed the other name server, %s", self.peer)
        self._member.change(states.on_dismissal)

    def not_leading(self) -> NotLeading:
        """Return the refusal of everything that only a leader may do."""
        state = self._member.state
        return NotLeading(
            f"this name server is {state.role}: it does not take this now",
            cause="the other name server leads, or must be heard before anything is acknowledged "
            f"(it: {self.peer_state})",
            remedy=f"ask {self.peer or 'the other one'}; give clients both addresses "
            "(--names A,B); `obsorb names ping` shows both, `obsorb names dismiss` ends the wait "
            "for one that is dead",
            peer=self.peer,
        )

    def _forget_copy(self) -> None:
        if self._session:
            self._closed.append(self._session)
        self._session, self._parts = "", {}

    def _peer_leads(self, link: PeerLink) -> bool:
        try:
            return link.hello(self._member.state.standpoint).role is ReplicaRole.LEADING
        except RemoteError:
            return False

    def _not_following(self, why: str) -> NotFollowing:
        standpoint = self._member.state.standpoint
        return NotFollowing(
            f"this name server is {standpoint.role} in epoch {standpoint.epoch} and {why}",
            standpoint=standpoint,
        )

    def _apply(self, changes: ChangeSet) -> None:
        try:
            self._member.local.apply(from_wire(changes))
        except PersistStore as error:
            raise self._unfit(error) from error

    def _replace(self, parts: list[ChangeSet]) -> None:
        try:
            old = self._member.local.load()
            new = replacing(old, parts)
            self._member.local.apply(new)
        except PersistStore as error:
            raise self._unfit(error) from error
        if gone := lost(old, new.put_bindings):
            log.warning(
                "%d names that this name server had are gone or changed at the leader: %s",
                len(gone), ", ".join(gone[:_SHOWN]) + (", ..." if len(gone) > _SHOWN else ""),
            )  # fmt: skip
        log.info("follows with a copy of %d names", len(new.put_bindings))

    def _unfit(self, error: PersistStore) -> NotFollowing:
        log.error("cannot follow: %s", error.explain())
        self._member.change(states.on_unfit)
        return self._not_following(f"cannot keep it: {error.message}")


def _tell(before: State, after: State) -> None:
    """Log what an operator wants to know of a change of state."""
    if before.leads and not after.leads and after.role is ReplicaRole.WAITING:
        loss = "; what only this one acknowledged is lost" if before.leads_alone else ""
        log.warning(
            "gives way in epoch %d to the other name server, which knows more%s",
            before.record.epoch, loss,
        )  # fmt: skip
    elif before.role is not after.role:
        log.info("is %s now, was %s, epoch %d", after.role, before.role, after.record.epoch)
    elif after.leads and before.leads_alone is not after.leads_alone:
        how = "alone" if after.leads_alone else "with a follower"
        log.info("leads %s in epoch %d", how, after.record.epoch)
