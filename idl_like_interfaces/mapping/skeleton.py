"""Skeletons: what a daemon calls when a request comes, made from a declaration."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import Pyro5.errors
from Pyro5.callcontext import current_context

from idl_like_interfaces.declare import Operation, interface_of
from idl_like_interfaces.description import InterfaceDescription, describe, implements
from idl_like_interfaces.errors import BadParam, Internal, RemoteError
from idl_like_interfaces.mapping.coding import (
    Annex,
    check_texts,
    decode_arguments,
    encode,
    encode_inline,
)
from idl_like_interfaces.mapping.wire import ANNEX, MARK, host_name, may_cross, to_pyro_error
from idl_like_interfaces.object import Identity, Object

log = logging.getLogger(__name__)


class Skeleton:
    """Base of the generated classes; exposes exactly what a declaration says."""

    def __init__(self, servant: object, interface: type, object_id: str, incarnation: str) -> None:
        self._servant = servant
        self._own = _OwnAnswers(interface, object_id, incarnation)


class _OwnAnswers:
    """The operations of ``Object``, answered for every servant."""

    def __init__(self, interface: type, object_id: str, incarnation: str) -> None:
        self._interface = interface_of(interface)
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


@cache
def skeleton_class(interface: type) -> type[Skeleton]:
    """Make the class that a daemon registers for an interface."""
    declared = interface_of(interface)
    own = interface_of(Object).operations
    members: dict[str, Any] = {
        name: _exposed(operation, "_servant") for name, operation in declared.operations.items()
    }
    members |= {name: _exposed(operation, "_own") for name, operation in own.items()}
    return type(f"{interface.__name__}Skeleton", (Skeleton,), members)


def _exposed(operation: Operation, target: str) -> Callable[..., Any]:
    def method(self: Skeleton, *args: Any, **kwargs: Any) -> Any:
        return _dispatch(getattr(self, target), operation, args, kwargs)

    method.__name__ = operation.name
    method._pyroExposed = True  # type: ignore[attr-defined]  # noqa: SLF001 (Pyro5's mark)
    return method


def _dispatch(
    target: object, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    annotations = current_context.annotations
    is_ours = MARK in annotations
    try:
        if not is_ours:
            check_texts((args, kwargs), operation.name)
        arguments = decode_arguments(operation, args, kwargs, annotations.get(ANNEX))
        # What came with the request must not ride on calls that the servant makes.
        current_context.annotations = {}
        result = getattr(target, operation.name)(*arguments)
        return _reply(result, is_ours=is_ours)
    except RemoteError as error:
        raise _crossing(error, operation) from error
    except Pyro5.errors.ConnectionClosedError:
        raise
    except Exception as error:  # the outermost loop of a request
        raise _crossing(_internal(operation, error), operation) from error


def _reply(result: Any, *, is_ours: bool) -> Any:
    if not is_ours:
        return encode_inline(result)
    annex = Annex()
    plain = encode(result, annex)
    octets = annex.joined()
    if octets is not None:
        current_context.response_annotations = {ANNEX: octets}
    return plain


def _crossing(error: RemoteError, operation: Operation) -> Pyro5.errors.PyroError:
    current_context.response_annotations = {}
    if not may_cross(error, operation):
        log.error(
            "%s raised the undeclared %s", operation.name, type(error).__name__, exc_info=error
        )
        error = _internal(operation, error)
    return to_pyro_error(error)


def _internal(operation: Operation, error: Exception) -> Internal:
    log.error("%s failed", operation.name, exc_info=error)
    return Internal(
        f"{operation.name} failed: {type(error).__name__}: {error}",
        cause="a bug in the object; its log has the traceback",
        remedy="report it with the log of the component",
    )
