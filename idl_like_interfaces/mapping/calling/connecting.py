"""Making a connection to an object: the socket, TLS where it is wanted, the handshake."""

from __future__ import annotations

import socket
import ssl

from typing_extensions import override

from idl_like_interfaces.mapping.calling.dialing import Place, tls_context
from idl_like_interfaces.mapping.calling.line import Line
from idl_like_interfaces.mapping.calling.outcome import NotExecuted, NotSent, NotTrusted, Unanswered
from idl_like_interfaces.mapping.context import time_left
from idl_like_interfaces.mapping.trust import no_handshake, server_refused
from idl_like_interfaces.octets import Buffer


class SecureLine(Line):
    """A connection with TLS, whose time limit is Python's: OpenSSL does not know the kernel's."""

    __slots__ = ()

    @override
    def _no_greeting(self, error: Unanswered) -> NotExecuted:
        # With TLS 1.3 a server refuses a client's certificate after the client is done.
        if isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, TimeoutError):
            return NotTrusted(server_refused(error.__cause__))
        return super()._no_greeting(error)

    @override
    def _give(self, parts: list[Buffer], until: float) -> None:
        for part in parts:
            view = memoryview(part).cast("B")
            # Part by part: what is sent whole has the time limit again for each record.
            while (sent := self._sock.send(view)) < len(view):
                view = view[sent:]
                self._allow(time_left(until))

    @override
    def _fill_some(self, view: memoryview) -> int:
        return self._sock.recv_into(view)

    @override
    def _allow(self, left_s: float) -> None:
        if left_s <= 0:
            raise NotSent("the time is over")
        self._allowed_s = left_s
        self._sock.settimeout(left_s)


def connect(place: Place, until: float) -> Line:
    """Make a connection to an object and shake hands.

    Raises:
        NotExecuted: It cannot be reached in time, or refuses.
    """
    context = tls_context()
    sock = _dial(place, until)
    try:
        if context is None:
            sock.settimeout(None)
            line = Line(sock, place)
        else:
            sock = _secured(sock, context, place)
            line = SecureLine(sock, place)
        line.greet(until)
    except BaseException:
        sock.close()
        raise
    return line


def _dial(place: Place, until: float) -> socket.socket:
    lost: OSError | None = None
    try:
        ways = place.addresses()
    except OSError as error:
        raise NotExecuted(f"{place.host}: {error}") from error
    for family, address in ways:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(max(time_left(until), 1e-6))
            sock.connect(address)
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            lost = error
        else:
            return sock
    raise NotExecuted(f"cannot connect to {place.host}:{place.port}: {lost}") from lost


def _secured(sock: socket.socket, context: ssl.SSLContext, place: Place) -> ssl.SSLSocket:
    try:
        return context.wrap_socket(sock, server_hostname=place.host or None)
    except OSError as error:
        raise NotTrusted(no_handshake(error)) from error
