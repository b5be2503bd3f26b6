"""Connections of a client to peers that do not behave."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idl_like_interfaces.errors import Internal, OutcomeUnknown, RemoteError, Transient
from idl_like_interfaces.mapping import aio, aio_release, narrow, release
from idl_like_interfaces.mapping.message import MSGPACK, SERPENT, Flag, Kind, pack
from idl_like_interfaces.object import Object

IDENTITY = msgspec.msgpack.encode(
    {"object_id": "x", "incarnation": "", "host": "", "pid": os.getpid()}
)

Answer = Callable[[int], bytes]


def message(kind: int, sequence: int, payload: bytes, flags: int = 0, by: int = MSGPACK) -> bytes:
    """Return a message in one piece."""
    return b"".join(bytes(part) for part in pack(kind, flags, sequence, by, payload))


def result(sequence: int) -> bytes:
    """Return the reply of a peer that behaves."""
    return message(Kind.RESULT, sequence, IDENTITY)


@contextmanager
def peer(
    answer: Answer, greeting: bytes = message(Kind.CONNECT_OK, 0, b"\x80"), path: str = ""
) -> Iterator[str]:
    """Yield the URI of a peer that answers each request so, to every connection."""
    if path:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
    else:
        listener = socket.create_server(("localhost", 0))
    thread = threading.Thread(target=_serve, args=(listener, answer, greeting))
    thread.start()
    where = f"./u:{path}" if path else f"localhost:{listener.getsockname()[1]}"
    try:
        yield f"PYRO:x@{where}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(20)


def _serve(listener: socket.socket, answer: Answer, greeting: bytes) -> None:
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        with sock:
            sock.settimeout(20)
            if sock.recv(8192):
                sock.sendall(greeting)
            while request := sock.recv(8192):
                reply = answer(int.from_bytes(request[10:12], "big"))
                sock.sendall(reply)
                if not reply or len(reply) % 2:  # so the peer ends after some answers
                    break


def ping(uri: str, deadline_s: float) -> Any:
    """Call from a thread."""
    stub = narrow(uri, Object, deadline_s=deadline_s)
    try:
        return stub.ping()
    finally:
        release(stub)


def aio_ping(uri: str, deadline_s: float) -> Any:
    """Call from an event loop."""

    async def work() -> Any:
        stub = narrow(uri, Object, deadline_s=deadline_s)
        try:
            return await aio(stub).ping()
        finally:
            await aio_release(stub)

    return asyncio.run(work())


WAYS = pytest.mark.parametrize("call", [ping, aio_ping], ids=["thread", "loop"])


@WAYS
def test_a_peer_that_behaves_is_understood(call: Callable[..., Any]) -> None:
    """The fixture of this module is one."""
    with peer(result) as uri:
        assert call(uri, 5.0).object_id == "x"


@WAYS
def test_a_socket_in_the_file_system_is_a_place_too(
    call: Callable[..., Any], tmp_path: Path
) -> None:
    """Pyro5 knows such references."""
    with peer(result, path=str(tmp_path / "s")) as uri:
        assert call(uri, 5.0).object_id == "x"


@WAYS
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (lambda _: b"", OutcomeUnknown, "closed the connection"),
        (lambda _: b"HTTP/1.1 400 Bad Request" * 2 + b"\n", OutcomeUnknown, "no message of Pyro5"),
        (lambda sequence: result(sequence + 1), OutcomeUnknown, "answers call"),
        (lambda sequence: message(Kind.PING, sequence, b"pong"), OutcomeUnknown, "answers call"),
        (lambda sequence: result(sequence)[:-5], OutcomeUnknown, "middle|closed|within"),
        (
            lambda sequence: result(sequence)[:12] + b"\xff" * 4 + result(sequence)[16:],
            OutcomeUnknown,
            "reply of|annotations",
        ),
        (lambda sequence: result(sequence) + b"more.", OutcomeUnknown, "reply of"),
        (
            lambda sequence: message(Kind.RESULT, sequence, b"\xc1\xc1"),
            Internal,
            "not as declared",
        ),
        (
            lambda sequence: message(Kind.RESULT, sequence, b"\xc1\xc1", Flag.EXCEPTION),
            Internal,
            "not as declared",
        ),
        (
            lambda sequence: message(
                Kind.RESULT,
                sequence,
                msgspec.msgpack.encode(
                    {
                        "__class__": "Pyro5.errors.PyroError",
                        "args": ["oh"],
                        "attributes": {"repository_id": "IDL:test/x:1.0", "fields": 7},
                    }
                ),
                Flag.EXCEPTION,
            ),
            Internal,
            "oh",
        ),
    ],
    ids=[
        "closes", "other protocol", "other call", "other kind", "half a reply", "endless",
        "more than a reply", "no reply", "no error", "odd error",
    ],
)  # fmt: skip
def test_a_reply_that_is_none_is_told(
    call: Callable[..., Any], answer: Answer, error: type[RemoteError], says: str
) -> None:
    """Within the deadline, and as what it is."""
    with peer(answer) as uri, pytest.raises(error, match=says):
        call(uri, 1.0)


@WAYS
@pytest.mark.parametrize(
    ("greeting", "says"),
    [
        (message(Kind.CONNECT_FAIL, 0, b"\xa4full"), "refuses the connection: full"),
        (message(Kind.CONNECT_FAIL, 0, b"\xc1"), "cannot be read"),
        (message(Kind.CONNECT_FAIL, 0, b"'full'", by=SERPENT), "refuses the connection"),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r\n", "no handshake"),
    ],
)
def test_a_peer_that_refuses_is_transient(
    call: Callable[..., Any], greeting: bytes, says: str
) -> None:
    """Nothing was executed."""
    with peer(result, greeting) as uri, pytest.raises(Transient, match=says):
        call(uri, 2.0)


@WAYS
def test_an_unknown_host_is_transient(call: Callable[..., Any]) -> None:
    """The name of the host stands in the message."""
    with pytest.raises(Transient, match=r"nowhere\.invalid"):
        call("PYRO:x@nowhere.invalid:1", 5.0)
