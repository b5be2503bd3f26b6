"""Where an object is, and how a client's process connects: addresses and TLS."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Any, Self

import Pyro5.core
import Pyro5.errors
import serpent

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.calling.outcome import NotActive, NotExecuted, NotTrusted
from idl_like_interfaces.mapping.message import MSGPACK, SERPENT, Kind, Message
from idl_like_interfaces.mapping.packing import unpack_plain
from idl_like_interfaces.mapping.trust import IN_CLEAR, NEEDS_TLS

_LONGEST_REASON = 2000
_HIGHEST_PORT = 65535
"""Bytes that are worth parsing."""


class _Trust:
    """What all connections of this process that are made from now on use."""

    context: ssl.SSLContext | None = None


def use_tls(context: ssl.SSLContext | None) -> None:
    """Connect with TLS from now on, in the whole process; ``None``: without.

    Args:
        context: Of a client, with the authority that it trusts and, for its identity,
            its own certificate.
    """
    _Trust.context = context


def tls_context() -> ssl.SSLContext | None:
    """Return what new connections of this process use."""
    return _Trust.context


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is.

    Attributes:
        uri: ``PYRO:ID@HOST:PORT``.
        object_id: Its id there.
        host: Name or address; empty for a socket in the file system.
        port: TCP port.
        path: Of that socket; else empty.
    """

    uri: str
    object_id: str
    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read a reference.

        Raises:
            BadParam: It is malformed.
        """
        try:
            found = Pyro5.core.URI(uri)
        except Pyro5.errors.PyroError as error:
            raise BadParam(
                f"{uri!r} is not a reference to an object: {error}",
                field="reference",
                remedy="give PYRO:ID@HOST:PORT, or a name",
            ) from error
        path = found.sockname or ""
        port = found.port or 0
        if not path and not 0 < port <= _HIGHEST_PORT:
            raise BadParam(
                f"{uri!r} is not a reference to an object: there is no port {found.port}",
                field="reference",
                remedy=f"give PYRO:ID@HOST:PORT with a port from 1 to {_HIGHEST_PORT}, or a name",
            )
        return cls(uri, found.object, found.host or "", port, path)

    def addresses(self) -> list[tuple[int, Any]]:
        """Return family and address of each way there, IPv4 first as our daemons listen.

        Raises:
            OSError: The host is unknown.
        """
        if self.path:
            return [(socket.AF_UNIX, self.path)]
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        ways: list[tuple[int, Any]] = [(each[0], each[4]) for each in found]
        return sorted(ways, key=lambda way: way[0] != socket.AF_INET)


def check_greeting(place: Place, reply: Message) -> None:
    """Read the answer to the first message on a connection.

    Raises:
        NotExecuted: The peer refuses.
    """
    if reply.header.kind == Kind.CONNECT_OK:
        return
    text = _reason(reply)
    if text.startswith(NEEDS_TLS):
        raise NotTrusted(IN_CLEAR)
    if "unknown object" in text:
        raise NotActive(text)
    raise NotExecuted(f"{place.uri} refuses the connection: {text}")


def _reason(reply: Message) -> str:
    """Return why a peer refuses; a server that does not know us yet speaks as Pyro5 does."""
    try:
        if reply.header.serializer == MSGPACK:
            return str(unpack_plain(reply.payload))
        if reply.header.serializer == SERPENT and len(reply.payload) <= _LONGEST_REASON:
            return str(serpent.loads(reply.payload))
    except (ValueError, RecursionError, SyntaxError, MemoryError):
        return "the reason cannot be read"
    return "no reason is given"
