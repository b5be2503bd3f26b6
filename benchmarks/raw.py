"""Requests as bytes over plain sockets: clients that cost so little that the server is measured."""

from __future__ import annotations

import select
import socket
import time
from contextlib import ExitStack
from typing import Any

import msgpack
from typing_extensions import override

from benchmarks.latency import WARM_UP_CALLS, account, allow_many_files
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.mapping.context import MARK, CallIds
from idl_like_interfaces.mapping.message import (
    HEADER_SIZE,
    MSGPACK,
    Flag,
    Kind,
    pack,
    parse_header,
)

DEADLINE_S = 60.0

# The bits of an enumeration cost a microsecond each time.
_EXCEPTION = int(Flag.EXCEPTION)
_CALL_DEADLINE_S = 10.0


class RawConnection(Closing):
    """A connection that has shaken hands; its user says when to write and when to read.

    Args:
        uri: Of the object.
        is_ours: Send the mark of our stubs with each request.

    Attributes:
        object_id: Of the object.
        sock: The connection.
        reply: The newest reply, as it came.
    """

    def __init__(self, uri: str, *, is_ours: bool) -> None:
        self.object_id, _, where = uri.removeprefix("PYRO:").partition("@")
        host, _, port = where.rpartition(":")
        self._ids = CallIds() if is_ours else None
        self._rest = b""
        self.reply = b""
        self.sock = socket.create_connection((host, int(port)), timeout=DEADLINE_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._send(Kind.CONNECT, {"handshake": "hello", "object": self.object_id}, ())
        self.receive()

    @override
    def close(self) -> None:
        self.sock.close()

    def request(self, operation: str, *arguments: Any, left_s: float = _CALL_DEADLINE_S) -> None:
        """Send a request."""
        mark = () if self._ids is None else ((MARK.encode(), self._ids.mark(left_s)),)
        self._send(Kind.INVOKE, [self.object_id, operation, arguments, {}], mark)

    def receive(self) -> None:
        """Wait for the next reply.

        Raises:
            ConnectionError: There is none, or it is an error.
        """
        while not self.take():
            pass

    def take(self) -> bool:
        """Read what is there; tell whether that completes a reply.

        Raises:
            ConnectionError: The peer is gone, or the reply is an error.
        """
        received = self.sock.recv(65_536)
        if not received:
            raise ConnectionError("the server has closed a connection")
        self._rest += received
        if len(self._rest) < HEADER_SIZE:
            return False
        header = parse_header(self._rest)
        if len(self._rest) < HEADER_SIZE + header.size:
            return False
        self.reply = reply = self._rest
        self._rest = b""
        if header.flags & _EXCEPTION or header.kind == Kind.CONNECT_FAIL:
            raise ConnectionError(f"the server refuses: {reply[HEADER_SIZE:]!r}")
        return True

    def _send(self, kind: int, payload: Any, annotations: tuple[tuple[bytes, bytes], ...]) -> None:
        packed = pack(kind, Flag.NONE, 0, MSGPACK, msgpack.packb(payload), annotations)
        self.sock.sendall(packed[0])


class Clients(ExitStack):
    """As many clients as wanted, in one thread that answers each reply with the next request."""

    hello = ""

    def __init__(self, uri: str, whose: str) -> None:
        super().__init__()
        allow_many_files()
        self._uri = uri
        self._is_ours = whose == "ours"
        self._clients: list[RawConnection] = []

    def connect(self, count: int) -> int:
        """Connect until there are so many, and warm each of them up."""
        while len(self._clients) < count:
            client = self.enter_context(RawConnection(self._uri, is_ours=self._is_ours))
            for _ in range(WARM_UP_CALLS):
                client.request("add", 1, 2)
                client.receive()
            self._clients.append(client)
        return len(self._clients)

    def run(self, count: int, seconds: float) -> dict[str, Any]:
        """Let so many of the clients call for a while; see ``account``."""
        clients = {each.sock.fileno(): each for each in self._clients[:count]}
        with select.epoll() as poll:
            for number in clients:
                poll.register(number, select.EPOLLIN)
            began = time.perf_counter()
            latencies = _rounds(poll, clients, began + seconds)
        return account([latencies], time.perf_counter() - began)


def _rounds(poll: select.epoll, clients: dict[int, RawConnection], until: float) -> list[int]:
    """Keep one request of each client on its way until a moment; return all latencies, us."""
    clock, latencies, began = time.perf_counter, [], {}
    for number, client in clients.items():
        began[number] = clock()
        client.request("add", 1, 2)
    while began:
        for number, _ in poll.poll(DEADLINE_S):
            client = clients[number]
            if not client.take():
                continue
            now = clock()
            latencies.append(round(1e6 * (now - began[number])))
            if now < until:
                began[number] = now
                client.request("add", 1, 2)
            else:
                del began[number]
    return latencies
