"""Connections that read ahead: a small message costs one system call, not three."""

from __future__ import annotations

import socket
import struct
from typing import Self

import Pyro5.errors
from Pyro5.errors import ConnectionClosedError
from Pyro5.socketutil import SocketConnection
from typing_extensions import override

_READ_AHEAD = 8192
"""Most bytes that are read before they are asked for. Small, since what belongs to a
large message is copied once more."""

_HEADER = 40
"""Behind a large message only the header is read ahead: the next one may be as large."""

_TIMEVAL = struct.Struct("ll")


class Connection(SocketConnection):  # type: ignore[misc]
    """A connection that carries one message at a time in each direction.

    The kernel keeps its time limit: with one of Python's a socket does not block, so that
    each operation begins with a ``poll`` and a large message comes in many small parts.
    """

    def __init__(self, sock: socket.socket, object_id: str | None = None) -> None:
        super().__init__(sock, object_id)
        self._ahead = b""
        self._used = 0
        self._reach = _READ_AHEAD
        self._timeout_s: float | None = None
        self.timeout = sock.gettimeout()

    @property
    def timeout(self) -> float | None:
        """How long an operation may wait for the peer, in seconds; None: for ever."""
        return self._timeout_s

    @timeout.setter
    def timeout(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        # To the kernel 0 means for ever.
        microseconds = 0 if timeout_s is None else max(1, round(timeout_s * 1_000_000))
        limit = _TIMEVAL.pack(*divmod(microseconds, 1_000_000))
        self.sock.settimeout(None)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

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
        reach, self._reach = max(self._reach, size), _READ_AHEAD
        while len(ahead) < size:
            received = self.sock.recv(reach)
            if not received:
                raise _ended()
            ahead += received
        self._ahead, self._used = ahead, size
        return ahead[:size]

    def _long(self, ahead: bytes, size: int) -> bytes | bytearray:
        self._reach = _HEADER
        if not ahead:
            ahead = self.sock.recv(size, socket.MSG_WAITALL)
            if len(ahead) == size:
                return ahead
        whole = bytearray(size)
        whole[: len(ahead)] = ahead
        done = len(ahead)
        with memoryview(whole) as view:
            while done < size:
                count = self.sock.recv_into(view[done:], 0, socket.MSG_WAITALL)
                if not count:
                    raise _ended()
                done += count
        return whole


def _ended() -> ConnectionClosedError:
    return ConnectionClosedError("receiving: the peer has closed the connection")


def _translated(doing: str, error: OSError) -> Pyro5.errors.CommunicationError:
    if isinstance(error, BlockingIOError):
        return Pyro5.errors.TimeoutError(f"{doing}: timeout")
    return ConnectionClosedError(f"{doing}: connection lost: {error}")
