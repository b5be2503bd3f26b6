"""Two name servers that keep the same names: one leads, the other follows and takes over.

Clients see ``get_status`` and the refusal ``NotLeading``; the rest is what the two say to
each other. How they decide stands in ``nameserver.replica_states``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Protocol

from msgspec import Meta

from idl_like_interfaces.declare import Role, Seconds, Value, interface, operation
from idl_like_interfaces.errors import PersistStore, RemoteError
from idl_like_interfaces.naming import Bindings

OBJECT_ID = "NameReplica"
"""Id of this object in the daemon of each name server."""

Count = Annotated[int, Meta(ge=0)]


class ReplicaRole(StrEnum):
    """What a name server does just now."""

    WAITING = "waiting"
    FOLLOWING = "following"
    LEADING = "leading"
    ENDED = "ended"


class Standing(StrEnum):
    """What a name server's store says about itself after a restart."""

    NEW = "new"
    MEMBER = "member"
    SOLE = "sole"


class Standpoint(Value, frozen=True, kw_only=True):
    """Where a name server stands, as it tells the other one.

    Attributes:
        incarnation: This start of it.
        role: What it does.
        epoch: Rises with each change of who acknowledges.
        standing: ``new``: it knows nothing; ``member``: the other one may know more;
            ``sole``: nobody knows more.
        session: Of the copy that it follows or is followed in; empty: none.
    """

    incarnation: str
    role: ReplicaRole
    epoch: Count
    standing: Standing
    session: str = ""


class LeaseTerm(Value, frozen=True, kw_only=True):
    """A lease without its age: after a take-over each has a full term again."""

    lease_id: str
    holder: str
    term_s: Seconds


class ChangeSet(Value, frozen=True, kw_only=True):
    """One step of the names; what is dropped goes before what is put comes."""

    drop_names: list[str] = []
    drop_leases: list[str] = []
    put_leases: list[LeaseTerm] = []
    put_bindings: Bindings = []


class ReplicaStatus(Value, frozen=True, kw_only=True):
    """What a name server tells people about itself and the other one.

    Attributes:
        role: What it does.
        epoch: Rises with each change of who acknowledges.
        standing: What its store says after a restart.
        incarnation: This start of it.
        acknowledges: It takes changes just now.
        peer: Address of the other one; empty: it is alone by its configuration.
        peer_state: What it knows of the other one, in words.
        silent_s: How long it has heard nothing from a leader or follower; ``None``:
            it has neither.
    """

    role: ReplicaRole
    epoch: Count
    standing: Standing
    incarnation: str
    acknowledges: bool
    peer: str = ""
    peer_state: str = ""
    silent_s: Seconds | None = None


class NotLeading(PersistStore, repository_id="IDL:obsorb/naming/NotLeading:1.0"):
    """This name server does not take it just now; it was *not* executed: ask the other one.

    Attributes:
        peer: Address of the other one.
    """

    peer: str


class NotReplicated(PersistStore, repository_id="IDL:obsorb/naming/NotReplicated:1.0"):
    """The other name server did not confirm the change: it may be in effect or not."""


class NotFollowing(RemoteError, repository_id="IDL:obsorb/naming/NotFollowing:1.0"):
    """The name server does not follow the caller (any more), and has taken nothing from it.

    Attributes:
        standpoint: Where it stands.
    """

    standpoint: Standpoint


@interface("IDL:obsorb/naming/NameReplica:1.0")
class NameReplica(Protocol):
    """One of two name servers, as the other one and operators see it."""

    @operation(idempotent=True)
    def get_status(self) -> ReplicaStatus:
        """Tell what it does, which epoch it knows and what it thinks of the other one."""

    @operation(idempotent=True, role=Role.ADMIN)
    def hello(self, caller: Standpoint) -> Standpoint:
        """Hear where the other one stands and answer in kind.

        A server that follows another incarnation than the caller's, or one that leads no
        more, stops following, before it answers: that is its promise not to take over. Copies
        that were offered before are void.
        """

    @operation(NotFollowing, idempotent=True, role=Role.ADMIN)
    def offer(self, session: str, part: Count, content: ChangeSet) -> None:
        """Take a part of a copy of all names; nothing is in effect before ``adopt``.

        Args:
            session: The copy; a new one forgets the parts of all others.
            part: From 0.
            content: Bindings and leases; contexts come before what is in them.

        Raises:
            NotFollowing: It leads, the copy is void, or has more parts than it can keep.
        """

    @operation(NotFollowing, idempotent=True, role=Role.ADMIN)
    def adopt(self, leader: Standpoint, session: str, parts: Count) -> None:
        """Make a copy its own state and follow the leader from now on.

        Args:
            leader: The caller.
            session: The copy.
            parts: How many there are, at least one.

        Raises:
            NotFollowing: It leads, a part is missing, or another incarnation than the
                leader's has said hello since.
            PersistStore: The copy could not be written.
        """

    @operation(NotFollowing, idempotent=True, role=Role.ADMIN)
    def append(self, session: str, number: Count, changes: ChangeSet) -> None:
        """Take one change; an empty one shows that the leader lives.

        Args:
            session: Of the copy that was adopted.
            number: Rises by one with each change; that of the last one repeats it, without
                effect.
            changes: What to change.

        Raises:
            NotFollowing: It does not follow in the present session, or a change is missing.
            PersistStore: The change could not be written.
        """

    @operation(role=Role.ADMIN)
    def dismiss_peer(self) -> None:
        """Lead without the other one, on the operator's word that it is dead.

        If it lives and leads, there are two leaders until they meet; then the one of the
        lower epoch forgets what it acknowledged.

        Raises:
            BadParam: There is no other one, or it has just answered that it leads.
        """
