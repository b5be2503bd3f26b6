"""A relay between a client and a server that loses replies when it is told to."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.mapping.message import HEADER_SIZE, Kind, parse_header

_CHUNK = 1 << 20
_PATIENCE_S = 20.0


class Relay(Closing):
    """Passes the connections to one object on; each reply that it loses ends its connection.

    Args:
        uri: The object's.

    Attributes:
        uri: The object's, by way of the relay.
        lost: Replies that it has lost.
        connections: So many were made.
    """

    def __init__(self, uri: str) -> None:
        found = re.fullmatch(r"(PYRO:.*)@(.*):(\d+)", uri)
        assert found is not None
        self._target = found[2], int(found[3])
        self._listener = socket.create_server(("localhost", 0))
        self.uri = f"{found[1]}@localhost:{self._listener.getsockname()[1]}"
        self.lost = 0
        self.connections = 0
        self._to_lose = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._passing: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def lose(self, replies: int) -> None:
        """Lose the next replies."""
        with self._lock:
            self._to_lose = replies

    def cut(self) -> None:
        """End all connections that there are."""
        with self._lock:
            _shut(*self._open)

    @override
    def close(self) -> None:
        _shut(self._listener)
        self._listener.close()
        self._accepting.join(_PATIENCE_S)
        self.cut()
        for thread in self._passing:
            thread.join(_PATIENCE_S)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self.connections += 1
                with self._lock:
                    self._open |= {client, server}
                # Those that have ended are let go, so that a long run does not collect them.
                passing = [each for each in self._passing if each.is_alive()]
                passing.append(threading.Thread(target=self._pass, args=(client, server)))
                passing[-1].start()
                self._passing = passing

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        replies = threading.Thread(target=self._pass_replies, args=(client, server))
        replies.start()
        with contextlib.suppress(OSError):
            while octets := client.recv(_CHUNK):
                server.sendall(octets)
        _shut(client, server)
        replies.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _pass_replies(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                head = _exactly(server, HEADER_SIZE)
                header = parse_header(head)
                body = _exactly(server, header.size)
                if header.kind == Kind.RESULT and self._loses():
                    break
                client.sendall(head + body)
        _shut(client, server)

    def _loses(self) -> bool:
        with self._lock:
            if not self._to_lose:
                return False
            self._to_lose -= 1
            self.lost += 1
            return True


def _shut(*socks: socket.socket) -> None:
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _exactly(sock: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        part = sock.recv(size - len(received))
        if not part:
            raise EOFError
        received += part
    return bytes(received)
