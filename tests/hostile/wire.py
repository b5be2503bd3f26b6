"""Messages of Pyro5 as an attacker writes them: with any number in any place."""

from __future__ import annotations

import re
import socket
import ssl
import struct
from types import TracebackType
from typing import Any, Self

import msgpack

CONNECT, CONNECT_OK, CONNECT_FAIL, INVOKE, RESULT, PING = range(1, 7)
SERPENT, MARSHAL, JSON, MSGPACK = range(1, 5)
EXCEPTION, COMPRESSED, ONEWAY, BATCH, STREAM, KEEP_SERIALIZED = 1, 2, 4, 8, 16, 32

HEADER_SIZE = 40
_HEADER = struct.Struct("!4sHBBHHII16sHH")
_REPOSITORY_ID = re.compile(rb"IDL:[\w.]+(?:/[\w.]+)*/([A-Za-z_]+):\d+\.\d+")
_PYRO_CLASS = re.compile(rb"Pyro5\.errors\.([A-Z]\w+)")


def message(
    kind: int,
    payload: bytes = b"",
    *,
    serializer: int = MSGPACK,
    flags: int = 0,
    sequence: int = 1,
    annotations: bytes = b"",
    data_size: int | None = None,
    annotations_size: int | None = None,
) -> bytes:
    """Return a message; the sizes in its header may be lies."""
    header = _HEADER.pack(
        b"PYRO", 502, kind, serializer, flags, sequence,
        len(payload) if data_size is None else data_size,
        len(annotations) if annotations_size is None else annotations_size,
        bytes(16), 0, 0x4DC5,
    )  # fmt: skip
    return header + annotations + payload


def annotation(letters: bytes, octets: bytes, size: int | None = None) -> bytes:
    """Return one annotation, with a length that may be a lie."""
    return struct.pack("!4sI", letters, len(octets) if size is None else size) + octets


def mark(caller: int, number: int, left_ms: int = 5000) -> bytes:
    """Return the annotation of one of our own stubs."""
    return annotation(b"OBSB", struct.pack("!BQQI", 1, caller, number, left_ms))


def greeting(object_id: Any = "Pyro.Daemon", *, serializer: int = MSGPACK) -> bytes:
    """Return the first message of a connection."""
    payload = msgpack.packb({"handshake": "hello", "object": object_id})
    if serializer == SERPENT:
        payload = repr({"handshake": "hello", "object": object_id}).encode()
    return message(CONNECT, payload, serializer=serializer)


def invocation(object_id: Any, operation: Any, *args: Any, **header: Any) -> bytes:
    """Return a call in msgpack."""
    payload = msgpack.packb([object_id, operation, list(args), {}], unicode_errors="surrogatepass")
    return message(INVOKE, payload, **header)


class Peer:
    """A connection of an attacker; a context manager.

    Args:
        address: Host and port.
        source: Own address; any address of 127.0.0.0/8 is as good as another.
        tls: Context of a client that speaks TLS.
    """

    def __init__(
        self,
        address: tuple[str, int],
        *,
        source: str = "",
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 15.0,
    ) -> None:
        own = (source, 0) if source else None
        self.sock = socket.create_connection(address, timeout_s, source_address=own)
        if tls is not None:
            try:
                self.sock = tls.wrap_socket(self.sock)
            except BaseException:
                self.sock.close()
                raise

    def greet(self, object_id: Any = "Pyro.Daemon") -> str:
        """Shake hands as everybody does; return the answer."""
        self.send(greeting(object_id))
        return self.answer()

    def send(self, octets: bytes) -> None:
        """Send all of it."""
        self.sock.sendall(octets)

    def answer(self) -> str:
        """Read one message and say in a word what it is.

        Returns:
            ``greeted``, ``not greeted``, ``served``, ``pong``, name of an error, ``closed``
            or ``silence``.
        """
        try:
            header = self._exactly(HEADER_SIZE)
            _, _, kind, _, flags, _, data, annotations, _, _, _ = _HEADER.unpack(header)
            body = self._exactly(data + annotations)
        except TimeoutError:
            return "silence"
        except (EOFError, OSError):
            return "closed"
        if kind == RESULT and flags & EXCEPTION:
            return _error_in(body)
        words = {CONNECT_OK: "greeted", CONNECT_FAIL: "not greeted", RESULT: "served", PING: "pong"}
        return words[kind]

    def until_closed(self) -> str:
        """Wait for the daemon to close the connection."""
        try:
            while self.sock.recv(65536):
                pass
        except TimeoutError:
            return "silence"
        except OSError:
            pass
        return "closed"

    def reset(self) -> None:
        """Close it without a goodbye: the peer gets an RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _exactly(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            part = self.sock.recv(min(size - len(received), 1 << 20))
            if not part:
                raise EOFError
            received += part
        return bytes(received)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.sock.close()


def _error_in(body: bytes) -> str:
    found = _REPOSITORY_ID.search(body) or _PYRO_CLASS.search(body)
    return found[1].decode() if found else "error"
