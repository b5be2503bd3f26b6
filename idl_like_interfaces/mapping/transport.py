"""The transport of a daemon: accepts connections and serves each in a thread of its own.

Pyro5's own blocks its accept loop in a handshake and goes on serving after it was closed.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import Protocol

import Pyro5.errors
from typing_extensions import override

from idl_like_interfaces.mapping.connection import Connection
from idl_like_interfaces.mapping.headers import Header, check_tail
from idl_like_interfaces.mapping.wire import CONNECT_DEADLINE_S

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 1000
"""More are closed at once; a connection costs a thread."""

_ACCEPT_AGAIN_S = 0.5
"""After a connection could not be accepted; files may have been closed then."""

_SKIP_STEP = 64 * 1024
_DRAIN_DEADLINE_S = 0.2
_CLOSE_DEADLINE_S = 5.0


class Dispatcher(Protocol):
    """What is done with a connection (Pyro5's names)."""

    def greet(self, connection: GuardedConnection) -> bool:
        """Shake hands; tell whether the peer may go on."""

    def handleRequest(self, conn: GuardedConnection) -> None:  # noqa: N802 (Pyro5's name)
        """Read one message and answer it."""

    def _clientDisconnect(self, conn: GuardedConnection) -> None:  # noqa: N802 (Pyro5's name)
        """Note that the peer is gone."""


class GuardedConnection(Connection):
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


class Transport:
    """Accepts connections and serves each in a thread of its own."""

    def __init__(self, dispatcher: Dispatcher, listener: socket.socket) -> None:
        self.sock = listener
        self._dispatcher = dispatcher
        self._lock = threading.Lock()
        self._serving: dict[GuardedConnection, threading.Thread] = {}
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
        connection = GuardedConnection(sock)
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

    def _run(self, connection: GuardedConnection) -> None:
        try:
            connection.timeout = CONNECT_DEADLINE_S
            if self._dispatcher.greet(connection):
                connection.timeout = None
                while True:
                    self._dispatcher.handleRequest(connection)
        except (OSError, Pyro5.errors.PyroError) as lost:
            log.debug("connection ended: %s", lost)
        except Exception:
            log.exception("connection ended by a failure")
        finally:
            self._dispatcher._clientDisconnect(connection)  # noqa: SLF001 (Pyro5's own hook)
            connection.close()
            with self._lock:
                self._serving.pop(connection, None)
