"""Connections that read ahead: a small message costs one system call, not three."""

from __future__ import annotations

import socket
from typing import Self

import Pyro5.errors
from Pyro5.errors import ConnectionClosedError
from Pyro5.socketutil import SocketConnection
from typing_extensions import override

_READ_AHEAD = 8192
"""Most bytes that are read before they are asked for. Small, since what belongs to a
large message is copied once more."""

_STEP = 4 * 1024 * 1024
"""Memory for a message is taken in such steps, as it arrives: a header alone costs nothing."""


class Connection(SocketConnection):  # type: ignore[misc]
    """A connection that carries one message at a time in each direction."""

    def __init__(self, sock: socket.socket, object_id: str | None = None) -> None:
        super().__init__(sock, object_id)
        self._ahead = b""
        self._used = 0

    @classmethod
    def taking_over(cls, other: SocketConnection) -> Self:
        """Go on with the socket of a connection that is not used any more."""
        other.keep_open = True
        return cls(other.sock, other.objectId)

    @override
    def send(self, data: bytes) -> None:
        # Pyro5's own copies the rest of a message whenever a part of it was sent.
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise _translated("sending", error) from error

    @override
    def recv(self, size: int) -> bytes | bytearray:
        begin, end = self._used, self._used + size
        if end <= len(self._ahead):
            self._used = end
            return self._ahead[begin:end]
        ahead, self._ahead, self._used = self._ahead[begin:], b"", 0
        try:
            return self._short(ahead, size) if size < _READ_AHEAD else self._long(ahead, size)
        except OSError as error:
            raise _translated("receiving", error) from error

    def _short(self, ahead: bytes, size: int) -> bytes:
        while len(ahead) < size:
            received = self.sock.recv(_READ_AHEAD)
            if not received:
                raise _ended()
            ahead += received
        self._ahead, self._used = ahead, size
        return ahead[:size]

    def _long(self, ahead: bytes, size: int) -> bytearray:
        whole = bytearray(min(size, _STEP))
        whole[: len(ahead)] = ahead
        done = len(ahead)
        while True:
            with memoryview(whole) as view:
                while done < len(view):
                    count = self.sock.recv_into(view[done:], 0, socket.MSG_WAITALL)
                    if not count:
                        raise _ended()
                    done += count
            if done == size:
                return whole
            whole += bytes(min(size - done, _STEP))


def _ended() -> ConnectionClosedError:
    return ConnectionClosedError("receiving: the peer has closed the connection")


def _translated(doing: str, error: OSError) -> Pyro5.errors.CommunicationError:
    if isinstance(error, TimeoutError):
        return Pyro5.errors.TimeoutError(f"{doing}: timeout")
    return ConnectionClosedError(f"{doing}: connection lost: {error}")
