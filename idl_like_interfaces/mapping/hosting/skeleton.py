"""Skeletons: what a daemon knows of an active servant, and how it executes a request."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from idl_like_interfaces.declare import Operation, interface_of
from idl_like_interfaces.description import InterfaceDescription, describe, implements
from idl_like_interfaces.errors import (
    BadOperation,
    BadParam,
    CommFailure,
    DependencyFailed,
    DuplicateCall,
    Internal,
    Overloaded,
    RemoteError,
    TimeIsUp,
)
from idl_like_interfaces.mapping.hosting.calls import CallBook
from idl_like_interfaces.mapping.hosting.sparing import Sparing
from idl_like_interfaces.mapping.wire import host_name, may_cross
from idl_like_interfaces.object import Identity, Object, Statistics

log = logging.getLogger(__name__)
log.addFilter(Sparing())


class Skeleton:
    """One active servant under its interface; exposes exactly what is declared.

    Attributes:
        object_id: Under which it is active.
        name: The same without the incarnation.
        book: What became of its calls.
    """

    def __init__(self, servant: object, interface: type, object_id: str, incarnation: str) -> None:
        self.object_id = object_id
        self.name = object_id.partition("~")[0]
        self.book = CallBook()
        self._own = _OwnAnswers(interface, object_id, incarnation, self.book)
        own = interface_of(Object).operations
        declared = interface_of(interface).operations
        self._members: dict[str, tuple[Operation, object]] = {
            name: (operation, servant) for name, operation in declared.items()
        } | {name: (operation, self._own) for name, operation in own.items()}
        self.metadata = {
            "methods": sorted(self._members),
            "oneway": sorted(name for name, (each, _) in self._members.items() if each.oneway),
            "attrs": [],
        }

    def is_own(self, operation: str) -> bool:
        """Tell whether an operation is one of ``Object``, which every object answers at once."""
        return operation in _OWN

    def find(self, operation: str) -> tuple[Operation, Callable[..., Any]]:
        """Return what is declared and what executes it.

        Raises:
            BadOperation: It is not declared.
        """
        found = self._members.get(operation)
        if found is None:
            raise BadOperation(
                f"{self.name} has no operation {operation[:80]!r}",
                cause="client and object are of different releases, or it is another object",
                remedy=f"see what it offers: obsorb idl show {self.name}",
            )
        operation_found, target = found
        return operation_found, getattr(target, operation)


_OWN = frozenset(interface_of(Object).operations)


class _OwnAnswers:
    """The operations of ``Object``, answered for every servant."""

    def __init__(self, interface: type, object_id: str, incarnation: str, book: CallBook) -> None:
        self._interface = interface_of(interface)
        self._book = book
        self._identity = Identity(
            object_id=object_id, incarnation=incarnation, host=host_name(), pid=os.getpid()
        )

    def is_a(self, repository_id: str, digest: str = "") -> bool:
        try:
            return any(
                implements(each, repository_id, digest)
                for each in (self._interface, interface_of(Object))
            )
        except ValueError as error:
            raise BadParam(str(error), field="repository_id") from error

    def get_interface(self) -> InterfaceDescription:
        return describe(self._interface)

    def ping(self) -> Identity:
        return self._identity

    def get_statistics(self) -> Statistics:
        return self._book.show()


_OF_ONE_CALL = (CommFailure, DuplicateCall, Overloaded, TimeIsUp)
"""What these say is true of the call that raised them, and of no other."""


def crossing(error: BaseException, operation: Operation) -> RemoteError:
    """Return what may cross instead of an error that an operation raised."""
    if isinstance(error, _OF_ONE_CALL) and not isinstance(error, operation.raises):
        # To the caller it would say that this operation was not executed, or not answered.
        return DependencyFailed(
            f"{operation.name} could not call an object that it needs: {error.message}",
            cause=error.cause,
            remedy=error.remedy,
        )
    if isinstance(error, RemoteError):
        if may_cross(error, operation):
            return error
        text = "%s raised the undeclared %s"
        log.error(text, operation.name, type(error).__name__, exc_info=error)
    else:
        log.error("%s failed", operation.name, exc_info=error)
    return Internal(
        f"{operation.name} failed: {type(error).__name__}: {error}",
        cause="a bug in the object; its log has the traceback",
        remedy="report it with the log of the component",
    )
