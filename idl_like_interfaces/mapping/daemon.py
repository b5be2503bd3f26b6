"""Hosting: one daemon per component, on the loopback interface.

Pyro5's daemon keeps its dispatching; the transport below it is ours, since the
stock one blocks its accept loop in a handshake and goes on serving after it was
closed. One thread serves one connection.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import threading
import time
from typing import Any, Self

import Pyro5.configure
import Pyro5.errors
import Pyro5.server
from Pyro5 import config
from Pyro5.callcontext import current_context
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.connection import Connection
from idl_like_interfaces.mapping.headers import Header, Unwelcome, check_tail
from idl_like_interfaces.mapping.skeleton import skeleton_class
from idl_like_interfaces.mapping.wire import (
    CONNECT_DEADLINE_S,
    LARGEST_MESSAGE,
    make_incarnation,
    to_pyro_error,
)

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 1000
"""More are closed at once; a connection costs a thread."""

_ACCEPT_AGAIN_S = 0.5
"""After a connection could not be accepted; files may have been closed then."""

_SKIP_STEP = 64 * 1024
_DRAIN_DEADLINE_S = 0.2
_CLOSE_DEADLINE_S = 5.0

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


class _Connection(Connection):
    """A connection that looks at each header before its payload is read."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._reads = 0

    @override
    def recv(self, size: int) -> bytes | bytearray:
        received = super().recv(size)
        # Pyro5 reads a message in three parts: 6 bytes, the rest of the header, payload.
        self._reads = (self._reads + 1) % 3
        if self._reads == 2 and size == Header.TAIL:  # noqa: PLR2004
            check_tail(received)
        return received

    def skip(self, size: int) -> None:
        """Pass over the payload of a message that is not wanted."""
        while size:
            size -= len(super().recv(min(size, _SKIP_STEP)))
        self._reads = 0


class _Transport:
    """Accepts connections and serves each in a thread of its own."""

    def __init__(self, daemon: _Daemon, listener: socket.socket) -> None:
        self.sock = listener
        self._daemon = daemon
        self._lock = threading.Lock()
        self._serving: dict[_Connection, threading.Thread] = {}
        self._closed = False
        self._ended = threading.Event()
        self._acceptor = threading.Thread(target=self._accept, name="accept", daemon=True)

    def start(self) -> None:
        self._acceptor.start()

    def drain(self) -> None:
        """Take no more connections and requests; calls that are being served go on."""
        with self._lock:
            self._closed = True
            serving = dict(self._serving)
        self._ended.set()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for connection in serving:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RD)
        self._join(_DRAIN_DEADLINE_S)

    def close(self) -> None:
        """Stop listening and really close every connection."""
        self.drain()
        with self._lock:
            serving = dict(self._serving)
        for connection in serving:
            connection.close()
        self._join(_CLOSE_DEADLINE_S)

    def _join(self, deadline_s: float) -> None:
        """Wait for all threads together, not longer than the deadline."""
        with self._lock:
            threads = [self._acceptor, *self._serving.values()]
        until = time.monotonic() + deadline_s
        for thread in threads:
            if thread is not threading.current_thread() and thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                sock, peer = self.sock.accept()
            except OSError as error:
                if not self._ended.is_set():
                    # The process has too many files open, or the peer is gone again.
                    log.error("a connection could not be accepted: %s", error)
                    self._ended.wait(_ACCEPT_AGAIN_S)
            else:
                self._serve(sock, peer)

    def _serve(self, sock: socket.socket, peer: object) -> None:
        connection = _Connection(sock)
        thread = threading.Thread(
            target=self._run, args=(connection,), name=f"serve {peer}", daemon=True
        )
        with self._lock:
            refused = self._closed or len(self._serving) >= MAX_CONNECTIONS
            if not refused:
                self._serving[connection] = thread
        if refused:
            log.warning("connection of %s refused: %d are open", peer, MAX_CONNECTIONS)
            connection.close()
            return
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread.start()
        except (OSError, RuntimeError) as error:
            log.error("connection of %s cannot be served: %s", peer, error)
            with self._lock:
                del self._serving[connection]
            connection.close()

    def _run(self, connection: _Connection) -> None:
        try:
            connection.timeout = CONNECT_DEADLINE_S
            if self._daemon.greet(connection):
                connection.timeout = None
                while True:
                    self._daemon.handleRequest(connection)
        except (OSError, Pyro5.errors.PyroError) as lost:
            log.debug("connection ended: %s", lost)
        except Exception:
            log.exception("connection ended by a failure")
        finally:
            self._daemon._clientDisconnect(connection)  # noqa: SLF001 (Pyro5's own hook)
            connection.close()
            with self._lock:
                self._serving.pop(connection, None)


class _Daemon(Pyro5.server.Daemon):  # type: ignore[misc]
    """Pyro5's dispatching on our transport."""

    def __init__(self, listener: socket.socket, host: str) -> None:
        # Given a connected socket, Pyro5 starts no server of its own.
        one, other = socket.socketpair()
        with one, other:
            super().__init__(connected_socket=one)
        self.transportServer = _Transport(self, listener)
        self.locationStr = f"{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"

    def greet(self, connection: _Connection) -> bool:
        """Shake hands; tell whether the peer may go on."""
        return bool(self._handshake(connection))

    @override
    def handleRequest(self, conn: _Connection) -> None:
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

    def _tell_too_much(self, conn: _Connection) -> None:
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

    def _refuse(self, conn: _Connection, refused: Unwelcome) -> None:
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
        self._started = False

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
        self._started = True
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
