"""The process that fills a stream of the peer Redis."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

from benchmarks.channel_account import TOPIC, body, encode
from benchmarks.channel_redis import PIPELINE

_BEGIN = b"*5\r\n$4\r\nXADD\r\n$%d\r\n%b\r\n$1\r\n*\r\n$1\r\ne\r\n" % (len(TOPIC), TOPIC.encode())
_LINES_OF_REPLY = 2


class Filler(ExitStack):
    """Adds entries of one field, in pipelines; over a plain socket, since its client is slow."""

    hello = ""

    def __init__(self, port: str) -> None:
        super().__init__()
        self._sock = self.enter_context(socket.create_connection(("127.0.0.1", int(port))))

    def fill(self, events: int) -> float:
        """Add so many entries; return in how many seconds the stream had them."""
        began = time.monotonic()
        for first in range(0, events, PIPELINE):
            numbers = range(first, min(events, first + PIPELINE))
            self._sock.sendall(b"".join(map(_entry, numbers)))
            self._await(len(numbers))
        return time.monotonic() - began

    def _await(self, replies: int) -> None:
        left = _LINES_OF_REPLY * replies
        while left > 0:
            received = self._sock.recv(65_536)
            if not received or received.startswith(b"-"):
                raise ConnectionError(f"the server refuses: {received!r}")
            left -= received.count(b"\n")


def _entry(number: int) -> bytes:
    encoded = encode(body(number))
    return b"%b$%d\r\n%b\r\n" % (_BEGIN, len(encoded), encoded)
