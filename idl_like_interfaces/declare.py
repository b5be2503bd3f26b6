"""How an interface is declared: repository id, operations, structs and wire types.

A declaration is a ``Protocol`` under ``@interface`` whose operations stand under
``@operation``. Everything else (stubs, skeletons, coding, reference pages) is made
from it; nothing about the wire is written down a second time.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.octets import OctetBlocks, Octets

_LARGEST = sys.float_info.max

Finite = Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
"""A float that is neither NaN nor infinite (what the wire allows)."""

Seconds = Annotated[float, Meta(ge=0, le=_LARGEST)]
"""A duration in seconds, zero or more."""

Period = Annotated[float, Meta(gt=0, le=_LARGEST)]
"""A duration in seconds above zero."""

UtcTime = Annotated[datetime, Meta(tz=True)]
"""An aware date and time; an ISO-8601 text on the wire. UTC by convention."""


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every declared struct: immutable, strict, built by keyword."""


class Document(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A struct that is also a JSON document: what has its default is left out."""


class Role(StrEnum):
    """What a caller may be, from the least to the most; each may do what those before it may."""

    OBSERVER = "observer"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Tell whether who has this role may do what the other may."""
        roles = list(Role)
        return roles.index(self) >= roles.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of an operation; ``default`` is ``inspect.Parameter.empty`` without."""

    name: str
    type: Any
    default: Any = field(hash=False)

    @property
    def is_required(self) -> bool:
        """Tell whether a caller must give it."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One declared operation; each is equal to itself only, so that hashing costs nothing.

    Attributes:
        name: Its name on the wire.
        parameters: In the order in which they travel.
        returns: Declared type of the reply.
        raises: The errors that may cross, besides the system errors.
        idempotent: A stub may repeat it after a lost reply.
        long_poll: It may wait for as long as its argument ``timeout_s`` says.
        oneway: No reply is sent; calls of one stub are executed in their order.
        role: The least role that may call it, unless the installation says otherwise.
    """

    name: str
    parameters: tuple[Parameter, ...]
    returns: Any
    raises: tuple[type[RemoteError], ...]
    idempotent: bool
    long_poll: bool
    oneway: bool
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What a declaration says, in the form that the mapping works with."""

    repository_id: str
    python: type
    bases: tuple[Interface, ...]
    operations: dict[str, Operation] = field(hash=False)

    @property
    def lineage(self) -> tuple[Interface, ...]:
        """The interface and everything that it extends, most derived first."""
        return (self, *(line for base in self.bases for line in base.lineage))


_REPOSITORY_ID = re.compile(
    r"IDL:(?P<path>[A-Za-z0-9_.]+(?:/[A-Za-z0-9_.]+)*)"
    r"(?::(?P<major>\d+)\.(?P<minor>\d+))?"
)


def parse_repository_id(text: str) -> tuple[str, tuple[int, int] | None]:
    """Split a repository id into path and version (``None`` when it has none).

    Raises:
        ValueError: It has not the form ``IDL:path[:major.minor]``.
    """
    found = _REPOSITORY_ID.fullmatch(text)
    if found is None:
        message = f"repository id {text[:80]!r} is not of the form IDL:path:major.minor"
        raise ValueError(message)
    if found["major"] is None:
        return found["path"], None
    return found["path"], (int(found["major"]), int(found["minor"]))


def is_compatible(offered: str, wanted: str) -> bool:
    """Tell whether an object of one repository id serves a client of another.

    Same path, same major version, minor not older; a wanted id without a
    version takes any.
    """
    path, have = parse_repository_id(offered)
    wanted_path, need = parse_repository_id(wanted)
    if path != wanted_path or need is None or have is None:
        return path == wanted_path and need is None
    return have[0] == need[0] and have[1] >= need[1]


T = TypeVar("T", bound=type)
F = TypeVar("F", bound=Callable[..., Any])


def operation(
    *raises: type[RemoteError],
    idempotent: bool = False,
    long_poll: bool = False,
    oneway: bool = False,
    role: Role | None = None,
) -> Callable[[F], F]:
    """Declare a method of an interface as an operation.

    Args:
        raises: Its errors, besides the system errors.
        idempotent: To execute it twice does what once does: a stub may repeat it.
        long_poll: It waits for as long as its argument ``timeout_s`` says.
        oneway: It has no reply and no errors; calls of one stub stay in order.
        role: Who may call it at least; ``None``: an observer when it is idempotent,
            else an operator.

    Raises:
        TypeError: Oneway and something that needs a reply.
    """
    if oneway and (raises or long_poll):
        message = "a oneway operation has neither errors nor a wait: nobody would be told"
        raise TypeError(message)
    least = role or (Role.OBSERVER if idempotent else Role.OPERATOR)

    def mark(function: F) -> F:
        function.__operation__ = {  # type: ignore[attr-defined]
            "raises": raises,
            "idempotent": idempotent,
            "long_poll": long_poll,
            "oneway": oneway,
            "role": least,
        }
        return function

    return mark


def interface(repository_id: str) -> Callable[[T], T]:
    """Declare a ``Protocol`` as an interface.

    Args:
        repository_id: With version, e.g. ``IDL:obsorb/daqif/OcmDaqControl:3.1``.

    Raises:
        ValueError: The id has no version.
    """
    if parse_repository_id(repository_id)[1] is None:
        message = f"interface {repository_id!r} needs a version, as in IDL:a/B:1.0"
        raise ValueError(message)

    def mark(python: T) -> T:
        python.__repository_id__ = repository_id  # type: ignore[attr-defined]
        return python

    return mark


@cache
def interface_of(python: type) -> Interface:
    """Read a declaration.

    Raises:
        TypeError: The class is not declared with ``@interface``, or one of its
            parameters or replies has no type or one that the wire cannot carry.
    """
    if "__repository_id__" not in vars(python):
        message = f"{python.__name__} is not declared with @interface"
        raise TypeError(message)
    bases = tuple(
        interface_of(base) for base in python.__bases__ if hasattr(base, "__repository_id__")
    )
    operations = {
        name: member for base in reversed(bases) for name, member in base.operations.items()
    } | _own_operations(python)
    return Interface(
        repository_id=python.__repository_id__,  # type: ignore[attr-defined]
        python=python,
        bases=bases,
        operations=operations,
    )


def _own_operations(python: type) -> dict[str, Operation]:
    return {
        name: _read_operation(python, name, member)
        for name, member in vars(python).items()
        if hasattr(member, "__operation__")
    }


def _read_operation(python: type, name: str, function: Any) -> Operation:
    where = f"{python.__name__}.{name}"
    hints = get_type_hints(function, include_extras=True)
    marks = function.__operation__
    parameters = tuple(
        Parameter(name=p.name, type=_checked(hints, p.name, where), default=p.default)
        for p in list(inspect.signature(function).parameters.values())[1:]
    )
    if marks["long_poll"] and "timeout_s" not in {p.name for p in parameters}:
        message = f"{where} is a long-poll and has no parameter timeout_s"
        raise TypeError(message)
    returns = _checked(hints, "return", where)
    if marks["oneway"] and returns is not type(None):
        message = f"{where} is oneway and returns something"
        raise TypeError(message)
    return Operation(name=name, parameters=parameters, returns=returns, **marks)


def _checked(hints: dict[str, Any], name: str, where: str) -> Any:
    if name not in hints:
        message = f"{where}: {name} has no declared type"
        raise TypeError(message)
    _check_type(msgspec.inspect.type_info(hints[name]), f"{where}: {name}")
    return hints[name]


def _check_type(
    info: msgspec.inspect.Type, where: str, seen: frozenset[type] = frozenset()
) -> None:
    """Refuse what the wire cannot carry, at any depth."""
    refusal = _refusal(info)
    if refusal:
        message = f"{where} is {refusal}"
        raise TypeError(message)
    if isinstance(info, msgspec.inspect.StructType):
        if info.cls in seen:
            return
        seen |= {info.cls}
    for suffix, part in parts_of(info):
        _check_type(part, where + suffix, seen)


def _refusal(info: msgspec.inspect.Type) -> str:
    """Say why a type itself cannot be declared; empty when it can."""
    match info:
        case msgspec.inspect.FloatType(ge=None, gt=None):
            return "a bare float, which lets NaN pass: declare Finite or Seconds"
        case msgspec.inspect.DateTimeType(tz=None | False):
            return "a bare datetime, which may be naive: declare UtcTime"
        case (
            msgspec.inspect.BytesType()
            | msgspec.inspect.ByteArrayType()
            | msgspec.inspect.MemoryViewType()
        ):
            return "bytes, which a serializer would carry: declare Octets"
        case msgspec.inspect.CustomType(cls=cls) if cls not in (Octets, OctetBlocks):
            return f"of type {cls.__name__}, which is not a declared struct"
        case _:
            return ""


def parts_of(info: msgspec.inspect.Type) -> list[tuple[str, msgspec.inspect.Type]]:
    """Return the types that a type is made of, with what they add to a path."""
    match info:
        case msgspec.inspect.StructType(fields=fields):
            return [(f".{each.name}", each.type) for each in fields]
        case (
            msgspec.inspect.ListType()
            | msgspec.inspect.VarTupleType()
            | msgspec.inspect.SetType()
            | msgspec.inspect.FrozenSetType()
        ):
            return [("[]", info.item_type)]
        case msgspec.inspect.TupleType(item_types=types):
            return [("[]", each) for each in types]
        case msgspec.inspect.DictType():
            return [("{}", info.value_type)]
        case msgspec.inspect.UnionType():
            return [("", each) for each in info.types]
        case _:
            return []
