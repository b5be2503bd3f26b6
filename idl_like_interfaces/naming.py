"""The name service: hierarchical names for objects, after CosNaming, with leases.

A name is a path of components joined by ``/``, e.g. ``obs/ocm/daq``. A component
has 1 to 64 characters of ``A-Z a-z 0-9 . _ ~ + : -``. The empty name is the root
context.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Protocol, TypeAlias

from idl_like_interfaces.declare import Role, Seconds, UtcTime, Value, interface, operation
from idl_like_interfaces.errors import RemoteError

OBJECT_ID = "NameService"
"""Id of the root context in the name server's daemon (as in CORBA's corbaloc)."""

REFERENCE = re.compile(r"PYRO:\S+@(?:\./u:[^\s:]+|(?:\[[0-9A-Fa-f:.%]+\]|[^\s:@\[\]]+):\d{1,5})")
"""Form of a reference to an object: ``PYRO:id@host:port``."""

DEFAULT_PORT = 9090
"""Port of a name server unless it is told another."""


class BindingType(StrEnum):
    """What a name stands for."""

    OBJECT = "object"
    CONTEXT = "context"


class Binding(Value, frozen=True, kw_only=True):
    """One name and what it stands for.

    Attributes:
        name: The full path from the root context.
        type: An object or a context.
        uri: Where the object is (``PYRO:id@host:port``); empty for a context.
        interface: Repository id of the object's most derived interface; may be empty.
        metadata: Free marks of the binder, key to value.
        lease_id: The lease under which it stands; empty: until it is unbound.
        bound_at: When it was bound.
    """

    name: str
    type: BindingType = BindingType.OBJECT
    uri: str = ""
    interface: str = ""
    metadata: dict[str, str] = {}
    lease_id: str = ""
    bound_at: UtcTime


Bindings: TypeAlias = list[Binding]


class Listing(Value, frozen=True, kw_only=True):
    """A page of bindings, sorted by name.

    Attributes:
        bindings: The page.
        more: Give this as ``after`` to get the next page; empty at the end.
    """

    bindings: Bindings
    more: str = ""


class Lease(Value, frozen=True, kw_only=True):
    """The right to keep names bound for as long as it is renewed.

    Attributes:
        lease_id: Give it to ``bind`` and ``renew_lease``.
        holder: Who took it, e.g. a component's name.
        term_s: It ends this long after the last renewal (monotonic time).
        remaining_s: What is left of the term now.
        name_count: How many names stand under it now; a holder that has bound more of them
            binds those again.
    """

    lease_id: str
    holder: str
    term_s: Seconds
    remaining_s: Seconds
    name_count: int = 0


Leases: TypeAlias = list[Lease]


class Resolution(Value, frozen=True, kw_only=True):
    """What became of one name of many.

    Attributes:
        name: As it was asked for.
        binding: What it stands for; ``None``: it was not found or is no name.
        refusal: Why there is no binding; empty with one.
    """

    name: str
    binding: Binding | None = None
    refusal: str = ""


Resolutions: TypeAlias = list[Resolution]


class ChangeKind(StrEnum):
    """What happened to a name."""

    BOUND = "bound"
    UNBOUND = "unbound"


class Change(Value, frozen=True, kw_only=True):
    """One change of the bindings.

    Attributes:
        kind: ``bound`` also for a name that stands for something else now.
        binding: What is bound now, or what was unbound.
    """

    kind: ChangeKind
    binding: Binding


class ChangeList(Value, frozen=True, kw_only=True):
    """Changes of the bindings in their order.

    Attributes:
        changes: The changes; empty when nothing happened in time.
        token: Give it as ``since`` to get what follows.
        is_snapshot: They are the bindings that there are: forget what was known before.
            It is so for an empty token, and for one from before a restart of
            the name server or of more changes ago than it remembers.
        has_more: The next call is answered at once; after a snapshot, what is known is
            not complete until then.
    """

    changes: list[Change]
    token: str
    is_snapshot: bool = False
    has_more: bool = False


class NotFoundReason(StrEnum):
    """Why a name was not found."""

    MISSING_NODE = "missing_node"
    NOT_CONTEXT = "not_context"
    NOT_OBJECT = "not_object"


class NamingError(RemoteError, repository_id="IDL:obsorb/naming/NamingError:1.0"):
    """Base of the name service's refusals; the bindings are unchanged."""


class NotFound(
    NamingError,
    LookupError,
    repository_id="IDL:omg.org/CosNaming/NamingContext/NotFound:1.0",
):
    """A component of the name does not exist or is of the wrong kind.

    Attributes:
        why: Which of the two.
        rest_of_name: The part of the name from the offending component on.
    """

    why: NotFoundReason
    rest_of_name: str


class AlreadyBound(
    NamingError, repository_id="IDL:omg.org/CosNaming/NamingContext/AlreadyBound:1.0"
):
    """The name is taken.

    Attributes:
        name: The name.
        uri: What it stands for; empty for a context.
    """

    name: str
    uri: str


class NotEmpty(NamingError, repository_id="IDL:omg.org/CosNaming/NamingContext/NotEmpty:1.0"):
    """The context still has bindings.

    Attributes:
        name: The context.
    """

    name: str


class InvalidName(
    NamingError,
    ValueError,
    repository_id="IDL:omg.org/CosNaming/NamingContext/InvalidName:1.0",
):
    """The text is not a name.

    Attributes:
        name: The text.
    """

    name: str


class NoSuchLease(NamingError, LookupError, repository_id="IDL:obsorb/naming/NoSuchLease:1.0"):
    """The lease never existed or has ended; its names are gone: take a new one.

    Attributes:
        lease_id: The lease that was named.
    """

    lease_id: str


@interface("IDL:omg.org/CosNaming/NamingContext:1.1")
class NamingContext(Protocol):
    """The root context; every name is a path from it.

    What is acknowledged survives a crash of the name server when its store is
    on disk. A lease that runs out unbinds its names; contexts have no lease.
    After a restart of the server each lease gets a full term again.
    """

    @operation(NotFound, AlreadyBound, InvalidName, NoSuchLease, role=Role.ENGINEER)
    def bind(
        self,
        name: str,
        uri: str,
        interface: str = "",
        metadata: dict[str, str] = {},
        lease_id: str = "",
    ) -> None:
        """Give a name to an object.

        Args:
            name: Path; all contexts above must exist.
            uri: ``PYRO:id@host:port``.
            interface: Repository id of its most derived interface.
            metadata: Free marks.
            lease_id: Stand under this lease; empty: until ``unbind``.

        Raises:
            NotFound: A context above does not exist or is an object.
            AlreadyBound: The name is taken.
            InvalidName: It is not a name, or the root.
            NoSuchLease: The lease has ended.
        """

    @operation(NotFound, AlreadyBound, InvalidName, NoSuchLease, role=Role.ENGINEER)
    def rebind(
        self,
        name: str,
        uri: str,
        interface: str = "",
        metadata: dict[str, str] = {},
        lease_id: str = "",
    ) -> None:
        """As ``bind``, but replace the object that has the name.

        Raises:
            NotFound: A context above does not exist or is an object.
            AlreadyBound: The name is taken by a context.
            InvalidName: It is not a name, or the root.
            NoSuchLease: The lease has ended.
        """

    @operation(NotFound, InvalidName, idempotent=True)
    def resolve(self, name: str) -> Binding:
        """Return what a name stands for, an object or a context.

        Raises:
            NotFound: There is no such name.
            InvalidName: It is not a name.
        """

    @operation(idempotent=True)
    def resolve_many(self, names: list[str]) -> Resolutions:
        """Return what many names stand for, one outcome for each, in their order.

        Args:
            names: At most 10 000.

        Raises:
            BadParam: They are too many.
        """

    @operation(idempotent=True, long_poll=True)
    def changes(self, since: str = "", timeout_s: Seconds = 25.0) -> ChangeList:
        """Return what changed, at once when something did, else when it does.

        A client that keeps the bindings of each answer and gives its token with the
        next call knows all bindings, without a hole. Long answers come in pages
        (``has_more``).

        Args:
            since: The token of the answer before; empty: all that is bound.
            timeout_s: How long to wait for a change, at most 60 s.

        Raises:
            BadParam: It is no token.
        """

    @operation(NotFound, InvalidName, role=Role.ENGINEER)
    def unbind(self, name: str) -> None:
        """Take the name from an object.

        Raises:
            NotFound: There is no such name, or it is a context (see ``destroy``).
            InvalidName: It is not a name, or the root.
        """

    @operation(NotFound, AlreadyBound, InvalidName, role=Role.ENGINEER)
    def bind_new_context(self, name: str) -> None:
        """Make an empty context.

        Raises:
            NotFound: A context above does not exist or is an object.
            AlreadyBound: The name is taken.
            InvalidName: It is not a name, or the root.
        """

    @operation(NotFound, NotEmpty, InvalidName, role=Role.ADMIN)
    def destroy(self, name: str) -> None:
        """Remove an empty context.

        Raises:
            NotFound: There is no such name, or it is an object.
            NotEmpty: It still has bindings.
            InvalidName: It is not a name, or the root.
        """

    @operation(InvalidName, role=Role.ENGINEER)
    def grant_lease(self, holder: str, term_s: Seconds) -> Lease:
        """Take a lease.

        Args:
            holder: Who takes it, for people to read.
            term_s: From 0.1 to 3600 s.

        Raises:
            InvalidName: The holder is empty.
            BadParam: The term is out of range.
        """

    @operation(NoSuchLease, idempotent=True, role=Role.ENGINEER)
    def renew_lease(self, lease_id: str) -> Lease:
        """Begin the term anew.

        Raises:
            NoSuchLease: It has ended: take a new one and bind again.
        """

    @operation(NoSuchLease, role=Role.ENGINEER)
    def release_lease(self, lease_id: str) -> None:
        """End a lease and unbind its names.

        Raises:
            NoSuchLease: It has ended already.
        """

    @operation(idempotent=True)
    def list_leases(self) -> Leases:
        """Return the leases that stand, sorted by holder."""

    @operation(idempotent=True)
    def find(self, interface: str, below: str = "") -> Bindings:
        """Return the objects that implement an interface, sorted by name.

        Args:
            interface: Repository id; with a version: that or a compatible newer one.
            below: Only names in this context.

        Raises:
            BadParam: It is not a repository id.
        """

    @operation(NotFound, InvalidName, idempotent=True)
    def list(
        self, name: str = "", recursive: bool = False, how_many: int = 0, after: str = ""
    ) -> Listing:
        """Return the bindings of a context.

        Args:
            name: The context; empty: the root.
            recursive: Also those of the contexts in it.
            how_many: Length of a page; 0: all.
            after: Where the page before ended.

        Raises:
            NotFound: There is no such context.
            InvalidName: It is not a name.
        """
