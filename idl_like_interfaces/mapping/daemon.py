"""Hosting: one daemon per component, on the loopback interface.

Pyro5's daemon keeps its dispatching; the transport below it is ours.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from typing import Any, Self

import Pyro5.configure
import Pyro5.errors
import Pyro5.server
from Pyro5 import config
from Pyro5.callcontext import current_context
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.headers import Unwelcome
from idl_like_interfaces.mapping.skeleton import skeleton_class
from idl_like_interfaces.mapping.transport import GuardedConnection, Transport
from idl_like_interfaces.mapping.wire import (
    LARGEST_MESSAGE,
    make_incarnation,
    to_pyro_error,
)

log = logging.getLogger(__name__)

config.SOCK_NODELAY = True
config.MAX_MESSAGE_SIZE = LARGEST_MESSAGE
# An expected lost peer is told by our own errors; Pyro5 would log each as an error.
logging.getLogger("Pyro5.client").setLevel(logging.CRITICAL)


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is one of this host's loopback addresses."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Daemon(Pyro5.server.Daemon):  # type: ignore[misc]
    """Pyro5's dispatching on our transport."""

    def __init__(self, listener: socket.socket, host: str) -> None:
        # Given a connected socket, Pyro5 starts no server of its own.
        one, other = socket.socketpair()
        with one, other:
            super().__init__(connected_socket=one)
        self.transportServer = Transport(self, listener)
        self.locationStr = f"{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"

    def greet(self, connection: GuardedConnection) -> bool:
        """Shake hands; tell whether the peer may go on."""
        return bool(self._handshake(connection))

    @override
    def handleRequest(self, conn: GuardedConnection) -> None:
        # Annotations of a reply that failed would ride on the next one.
        current_context.response_annotations = {}
        try:
            super().handleRequest(conn)
        except Unwelcome as refused:
            self._refuse(conn, refused)
        except Pyro5.errors.ProtocolError as error:
            # The request was executed; Pyro5 would close the connection without a word.
            if "message too large" not in str(error):
                raise
            self._tell_too_much(conn)

    def _tell_too_much(self, conn: GuardedConnection) -> None:
        current_context.response_annotations = {}
        error = to_pyro_error(
            BadParam(
                f"the reply has more than {LARGEST_MESSAGE} bytes",
                field="reply",
                cause="too much was asked for at once",
                remedy="ask for less at a time, where the operation has a limit",
            )
        )
        sequence, serializer = current_context.seq, current_context.serializer_id
        self._sendExceptionResponse(conn, sequence, serializer, error, None)

    def _refuse(self, conn: GuardedConnection, refused: Unwelcome) -> None:
        """Answer a message whose header tells that it is not wanted; go on behind it.

        Raises:
            Unwelcome: It waits for no answer, or is too long to be passed over.
        """
        header = refused.header
        log.warning("a request was refused: %s", refused)
        if not header.can_be_answered:
            raise refused
        conn.skip(header.size)
        error = to_pyro_error(
            BadParam(
                str(refused),
                field="message",
                cause="the client's Pyro5 is configured for another kind of message",
                remedy=refused.remedy,
            )
        )
        self._sendExceptionResponse(conn, header.sequence, header.serializer, error, None)


class ObjectAdapter(Closing):
    """Makes servants reachable (CORBA's object adapter).

    Args:
        host: A loopback name or address.
        port: 0: any free port.
        incarnation: This start of the component; made when it is not given.

    Attributes:
        host: As given.
        port: Where it listens.
        incarnation: Goes into each object id, so that a reference from before a
            restart names nothing.

    Raises:
        BadParam: The host is not a loopback address.
        OSError: The port is in use.
    """

    def __init__(
        self, host: str = "localhost", port: int = 0, incarnation: str | None = None
    ) -> None:
        if not is_loopback(host):
            raise BadParam(
                f"address {host} is not on the loopback interface",
                field="host",
                cause="without TLS everybody on the network could command the objects",
                remedy="use localhost and reach it through an ssh tunnel",
            )
        self.host = host
        self.incarnation = incarnation or make_incarnation()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=128)
        self.port: int = listener.getsockname()[1]
        self._daemon = _Daemon(listener, host)

    def activate(self, servant: object, interface: type, object_id: str) -> str:
        """Make a servant reachable under its interface and return its URI.

        The id in the URI is ``object_id~incarnation``.
        """
        full_id = f"{object_id}~{self.incarnation}"
        skeleton = skeleton_class(interface)(servant, interface, full_id, self.incarnation)
        return str(self._daemon.register(skeleton, full_id))

    def activate_fixed(self, servant: object, interface: type, object_id: str) -> str:
        """As ``activate``, under an id that is the same after a restart."""
        skeleton = skeleton_class(interface)(servant, interface, object_id, self.incarnation)
        return str(self._daemon.register(skeleton, object_id))

    def activate_stock(self, exposed: Any, object_id: str) -> str:
        """Make an object reachable that Pyro5 itself knows how to expose."""
        return str(self._daemon.register(exposed, object_id))

    def deactivate(self, object_id: str) -> None:
        """Take a servant out; calls to it find no object."""
        for each in (object_id, f"{object_id}~{self.incarnation}"):
            self._daemon.unregister(each)

    def start(self) -> None:
        """Begin to serve, in threads."""
        self._daemon.transportServer.start()

    def drain(self) -> None:
        """Take no more requests; calls that are being served may still reply.

        Waits a moment for them, but not for long-polls: let those end, then ``close``.
        """
        self._daemon.transportServer.drain()

    @override
    def close(self) -> None:
        """Serve no more; established connections are closed too."""
        self._daemon.transportServer.close()

    @override
    def __enter__(self) -> Self:
        self.start()
        return self
