"""How obsorb marks its Pyro5 messages and how errors look on the wire."""

from __future__ import annotations

import socket
import uuid
from datetime import UTC, datetime
from typing import Any

import Pyro5.errors

from idl_like_interfaces.declare import Operation
from idl_like_interfaces.errors import (
    Internal,
    RemoteError,
    SystemRefusal,
    error_of,
    fields_of,
)
from idl_like_interfaces.mapping.coding import from_plain, to_plain

ANNEX = "OCTS"
"""Annotation with the octets of a message."""

LARGEST_MESSAGE = 16 * 1024 * 1024
"""Bytes: a record of 3 MiB, or a batch of them, with all around it, and room to spare."""

LARGEST_PAYLOAD = 4 * 1024 * 1024
"""Of these, bytes of the values of a request, without its octets: they become objects of many
times their size, and nothing else is done meanwhile."""

LARGEST_SERPENT = 128 * 1024
"""The same in serpent, which is Python text: 2 MiB of it block a process for seconds."""

CONNECT_DEADLINE_S = 3.0

CALL_DEADLINE_S = 10.0


def make_incarnation() -> str:
    """Name this start of a component: sorts by time, unique without asking anybody."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def host_name() -> str:
    """Return the name of this host."""
    return socket.gethostname()


def to_pyro_error(error: RemoteError) -> Pyro5.errors.PyroError:
    """Give an error the form that any Pyro client can read.

    It is exactly ``PyroError``: a stock client revives no subclass.
    """
    crossing = Pyro5.errors.PyroError(error.explain())
    crossing.repository_id = error.repository_id
    crossing.error_message = error.message
    crossing.fields = {name: to_plain(value) for name, value in error.fields.items()}
    crossing.cause = error.cause
    crossing.remedy = error.remedy
    return crossing


def may_cross(error: RemoteError, operation: Operation) -> bool:
    """Tell whether an operation may raise an error: declared, or of the system."""
    return isinstance(error, (*operation.raises, SystemRefusal))


def revive(crossed: Pyro5.errors.PyroError) -> RemoteError:
    """Make the declared error again; one of an unknown id becomes a ``RemoteError``."""
    return revive_attributes(str(crossed), vars(crossed))


def revive_attributes(text: str, attributes: dict[str, Any]) -> RemoteError:
    """As ``revive``, of text and attributes of the error.

    Raises:
        BadParam: The fields are not those of the declared error.
    """
    repository_id = attributes.get("repository_id")
    if not isinstance(repository_id, str):
        return Internal(text, cause="the object failed outside its interface")
    revived = _revive(repository_id, attributes)
    revived.remote_traceback = "".join(attributes.get("_pyroTraceback") or ())
    return revived


def _revive(repository_id: str, attributes: dict[str, Any]) -> RemoteError:
    message = str(attributes.get("error_message", ""))
    texts = {name: str(attributes.get(name, "")) for name in ("cause", "remedy")}
    plain = attributes.get("fields") or {}
    kind = error_of(repository_id)
    if kind is None or not fields_of(kind).keys() <= plain.keys():
        unknown = RemoteError(message, **texts, **plain)
        unknown.repository_id = repository_id
        return unknown
    fields = {name: from_plain(type_, plain[name], name) for name, type_ in fields_of(kind).items()}
    return kind(message, **texts, **fields)
