"""A deadline is one for all of a call, however slowly the peer takes the request."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.mapping.calling.connecting import SecureLine
from idl_like_interfaces.mapping.calling.dialing import Place
from idl_like_interfaces.mapping.calling.line import Line
from idl_like_interfaces.mapping.calling.outcome import Late, NotSent
from idl_like_interfaces.mapping.calling.outgoing import Request
from idl_like_interfaces.mapping.context import CallIds
from idl_like_interfaces.octets import Octets
from tests.hostile.certificates import client_context, server_context, write_all
from tests.support.desk import Desk

PLACE = Place.parse("PYRO:desk@localhost:1")
DOUBLE = interface_of(Desk).operations["double"]


@contextmanager
def read_by(other: socket.socket, read: Callable[[], None]) -> Iterator[None]:
    """Have a thread read at the other end."""

    def run() -> None:
        with contextlib.suppress(OSError):
            read()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)
        thread.join(20)
        other.close()


def test_time_in_which_the_peer_took_the_request_is_gone_for_the_reply() -> None:
    """It takes most of it just in time, and then says nothing."""
    one, other = socket.socketpair()
    one.settimeout(None)
    line, size = Line(one, PLACE), 4_000_000
    over = threading.Event()

    def read_late() -> None:
        over.wait(4.5)
        while other.recv(1 << 20):
            pass

    with read_by(other, read_late):
        began = time.monotonic()
        request = Request(DOUBLE, [Octets(bytes(size))])
        with pytest.raises(Late):
            line.exchange(request, CallIds().mark(6.0), began + 6.0, 6.0)
        elapsed = time.monotonic() - began
        line.close()
        over.set()
    assert elapsed < 9.5


def test_a_peer_that_takes_little_at_a_time_does_not_stretch_the_deadline(tmp_path: Path) -> None:
    """With TLS, too, where a long request goes in many records."""
    write_all(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other, _ = listener.accept()
    met: list[ssl.SSLSocket] = []
    over = threading.Event()

    def read_slowly() -> None:
        with server_context(tmp_path).wrap_socket(other, server_side=True) as secured:
            met.append(secured)
            while not over.wait(0.05) and secured.recv(1 << 16):
                pass

    with read_by(other, read_slowly):
        sock = client_context(tmp_path).wrap_socket(one, server_hostname="localhost")
        line = SecureLine(sock, PLACE)
        began = time.monotonic()
        line._allow(1.0)
        request = Request(DOUBLE, [Octets(bytes(16_000_000))])
        with pytest.raises(NotSent):
            line.exchange(request, CallIds().mark(1.0), began + 1.0, 1.0)
        elapsed = time.monotonic() - began
        over.set()
        line.close()
    assert elapsed < 8.0
