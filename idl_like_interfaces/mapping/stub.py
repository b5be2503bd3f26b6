"""Typed stubs: what a client calls, made from a declaration.

A stub may be used from any thread; each call takes a connection of a small pool
for itself. A stub of a *name* asks the name service again when the object has
moved or was restarted; only a request that was certainly not executed, or one of
an idempotent operation, is ever sent twice.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

import Pyro5.client
import Pyro5.core
import Pyro5.errors
from Pyro5.callcontext import current_context
from typing_extensions import override

from idl_like_interfaces.declare import Interface, Operation, interface_of
from idl_like_interfaces.errors import (
    BadOperation,
    BadParam,
    CommFailure,
    DeadlineExpired,
    InterfaceMismatch,
    Internal,
    ObjectNotExist,
    OutcomeUnknown,
    RemoteError,
    Transient,
)
from idl_like_interfaces.mapping.coding import Annex, decode_reply, encode
from idl_like_interfaces.mapping.connection import Connection
from idl_like_interfaces.mapping.wire import (
    ANNEX,
    CALL_DEADLINE_S,
    CONNECT_DEADLINE_S,
    MARK,
    MARK_VALUE,
    STUB_SERIALIZER,
    revive,
)
from idl_like_interfaces.object import Object

T = TypeVar("T")

Resolve = Callable[[str], str]

_MAX_IDLE = 4

_LONGEST_WAIT_S = 1e9
"""Of a long-poll; a socket refuses a timeout beyond nine times as much."""

_IS_A = interface_of(Object).operations["is_a"]


def narrow(
    reference: str,
    interface: type[T],
    *,
    resolve: Resolve | None = None,
    deadline_s: float = CALL_DEADLINE_S,
) -> T:
    """Return a typed stub for an object (CORBA's ``narrow``).

    Nothing is contacted before the first call; that call checks the interface.

    Args:
        reference: A URI ``PYRO:id@host:port``, or a name.
        interface: What the object must implement: same major version, minor not older.
        resolve: Turns a name into a URI; needed for a name.
        deadline_s: How long a call may take; a long-poll's ``timeout_s`` is added.

    Raises:
        BadParam: The reference is a malformed URI, or a name and there is no ``resolve``.
    """
    if not is_uri(reference) and resolve is None:
        raise BadParam(
            f"{reference!r} is a name, and there is no name service to ask",
            field="reference",
            remedy="give a PYRO: URI, or narrow it through a name service",
        )
    if is_uri(reference):
        _check_uri(reference)
    declared: type = interface
    call = _Caller(reference, interface_of(declared), resolve, deadline_s)
    return cast("T", stub_class(declared)(call))


def is_uri(reference: str) -> bool:
    """Tell whether a reference says itself where the object is."""
    return reference.startswith("PYRO:")


def _check_uri(reference: str) -> None:
    try:
        Pyro5.core.URI(reference)
    except Pyro5.errors.PyroError as error:
        raise BadParam(
            f"{reference!r} is not a reference to an object: {error}",
            field="reference",
            remedy="give PYRO:ID@HOST:PORT, or a name",
        ) from error


def release(stub: object) -> None:
    """Close the idle connections of a stub; it may go on being used."""
    cast("Stub", stub)._call.close()  # noqa: SLF001 (same module)


class Stub:
    """Base of the generated classes."""

    def __init__(self, call: _Caller) -> None:
        self._call = call

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._call.reference}>"


@cache
def stub_class(interface: type) -> type[Stub]:
    """Make the class of stubs of an interface."""
    operations = interface_of(Object).operations | interface_of(interface).operations
    members: dict[str, Any] = {name: _method(each) for name, each in operations.items()}
    return type(f"{interface.__name__}Stub", (Stub,), members)


def _method(operation: Operation) -> Callable[..., Any]:
    def method(self: Stub, *args: Any, **kwargs: Any) -> Any:
        return self._call(operation, positional(operation, args, kwargs) if kwargs else args)

    method.__name__ = operation.name
    return method


def positional(operation: Operation, args: Sequence[Any], kwargs: dict[str, Any]) -> Sequence[Any]:
    """Put arguments into the declared order; those left out get their default.

    Raises:
        TypeError: One is unknown, given twice, or missing before a given one.
    """
    names = [each.name for each in operation.parameters]
    unknown = kwargs.keys() - set(names[len(args) :])
    if unknown:
        text = f"{operation.name}() got an unexpected argument {min(unknown)!r}"
        raise TypeError(text)
    ordered = list(args)
    last = max(names.index(name) for name in kwargs)
    for each in operation.parameters[len(args) : last + 1]:
        if each.name not in kwargs and each.is_required:
            text = f"{operation.name}() misses the argument {each.name!r}"
            raise TypeError(text)
        ordered.append(kwargs.get(each.name, each.default))
    return ordered


@dataclass(slots=True)
class _Line:
    """A connection to an object, used by one call at a time."""

    proxy: Any
    poll: select.poll

    def is_stale(self) -> bool:
        """Tell whether the peer has closed it: nothing else comes between calls."""
        return bool(self.poll.poll(0))

    def close(self) -> None:
        self.proxy._pyroClaimOwnership()  # noqa: SLF001 (Pyro5's own names)
        self.proxy._pyroRelease()  # noqa: SLF001 (Pyro5's own names)


class _NotExecuted(Exception):
    """The request certainly did not reach the object."""


class _NotResolved(_NotExecuted):
    """It is not known where the object is: the name service could not be asked."""


class _Caller:
    """Makes the calls of one stub."""

    def __init__(
        self, reference: str, interface: Interface, resolve: Resolve | None, deadline_s: float
    ) -> None:
        self.reference = reference
        self._interface = interface
        self._resolve = resolve
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._idle: list[_Line] = []
        self._uri = reference if is_uri(reference) else ""
        self._is_checked = interface.python is Object

    def __call__(self, operation: Operation, args: Sequence[Any]) -> Any:
        if not self._is_checked:
            self._check_interface()
        annex = Annex()
        plain = _encode_arguments(operation, args, annex)
        timeout_s = self._deadline_s + _waiting_time(operation, args)
        try:
            return self._call_again(operation, plain, annex, timeout_s)
        except RemoteError as error:
            error.add_note(f"calling {operation.name} of {self.reference}")
            raise

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    def _check_interface(self) -> None:
        wanted = self._interface.repository_id
        try:
            fits = self._call_again(_IS_A, [wanted], Annex(), self._deadline_s)
        except BadOperation:
            fits = False
        if not fits:
            raise InterfaceMismatch(
                f"{self.reference} does not implement {wanted}",
                cause="the name belongs to another kind of object, or to another version",
                remedy="check the name; bring client and server to the same release",
            )
        self._is_checked = True

    def _call_again(
        self, operation: Operation, plain: list[Any], annex: Annex, timeout_s: float
    ) -> Any:
        """Call; once more after asking the name service where that is harmless."""
        try:
            return self._call_once(operation, plain, annex, timeout_s)
        except _NotExecuted as error:
            lost: Exception = error
        except OutcomeUnknown as error:
            if not operation.idempotent or isinstance(error, DeadlineExpired):
                raise
            lost = error
        self._forget()
        try:
            return self._call_once(operation, plain, annex, timeout_s)
        except _NotExecuted as error:
            raise self._unreachable(error) from lost

    def _unreachable(self, error: Exception) -> RemoteError:
        if "unknown object" in str(error):
            return ObjectNotExist(
                f"nothing is active under {self.reference} ({self._uri})",
                cause="the component that offered it was restarted or has ended",
                remedy="look the object up by its name; start its component",
            )
        if isinstance(error, _NotResolved):
            return Transient(
                f"{self.reference} cannot be looked up, the name service does not answer: {error}",
                cause="the name server is not running, or it is elsewhere",
                remedy="start an installation with `obsorb up FILE`, or give the address of its "
                "name server in $OBSORB_NAMES",
            )
        where = "" if is_uri(self.reference) else f" ({self._uri})"
        return Transient(
            f"{self.reference}{where} cannot be reached: {error}",
            cause="its component is not running, or is starting",
            remedy="start the component, or try again in a few seconds",
        )

    def _forget(self) -> None:
        """Close all lines and forget where the object was."""
        self.close()
        if not is_uri(self.reference):
            self._uri = ""

    def _call_once(
        self, operation: Operation, plain: list[Any], annex: Annex, timeout_s: float
    ) -> Any:
        line = self._take_line()
        if line.proxy._pyroTimeout != timeout_s:  # noqa: SLF001 (Pyro5's own names)
            line.proxy._pyroTimeout = timeout_s  # noqa: SLF001 (Pyro5's own names)
        octets = annex.joined()
        current_context.annotations = (
            {MARK: MARK_VALUE} if octets is None else {MARK: MARK_VALUE, ANNEX: octets}
        )
        try:
            reply = line.proxy._pyroInvoke(operation.name, plain, {})  # noqa: SLF001
        except Pyro5.errors.PyroError as error:
            raise self._translated(line, error, operation, timeout_s) from error
        except AttributeError as error:
            self._give_back(line)
            raise BadOperation(f"{self.reference} has no operation {operation.name}") from error
        except UnicodeEncodeError as error:
            self._give_back(line)
            raise _cannot_travel(operation, error) from error
        except BaseException:
            line.close()
            raise
        finally:
            current_context.annotations = {}
        annotations = current_context.response_annotations
        current_context.response_annotations = {}
        self._give_back(line)
        return self._decoded(operation, reply, annotations.get(ANNEX))

    def _decoded(self, operation: Operation, reply: Any, octets: Any) -> Any:
        try:
            return decode_reply(operation, reply, octets)
        except BadParam as error:
            raise Internal(
                f"the reply of {operation.name} is not as declared: {error.message}",
                cause="client and server are of different releases",
                remedy="bring both to the same release",
            ) from error

    def _translated(
        self, line: _Line, error: Pyro5.errors.PyroError, operation: Operation, timeout_s: float
    ) -> Exception:
        """Say in our terms what went wrong, and keep or close the connection."""
        what = f"{operation.name} of {self.reference}"
        match error:
            case Pyro5.errors.TimeoutError():
                line.close()
                return DeadlineExpired(
                    f"no reply to {what} within {timeout_s:g} s",
                    cause="the object is busy or hangs, or the network is gone",
                    remedy="look at the state of the object before you try again",
                )
            case Pyro5.errors.ProtocolError() if "message too large" in str(error):
                line.close()
                return _cannot_travel(operation, error)
            case Pyro5.errors.CommunicationError():
                line.close()
                return OutcomeUnknown(
                    f"the connection was lost during {what}: {error}",
                    cause="the component ended while it worked on the request",
                    remedy="look at the state of the object before you try again",
                )
            case Pyro5.errors.DaemonError():
                line.close()
                return _NotExecuted(str(error))
            case _:
                self._give_back(line)
                return revive(error)

    def _take_line(self) -> _Line:
        while True:
            with self._lock:
                line = self._idle.pop() if self._idle else None
            if line is None:
                return self._connect()
            if not line.is_stale():
                line.proxy._pyroClaimOwnership()  # noqa: SLF001 (Pyro5's own names)
                return line
            line.close()

    def _give_back(self, line: _Line) -> None:
        with self._lock:
            keep = len(self._idle) < _MAX_IDLE and line.proxy._pyroConnection is not None  # noqa: SLF001
            if keep:
                self._idle.append(line)
        if not keep:
            line.close()

    def _connect(self) -> _Line:
        proxy = Pyro5.client.Proxy(self._where())
        proxy._pyroSerializer = STUB_SERIALIZER  # noqa: SLF001 (Pyro5's own names)
        # Who wants an answer within a second does not wait longer for the connection.
        proxy._pyroTimeout = min(CONNECT_DEADLINE_S, self._deadline_s)  # noqa: SLF001 (Pyro5's own names)
        current_context.annotations = {}
        try:
            proxy._pyroBind()  # noqa: SLF001 (Pyro5's own names)
        except Pyro5.errors.PyroError as error:
            raise _NotExecuted(str(error)) from error
        proxy._pyroConnection = Connection.taking_over(proxy._pyroConnection)  # noqa: SLF001
        poll = select.poll()
        poll.register(proxy._pyroConnection.sock, select.POLLIN)  # noqa: SLF001
        return _Line(proxy, poll)

    def _where(self) -> str:
        uri = self._uri
        if not uri:
            assert self._resolve is not None
            try:
                uri = self._uri = self._resolve(self.reference)
            except CommFailure as error:
                raise _NotResolved(str(error)) from error
        return uri


def _encode_arguments(operation: Operation, args: Sequence[Any], annex: Annex) -> list[Any]:
    try:
        return [encode(each, annex) for each in args]
    except (TypeError, NotImplementedError) as error:
        raise _cannot_travel(operation, error) from error


def _cannot_travel(operation: Operation, error: Exception) -> BadParam:
    return BadParam(
        f"an argument of {operation.name} cannot travel: {error}",
        field=operation.name,
        remedy="give values of the declared types; write bulk data to a file",
    )


def _waiting_time(operation: Operation, args: Sequence[Any]) -> float:
    """Return how long a long-poll may wait at the object."""
    if not operation.long_poll:
        return 0.0
    for index, each in enumerate(operation.parameters):
        if each.name == "timeout_s":
            given = args[index] if index < len(args) else each.default
            is_number = isinstance(given, int | float)
            return min(max(0.0, given), _LONGEST_WAIT_S) if is_number else 0.0
    return 0.0
