"""What a stub calls: the object, its interface, how it is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from idl_like_interfaces.declare import Interface, interface_of
from idl_like_interfaces.description import InterfaceDescription, digest_of_interface
from idl_like_interfaces.errors import CommFailure, InterfaceMismatch, RemoteError
from idl_like_interfaces.idl.compare import explain_mismatch
from idl_like_interfaces.mapping.calling.dialing import Place
from idl_like_interfaces.mapping.calling.outcome import (
    Lost,
    NotExecuted,
    NotResolved,
    Unanswered,
    told,
    unreachable,
)
from idl_like_interfaces.mapping.calling.outgoing import Request
from idl_like_interfaces.mapping.context import CallIds, current_caller, serving
from idl_like_interfaces.object import Object

Resolve = Callable[[str], str]

_OF_ALL = interface_of(Object).operations


@dataclass(slots=True, kw_only=True)
class Target:
    """What all callers of one stub share.

    Attributes:
        reference: A URI or a name.
        interface: What the object must implement.
        resolve: Turns a name into a URI.
        deadline_s: How long a call may take.
        ids: Makes the marks of the calls.
        free_ids: Of those calls that an object does not remember, since they may come twice.
        is_checked: The object has said that it has the interface.
        fixed: Where it is when the reference is a URI.
    """

    reference: str
    interface: Interface
    resolve: Resolve | None
    deadline_s: float
    ids: CallIds = field(default_factory=CallIds)
    free_ids: CallIds = field(default_factory=CallIds)
    is_checked: bool
    fixed: Place | None

    def mark(self, request: Request, left_s: float) -> bytes:
        """Return id and time of an attempt to make a call."""
        # An object remembers a batch, whatever it holds.
        is_free = request.is_idempotent and not request.flags
        return (self.free_ids if is_free else self.ids).mark(left_s)

    def find(self, until: float) -> Place:
        """Find out where the object is, asking the name service if need be.

        Args:
            until: When the time for it is over (monotonic).

        Raises:
            NotResolved: The name service cannot be asked.
            RemoteError: It knows no such object.
        """
        if self.fixed is not None:
            return self.fixed
        assert self.resolve is not None
        try:
            with serving(until, current_caller()):
                return Place.parse(self.resolve(self.reference))
        except CommFailure as error:
            raise NotResolved(str(error)) from error

    def question(self) -> Request:
        """Ask the object whether it has exactly the declaration that we have."""
        digest = digest_of_interface(self.interface.python)
        return Request(_OF_ALL["is_a"], [self.interface.repository_id, digest])

    def check(self, found: InterfaceDescription | None) -> None:
        """Compare what the object has with what is wanted; note that it fits.

        Args:
            found: What it says; ``None``: it does not.

        Raises:
            InterfaceMismatch: It does not fit.
        """
        reason = explain_mismatch(found, self.interface) if found else "it has no declaration"
        if reason:
            raise InterfaceMismatch(
                f"{self.reference} does not implement {self.interface.repository_id}: {reason}",
                cause="the name belongs to another kind of object, or to another version",
                remedy="check the name; bring client and server to the same release",
            )
        self.is_checked = True

    def failure(
        self, request: Request, error: Unanswered, uri: str, allowed_s: float
    ) -> RemoteError:
        """Say what became of a request that got no reply.

        Args:
            request: The request.
            error: What happened to it, at last.
            uri: Where the object was.
            allowed_s: How long the call might take.
        """
        if isinstance(error, NotExecuted):
            return unreachable(self.reference, uri, error)
        return told(error, f"{request.name} of {self.reference}", allowed_s)


DESCRIBE = Request(_OF_ALL["get_interface"], [])
"""Asks any object for its interface."""


def may_repeat(request: Request, error: Unanswered) -> bool:
    """Tell whether a request that got no reply may be sent again."""
    return isinstance(error, NotExecuted) or (isinstance(error, Lost) and request.is_idempotent)


def decisive(first: Unanswered, last: Unanswered) -> Unanswered:
    """Return the one of two failed attempts that says more of what became of the request."""
    return first if isinstance(first, Lost) else last
