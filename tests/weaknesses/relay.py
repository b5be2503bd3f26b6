"""A relay between client and daemon that loses replies when it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.mapping.message import HEADER_SIZE, Kind, parse_header

_PATIENCE_S = 20.0


class Relay(Closing):
    """Passes connections on to a port of the loopback interface.

    Attributes:
        port: Where it listens.
        lost: Replies that it has lost.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("localhost", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lost = 0
        self._to_lose = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def lose(self, replies: int) -> None:
        """Cut the connection instead of passing on the next replies."""
        with self._lock:
            self._to_lose = replies

    @override
    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            open_ = list(self._open)
        for each in open_:
            _end(each)
        for thread in self._threads:
            thread.join(_PATIENCE_S)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        # Those that have ended are let go, so that a long run does not collect them.
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("localhost", self._target), _PATIENCE_S)
                with self._lock:
                    self._open |= {client, server}
                self._start(self._pass_requests, client, server)
                self._start(self._pass_replies, server, client)

    def _pass_requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := client.recv(65536):
                server.sendall(octets)
        self._forget(client, server)

    def _pass_replies(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                head = _exactly(server, HEADER_SIZE)
                header = parse_header(head)
                body = _exactly(server, header.size)
                if header.kind == Kind.RESULT and self._loses():
                    break
                client.sendall(head + body)
        self._forget(client, server)

    def _loses(self) -> bool:
        with self._lock:
            if not self._to_lose:
                return False
            self._to_lose -= 1
            self.lost += 1
            return True

    def _forget(self, *sockets: socket.socket) -> None:
        for each in sockets:
            _end(each)
        with self._lock:
            self._open.difference_update(sockets)


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def _exactly(sock: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        part = sock.recv(size - len(received))
        if not part:
            raise EOFError
        received += part
    return bytes(received)
