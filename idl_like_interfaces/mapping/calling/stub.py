"""Typed stubs: what a client calls, made from a declaration.

A stub may be used from any thread; each call takes a connection of a small pool
for itself. A stub of a *name* asks the name service again when the object has
moved or was restarted; only a request that was certainly not executed, or one of
an idempotent operation, is ever sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar, cast
from weakref import finalize

from typing_extensions import override

from idl_like_interfaces.declare import Operation, interface_of
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.calling.caller import Caller
from idl_like_interfaces.mapping.calling.dialing import Place
from idl_like_interfaces.mapping.calling.outgoing import Request
from idl_like_interfaces.mapping.calling.target import Resolve, Target
from idl_like_interfaces.mapping.wire import CALL_DEADLINE_S
from idl_like_interfaces.object import Object

T = TypeVar("T")


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
    declared: type = interface
    target = Target(
        reference=reference,
        interface=interface_of(declared),
        resolve=resolve,
        deadline_s=deadline_s,
        is_checked=declared is Object,
        fixed=Place.parse(reference) if is_uri(reference) else None,
    )
    return cast("T", stub_class(declared)(Caller(target)))


def is_uri(reference: str) -> bool:
    """Tell whether a reference says itself where the object is."""
    return reference.startswith("PYRO:")


def release(stub: object) -> None:
    """Close the idle connections of a stub; it may go on being used.

    Waits, not for long, until the oneway calls that were made are executed.
    """
    caller_of(stub).close()


def release_when_gone(stub: object) -> None:
    """Do so as soon as nobody has the stub any more."""
    finalize(stub, caller_of(stub).close).atexit = False


class Stub:
    """Base of the generated classes."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    @property
    def aio(self) -> Any:
        """The operations to be awaited; ``aio(stub)`` says the same to a type checker."""
        return aio(self)

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._call.target.reference}>"


class AioStub:
    """Base of the generated classes whose methods are awaited."""

    def __init__(self, caller: Caller) -> None:
        self._callers = caller.aio
        self._target = caller.target

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._target.reference}>"


def aio(stub: object) -> Any:
    """Return the operations of a stub in a form to be awaited.

    Python has no type that is an interface with each method awaited; so this is ``Any``;
    arguments and replies are checked when a call is made.

    Raises:
        TypeError: It is no stub.
    """
    caller = caller_of(stub)
    return aio_class(caller.target.interface.python)(caller)


async def aio_release(stub: object) -> None:
    """Close the idle connections that the running event loop has for a stub.

    To be awaited before the loop ends; waits, not for long, until the oneway calls that
    were made here are executed.
    """
    await caller_of(stub).aio.here().aclose()


def caller_of(stub: object) -> Caller:
    """Return what makes the calls of a stub.

    Raises:
        TypeError: It is no stub.
    """
    if not isinstance(stub, Stub):
        text = f"{stub!r} is no stub; narrow makes one"
        raise TypeError(text)
    return stub._call  # noqa: SLF001 (same module)


@cache
def stub_class(interface: type) -> type[Stub]:
    """Make the class of stubs of an interface."""
    operations = interface_of(Object).operations | interface_of(interface).operations
    members: dict[str, Any] = {name: _method(each) for name, each in operations.items()}
    return type(f"{interface.__name__}Stub", (Stub,), members)


@cache
def aio_class(interface: type) -> type[AioStub]:
    """Make the class of stubs of an interface whose methods are awaited."""
    operations = interface_of(Object).operations | interface_of(interface).operations
    members: dict[str, Any] = {name: _coroutine(each) for name, each in operations.items()}
    return type(f"{interface.__name__}AioStub", (AioStub,), members)


def _coroutine(operation: Operation) -> Callable[..., Any]:
    async def method(self: AioStub, *args: Any, **kwargs: Any) -> Any:
        ordered = positional(operation, args, kwargs) if kwargs else args
        here = self._callers.here()
        return await here.call(Request(operation, ordered))

    method.__name__ = operation.name
    return method


def _method(operation: Operation) -> Callable[..., Any]:
    def method(self: Stub, *args: Any, **kwargs: Any) -> Any:
        ordered = positional(operation, args, kwargs) if kwargs else args
        return self._call.call(Request(operation, ordered))

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
