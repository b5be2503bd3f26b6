"""What becomes of a request that gets no reply, and how a caller is told."""

from __future__ import annotations

from idl_like_interfaces.errors import (
    BadParam,
    DeadlineExpired,
    Internal,
    ObjectNotExist,
    OutcomeUnknown,
    RemoteError,
    TimeIsUp,
    Transient,
)
from idl_like_interfaces.mapping.trust import Distrust
from idl_like_interfaces.naming import OBJECT_ID as NAME_SERVICE

_NO_NAMES = "the name server is not running, or it is elsewhere"
_FIND_NAMES = (
    "start an installation with `obsorb up FILE`, or give the address of its name server in "
    "$OBSORB_NAMES"
)

# Between a connection and who uses it; none of these leaves the mapping.


class Unanswered(Exception):
    """A request got no reply."""


class NotExecuted(Unanswered):
    """The request certainly did not reach the object."""


class NotResolved(NotExecuted):
    """It is not known where the object is: the name service could not be asked."""


class NotActive(NotExecuted):
    """The peer serves no object of that id."""


class NotTrusted(NotExecuted):
    """The two sides did not agree on TLS."""

    def __init__(self, why: Distrust) -> None:
        super().__init__(why.message)
        self.why = why


class Lost(Unanswered):
    """The request was sent, and the connection ended before the reply."""


class Late(Unanswered):
    """The request was sent, and no reply came in time."""


class NotSent(Unanswered):
    """The time was over before the request was sent whole: it was not executed."""


# What a caller sees.


def told(error: Unanswered, what: str, allowed_s: float) -> RemoteError:
    """Say what became of a request that reached its object, or had no time to.

    Args:
        error: How it ended; not ``NotExecuted``.
        what: Operation and object, for a person.
        allowed_s: How long the call might take.
    """
    match error:
        case NotSent():
            return time_is_up(what)
        case Late():
            return expired(what, allowed_s)
        case _:
            return unknown(what, error)


def unreachable(reference: str, uri: str, error: NotExecuted) -> RemoteError:
    """Say that an object cannot be reached; nothing was executed."""
    if isinstance(error, NotActive):
        return ObjectNotExist(
            f"nothing is active under {reference} ({uri})",
            cause="the component that offered it was restarted or has ended",
            remedy="look the object up by its name; start its component",
        )
    if isinstance(error, NotResolved):
        return Transient(
            f"{reference} cannot be looked up, the name service does not answer: {error}",
            cause=_NO_NAMES,
            remedy=_FIND_NAMES,
        )
    where = "" if uri == reference or not uri else f" ({uri})"
    if isinstance(error, NotTrusted):
        return Transient(
            f"no TLS with {reference}{where}: {error.why.message}",
            cause=error.why.cause,
            remedy=error.why.remedy,
        )
    if reference.startswith(f"PYRO:{NAME_SERVICE}@"):
        return Transient(
            f"the name service {reference} cannot be reached: {error}",
            cause=_NO_NAMES,
            remedy=_FIND_NAMES,
        )
    return Transient(
        f"{reference}{where} cannot be reached: {error}",
        cause="its component is not running, or is starting",
        remedy="start the component, or try again in a few seconds",
    )


def unknown(what: str, error: object) -> OutcomeUnknown:
    """Say that a reply was lost."""
    return OutcomeUnknown(
        f"the connection was lost during {what}: {error}",
        cause="the component ended while it worked on the request",
        remedy="look at the state of the object before you try again",
    )


def expired(what: str, allowed_s: float) -> DeadlineExpired:
    """Say that a reply did not come in time."""
    return DeadlineExpired(
        f"no reply to {what} within {allowed_s:g} s",
        cause="the object is busy or hangs, or the network is gone",
        remedy="look at the state of the object before you try again",
    )


def time_is_up(what: str) -> TimeIsUp:
    """Say that there was no time to send a request."""
    return TimeIsUp(
        f"the time for {what} was over before the request was sent",
        cause="the call within which it was made has used up its time, its own deadline is too "
        "short, or the peer takes no data",
        remedy="give the outermost call a longer deadline",
    )


def cannot_travel(name: str, error: object) -> BadParam:
    """Say that a request has no form on the wire."""
    return BadParam(
        f"an argument of {name} cannot travel: {error}",
        field=name,
        remedy="give values of the declared types; write bulk data to a file",
    )


def not_as_declared(name: str, error: object) -> Internal:
    """Say that a reply cannot be read."""
    return Internal(
        f"the reply of {name} is not as declared: {error}",
        cause="client and server are of different releases",
        remedy="bring both to the same release",
    )


def lane_lost(reference: str) -> OutcomeUnknown:
    """Say that the connection of oneway calls was lost."""
    return OutcomeUnknown(
        f"the connection of the oneway calls to {reference} was lost",
        cause="the component has ended, perhaps before it executed the latest of them; "
        "this one was not executed",
        remedy="find out what the object has got; the next call makes a new connection",
    )
