"""What the hosting does with odd, silent and unwelcome peers."""

from __future__ import annotations

import socket
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

import Pyro5.api
import Pyro5.errors
import Pyro5.protocol
import pytest
from typing_extensions import override

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from tests.support.echo import Echo, EchoServant

MSG_CONNECT = 1
MSG_INVOKE = 4
MARSHAL = 2


def test_a_closed_adapter_answers_nobody() -> None:
    """Established connections are closed too: a stopped object never answers."""
    servant = EchoServant()
    adapter = ObjectAdapter()
    adapter.start()
    with Pyro5.api.Proxy(adapter.activate(servant, Echo, "echo")) as proxy:
        assert proxy.count() == 1
        adapter.close()
        with pytest.raises(Pyro5.errors.CommunicationError):
            proxy.count()
    assert servant.counted == 1


def test_silent_peers_do_not_block_others() -> None:
    """A hundred peers that connect and say nothing do not keep a client waiting."""
    with ObjectAdapter() as adapter:
        uri = adapter.activate(EchoServant(), Echo, "echo")
        silent = [socket.create_connection(("localhost", adapter.port)) for _ in range(100)]
        stub = narrow(uri, Echo, deadline_s=5.0)
        assert stub.add(1) == 2
        release(stub)
        for each in silent:
            each.close()


def test_a_silent_peer_is_sent_away() -> None:
    """A peer that does not shake hands in time loses its connection."""
    with ObjectAdapter() as adapter, socket.create_connection(("localhost", adapter.port)) as peer:
        peer.settimeout(20)
        received = peer.recv(1)
        while received:
            received = peer.recv(1000)


def test_marshal_is_refused_before_it_is_decoded() -> None:
    """A handshake in another serializer is answered with a refusal; its payload is not read."""
    header = struct.pack(
        "!4sHBBHHII16sHH", b"PYRO", 502, MSG_CONNECT, MARSHAL, 0, 1, 4, 0, b"\0" * 16, 0, 0x4DC5
    )
    with ObjectAdapter() as adapter, socket.create_connection(("localhost", adapter.port)) as peer:
        peer.settimeout(20)
        peer.sendall(header + b"junk")
        received = b""
        while more := peer.recv(1000):
            received += more
    assert b"serializer 2 is refused" in received


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.invalid"])
def test_only_loopback_is_served(host: str) -> None:
    """Another address is refused with a reason and a way out."""
    with pytest.raises(BadParam, match="loopback") as caught:
        ObjectAdapter(host=host)
    assert caught.value.field == "host"
    assert caught.value.remedy


def test_a_port_in_use_is_told() -> None:
    """The operating system's error comes through."""
    with ObjectAdapter() as adapter, pytest.raises(OSError, match="in use"):
        ObjectAdapter(port=adapter.port)


def test_a_failed_reply_leaks_nothing_into_the_next() -> None:
    """Octets of a reply are not in the annotations of a later error reply."""
    from idl_like_interfaces.octets import Octets
    from tests.support.echo import Refused, Sample

    with ObjectAdapter() as adapter:
        stub = narrow(adapter.activate(EchoServant(), Echo, "echo"), Echo)
        stub.echo(Sample(octets=Octets(b"secret")))
        with pytest.raises(Refused):
            stub.refuse("x")
        assert stub.add(1) == 2
        release(stub)


def test_a_deactivated_object_is_gone() -> None:
    """After deactivation a stock client finds no object."""
    with ObjectAdapter() as adapter:
        uri = adapter.activate(EchoServant(), Echo, "echo")
        adapter.deactivate("echo")
        with (
            Pyro5.api.Proxy(uri) as proxy,
            pytest.raises(Pyro5.errors.CommunicationError, match="unknown object"),
        ):
            proxy.add(1)


def test_an_adapter_that_never_served_can_be_closed() -> None:
    """Closing before starting leaves no thread and no socket."""
    before = threading.active_count()
    ObjectAdapter().close()
    assert threading.active_count() == before


COMPRESSED, ONEWAY, KEEP_SERIALIZED = 2, 4, 32
SERPENT, MSGPACK = 1, 4


def _call(
    uri: str, flags: int, *, size: int = 0, serializer: int = SERPENT
) -> tuple[Pyro5.api.Proxy, bytes]:
    """Return a connected stock proxy and a request to call ``add`` with some flags."""
    import serpent

    proxy = Pyro5.api.Proxy(uri)
    proxy._pyroTimeout = 20
    proxy._pyroBind()
    payload = serpent.dumps((proxy._pyroUri.object, "count", (), {})) + b" " * size
    head = ("!4sHBBHHII16sHH", b"PYRO", 502, MSG_INVOKE, serializer, flags, 1)
    return proxy, struct.pack(*head, len(payload), 0, b"\0" * 16, 0, 0x4DC5) + payload


@pytest.mark.parametrize(
    ("flags", "size", "reason"),
    [
        (KEEP_SERIALIZED, 0, b"serialized blobs are refused"),
        (COMPRESSED, 0, b"is said to be compressed and is not"),
        (0, 1_000_000, b"bytes is refused, the most are 131072"),
    ],
)
def test_a_dangerous_request_is_answered_and_not_decoded(
    flags: int, size: int, reason: bytes
) -> None:
    """Blobs (marshal), false zlib and megabytes of serpent are refused; the connection goes on."""
    servant = EchoServant()
    with ObjectAdapter() as adapter:
        proxy, request = _call(adapter.activate(servant, Echo, "echo"), flags, size=size)
        with proxy:
            connection = proxy._pyroConnection
            connection.send(request)
            answer = bytes(Pyro5.protocol.recv_stub(connection).data)
            assert reason in answer
            assert b"BAD_PARAM" in answer
            assert servant.counted == 0
            assert proxy.count() == 1


def test_a_oneway_request_is_not_executed() -> None:
    """What is not declared oneway is not executed so; nobody is answered, and it goes on."""
    servant = EchoServant()
    with ObjectAdapter() as adapter:
        proxy, request = _call(adapter.activate(servant, Echo, "echo"), ONEWAY)
        with proxy:
            proxy._pyroConnection.send(request)
            assert proxy.count() == 1
    assert servant.counted == 1


def test_a_compressed_request_is_served() -> None:
    """A stock client may compress what it sends."""
    with ObjectAdapter() as adapter:
        proxy, _ = _call(adapter.activate(EchoServant(), Echo, "echo"), 0)
        with proxy:
            proxy._pyroConnection.send(_compressed(proxy._pyroUri.object, " " * 1000))
            answer = bytes(Pyro5.protocol.recv_stub(proxy._pyroConnection).data)
    assert b"PyroError" not in answer


def test_a_decompression_bomb_is_refused() -> None:
    """A few hundred octets that would inflate to a megabyte of serpent are refused."""
    with ObjectAdapter() as adapter:
        proxy, _ = _call(adapter.activate(EchoServant(), Echo, "echo"), 0)
        with proxy:
            proxy._pyroConnection.send(_compressed(proxy._pyroUri.object, " " * 1_000_000))
            answer = bytes(Pyro5.protocol.recv_stub(proxy._pyroConnection).data)
            assert b"inflates to more than 131072" in answer
            assert proxy.count() == 1


def _compressed(object_id: str, padding: str) -> bytes:
    """Return a request to call ``count``, compressed as Pyro5 does it."""
    import serpent

    payload = zlib.compress(serpent.dumps((object_id, "count", (), {})) + padding.encode())
    head = ("!4sHBBHHII16sHH", b"PYRO", 502, MSG_INVOKE, SERPENT, COMPRESSED, 1)
    return struct.pack(*head, len(payload), 0, b"\0" * 16, 0, 0x4DC5) + payload


def test_a_message_of_a_gigabyte_is_refused_from_its_header() -> None:
    """Its sender loses the connection before it has sent anything of it."""
    header = struct.pack(
        "!4sHBBHHII16sHH",
        b"PYRO",
        502,
        MSG_INVOKE,
        MSGPACK,
        0,
        1,
        1 << 30,
        0,
        b"\0" * 16,
        0,
        0x4DC5,
    )
    with ObjectAdapter() as adapter:
        proxy, _ = _call(adapter.activate(EchoServant(), Echo, "echo"), 0)
        with proxy:
            proxy._pyroConnection.send(header)
            assert proxy._pyroConnection.sock.recv(1) == b""


def test_the_daemon_accepts_again_when_there_are_files_again() -> None:
    """Too many open files stop new connections only as long as there are too many."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ObjectAdapter() as adapter:
        uri = adapter.activate(EchoServant(), Echo, "echo")
        peers: list[socket.socket] = []
        address = ("127.0.0.1", adapter.port)
        highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 8, before[1]))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                peers.extend(socket.create_connection(address) for _ in range(highest + 9))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for each in peers:
                each.close()
        stub = narrow(uri, Echo, deadline_s=20.0)
        assert stub.add(1) == 2
        release(stub)


def test_a_reply_that_is_too_large_is_told() -> None:
    """The client learns it from an answer, not from a lost connection."""

    class Verbose(EchoServant):
        @override
        def anything(self, value: Any) -> Any:
            return "x" * (17 << 20)

    with ObjectAdapter() as adapter:
        uri = adapter.activate(Verbose(), Echo, "echo")
        stub = narrow(uri, Echo)
        with pytest.raises(BadParam, match="reply has more than"):
            stub.anything(1)
        assert stub.add(1) == 2
        release(stub)
