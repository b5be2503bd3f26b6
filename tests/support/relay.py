"""A relay between a client and a server that loses replies when it is told to."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

from typing_extensions import override

from idl_like_interfaces.closing import Closing

_CHUNK = 1 << 20


class Relay(Closing):
    """Passes the connections to one object on; each reply that it loses ends its connection.

    Args:
        uri: The object's.

    Attributes:
        uri: The object's, by way of the relay.
        to_lose: So many of the next replies are lost.
        connections: So many were made.
    """

    def __init__(self, uri: str) -> None:
        found = re.fullmatch(r"(PYRO:.*)@(.*):(\d+)", uri)
        assert found is not None
        self._target = found[2], int(found[3])
        self._listener = socket.create_server(("localhost", 0))
        self.uri = f"{found[1]}@localhost:{self._listener.getsockname()[1]}"
        self.to_lose = 0
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def lose(self, replies: int) -> None:
        """Lose the next replies."""
        self.to_lose = replies

    def cut(self) -> None:
        """End all connections that there are."""
        _end(*self._open)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self.connections += 1
                self._open += [client, server]
                for work in ((self._requests, client, server), (self._replies, server, client)):
                    thread = threading.Thread(target=work[0], args=work[1:])
                    self._threads.append(thread)
                    thread.start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := client.recv(_CHUNK):
                server.sendall(octets)
        _end(client, server)

    def _replies(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client.sendall(server.recv(_CHUNK))  # the handshake
            while octets := server.recv(_CHUNK):
                if self.to_lose:
                    self.to_lose -= 1
                    break
                client.sendall(octets)
        _end(client, server)

    @override
    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(20)
        _end(*self._open)
        for thread in self._threads:
            thread.join(20)
        for each in self._open:
            each.close()


def _end(*socks: socket.socket) -> None:
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
