"""TLS of an accepted connection, apart from its socket: nothing here waits for the peer."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from Pyro5.errors import ConnectionClosedError

from idl_like_interfaces.octets import Buffer

_RECORD = 64 * 1024


class ServerChannel:
    """The server's side of one TLS connection.

    Attributes:
        is_open: The handshake is done.
        identity: Common name of the peer's certificate, once it is open; empty without.
        stated: Alternative names of that certificate that are URIs.
        speaks_plainly: The peer began as a client without TLS does.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_first = True
        self.is_open = False
        self.speaks_plainly = False
        self.identity = ""
        self.stated: tuple[str, ...] = ()

    def shake(self, sock: socket.socket) -> bool:
        """Go on with the handshake as far as it goes; tell whether it is done.

        Raises:
            SSLError: The peer's certificate, version or bytes are refused; it was told.
            ConnectionClosedError: The peer is gone.
        """
        self._take(sock, socket.MSG_DONTWAIT)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._pass_on(sock)
            return False
        except ssl.SSLError:
            if not self.speaks_plainly:
                self._pass_on(sock)
            raise
        self._pass_on(sock)
        self.is_open = True
        certificate = self._tls.getpeercert() or {}
        self.identity = _common_name(certificate)
        names: Any = certificate.get("subjectAltName", ())
        self.stated = tuple(str(name) for kind, name in names if kind == "URI")
        return True

    def receive(self, sock: socket.socket, flags: int) -> bytes:
        """Return what has come, in clear; empty when nothing has.

        Raises:
            ConnectionClosedError: The peer is gone.
            SSLError: What came is no TLS.
        """
        is_new = self._take(sock, flags)
        parts = []
        try:
            while part := self._tls.read(_RECORD):
                parts.append(part)
            # The peer has said that nothing more comes; its socket may stay open for that.
            if not parts:
                raise _gone()
        except ssl.SSLWantReadError:
            pass
        if not parts and not is_new and self._incoming.eof:
            raise _gone()
        return b"".join(parts)

    def sealed(self, parts: Sequence[Buffer]) -> bytes:
        """Return what is to be sent for some octets in clear."""
        for part in parts:
            view = memoryview(part)
            while view:
                view = view[self._tls.write(view) :]
        return self._outgoing.read()

    def _take(self, sock: socket.socket, flags: int) -> bool:
        try:
            received = sock.recv(_RECORD, flags)
        except BlockingIOError:
            return False
        if not received:
            self._incoming.write_eof()
            if not self.is_open:
                raise _gone()
            return False
        if self._is_first:
            self._is_first = False
            self.speaks_plainly = received.startswith(b"PYRO")
        self._incoming.write(received)
        return True

    def _pass_on(self, sock: socket.socket) -> None:
        octets = self._outgoing.read()
        # A handshake has few octets: a peer that does not take them is not waited for.
        if octets and sock.send(octets) != len(octets):
            raise _gone()


def _gone() -> ConnectionClosedError:
    return ConnectionClosedError("the peer has closed the connection")


def _common_name(certificate: Mapping[str, Any]) -> str:
    """Return the common name in a certificate as ``ssl`` tells it."""
    for part in certificate.get("subject", ()):
        for key, value in part:
            if key == "commonName":
                return str(value)
    return ""
