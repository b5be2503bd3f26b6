"""The tree of errors that may cross between objects (refusals and lost peers).

An error is told apart by its repository id, never by a Python path. It has the
fields that its class annotates, a message for a person, and what an operator
needs at night: the probable *cause* and the *remedy*.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, get_type_hints

from typing_extensions import override

_BY_ID: dict[str, type[RemoteError]] = {}


class RemoteError(Exception):
    """Base of the tree; also what an unknown repository id revives as.

    Attributes:
        repository_id: Which error it is, on the wire.
        message: What was wanted and what was found.
        cause: The probable cause; empty when the message says it all.
        remedy: What to do.
        remote_traceback: Where it came from at the other side; empty here.
    """

    repository_id: str = "IDL:obsorb/RemoteError:1.0"
    _own: ClassVar[tuple[str, ...]] = ()
    """Names of the fields that the class itself adds."""

    @override
    def __init_subclass__(cls, repository_id: str, **more: Any) -> None:
        """Register the class under its repository id and read its fields."""
        super().__init_subclass__(**more)
        if repository_id in _BY_ID:
            text = f"{repository_id} is declared by {_BY_ID[repository_id].__name__} already"
            raise TypeError(text)
        cls.repository_id = repository_id
        cls._own = tuple(inspect.get_annotations(cls))
        _BY_ID[repository_id] = cls

    def __init__(
        self, message: str = "", *, cause: str = "", remedy: str = "", **fields: Any
    ) -> None:
        wanted = set(fields_of(type(self)))
        if type(self) is not RemoteError and set(fields) != wanted:
            text = f"{type(self).__name__} takes the fields {sorted(wanted)}, got {sorted(fields)}"
            raise TypeError(text)
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.remedy = remedy
        self.remote_traceback = ""
        self.fields = fields
        for name, value in fields.items():
            setattr(self, name, value)

    @override
    def __str__(self) -> str:
        return self.message

    def briefly(self) -> str:
        """Say in a few words what was found: of a lost peer only what the system said."""
        return self.message.rpartition(": ")[2]

    def explain(self) -> str:
        """Say message, cause and remedy in one text of one to three lines."""
        lines = [self.message]
        if self.cause:
            lines.append(f"cause: {self.cause}")
        if self.remedy:
            lines.append(f"remedy: {self.remedy}")
        return "\n".join(lines)


def fields_of(error: type[RemoteError]) -> dict[str, Any]:
    """Return the declared fields of an error class with their types."""
    names = [name for base in reversed(error.__mro__) for name in vars(base).get("_own", ())]
    if not names:
        return {}
    hints = get_type_hints(error, include_extras=True)
    return {name: hints[name] for name in names}


def error_of(repository_id: str) -> type[RemoteError] | None:
    """Return the class of a repository id, ``None`` for an unknown one."""
    return _BY_ID.get(repository_id)


# System errors: any operation may raise them; they need no declaration.


class SystemRefusal(RemoteError, repository_id="IDL:obsorb/SystemRefusal:1.0"):
    """Base of what any operation may raise without declaring it."""


class BadParam(SystemRefusal, ValueError, repository_id="IDL:omg.org/CORBA/BAD_PARAM:1.0"):
    """An argument or a field of it is missing, unknown or of the wrong type or value.

    Attributes:
        field: Path of what is wrong, e.g. ``specification.sources[0].rrUri``.
    """

    field: str


class BadOperation(
    SystemRefusal, AttributeError, repository_id="IDL:omg.org/CORBA/BAD_OPERATION:1.0"
):
    """The object's interface has no such operation."""


class ObjectNotExist(
    SystemRefusal, LookupError, repository_id="IDL:omg.org/CORBA/OBJECT_NOT_EXIST:1.0"
):
    """Nothing is active under that reference (any more)."""


class Internal(SystemRefusal, RuntimeError, repository_id="IDL:omg.org/CORBA/INTERNAL:1.0"):
    """The object failed in a way that its interface does not declare: a bug."""


class PersistStore(SystemRefusal, OSError, repository_id="IDL:omg.org/CORBA/PERSIST_STORE:1.0"):
    """What must be remembered could not be written or read; nothing was changed."""


class InterfaceMismatch(SystemRefusal, TypeError, repository_id="IDL:omg.org/CORBA/INV_OBJREF:1.0"):
    """The object does not implement the wanted interface in a fitting version."""


class NoPermission(
    SystemRefusal, PermissionError, repository_id="IDL:omg.org/CORBA/NO_PERMISSION:1.0"
):
    """The caller's role does not allow the operation; it was not executed.

    Attributes:
        needed: The least role that does.
    """

    needed: str


class TimeIsUp(SystemRefusal, TimeoutError, repository_id="IDL:omg.org/CORBA/TIMEOUT:1.0"):
    """The deadline of the call passed before the operation began; it was *not* executed."""


class DuplicateCall(SystemRefusal, repository_id="IDL:obsorb/DuplicateCall:1.0"):
    """The object has taken a call of this id before; it was not executed again."""


class Overloaded(SystemRefusal, repository_id="IDL:omg.org/CORBA/NO_RESOURCES:1.0"):
    """The object has more to do than it can keep in mind; the operation was *not* executed."""


class DependencyFailed(
    SystemRefusal, ConnectionError, repository_id="IDL:obsorb/DependencyFailed:1.0"
):
    """The object could not call another one that it needs.

    The operation had begun: what it did before stays done.
    """


# What a stub raises when the peer is lost; these never cross the wire.


class CommFailure(
    SystemRefusal, ConnectionError, repository_id="IDL:omg.org/CORBA/COMM_FAILURE:1.0"
):
    """The peer could not be talked to."""


class Transient(CommFailure, repository_id="IDL:omg.org/CORBA/TRANSIENT:1.0"):
    """The peer could not be reached; the operation was *not* executed."""


class OutcomeUnknown(CommFailure, repository_id="IDL:obsorb/OutcomeUnknown:1.0"):
    """The request was sent and no reply came: it may have been executed or not."""


class DeadlineExpired(OutcomeUnknown, TimeoutError, repository_id="IDL:obsorb/DeadlineExpired:1.0"):
    """No reply within the deadline of the call; it may still be executing."""
