"""Objects that Pyro5 itself exposes: its daemon object, and the name service's stock face.

Pyro5 reads from and writes to a connection; it gets one that has the message already.
"""

from __future__ import annotations

import contextlib
import io
import socket
from typing import Any

import Pyro5.errors
import Pyro5.server
from Pyro5.callcontext import current_context
from typing_extensions import override

from idl_like_interfaces.hosts import host_and_port
from idl_like_interfaces.mapping.hosting.peer import Peer
from idl_like_interfaces.mapping.hosting.replies import Reply
from idl_like_interfaces.mapping.hosting.skeleton import Skeleton
from idl_like_interfaces.mapping.message import Message, pack


class _Replay:
    """A message that has come, in the place of Pyro5's connection; keeps what is sent back."""

    def __init__(self, message: Message, peer: Peer) -> None:
        header = message.header
        parts = pack(header.kind, header.flags, header.sequence, header.serializer, message.payload)
        self._octets = io.BytesIO(b"".join(parts))
        self.sock = peer.sock
        self.replies: Reply = []
        self.pyroInstances: dict[type, object] = {}
        self.tracked_resources: set[object] = set()

    def recv(self, size: int) -> bytes:
        return self._octets.read(size)

    def send(self, octets: bytes) -> None:
        self.replies.append(octets)


@Pyro5.server.expose
class DaemonFace(Pyro5.server.DaemonObject):  # type: ignore[misc]
    """The object ``Pyro.Daemon``, which knows our objects as well."""

    @override
    def registered(self) -> list[str]:
        return [*super().registered(), *sorted(self.daemon.skeletons)]

    @override
    def get_metadata(self, objectId: str) -> Any:
        skeleton = self.daemon.skeletons.get(objectId)
        return super().get_metadata(objectId) if skeleton is None else skeleton.metadata


class StockDaemon(Pyro5.server.Daemon):  # type: ignore[misc]
    """Pyro5's dispatching, without its transport.

    Attributes:
        skeletons: Our own objects by their id.
    """

    def __init__(self, host: str, port: int) -> None:
        self.skeletons: dict[str, Skeleton] = {}
        # Given a connected socket, Pyro5 starts no server of its own.
        one, other = socket.socketpair()
        with one, other:
            super().__init__(connected_socket=one, interface=DaemonFace)
        self.transportServer.close()
        self.locationStr = host_and_port(host, port)

    def greet(self, message: Message, peer: Peer) -> tuple[Reply, bool]:
        """Answer a greeting; tell whether the peer may go on."""
        replay = _Replay(message, peer)
        return replay.replies, bool(self._handshake(replay))

    def answer(self, message: Message, peer: Peer) -> Reply:
        """Answer a request for an object that Pyro5 exposes."""
        replay = _Replay(message, peer)
        # Annotations of a reply that failed would ride on the next one.
        current_context.response_annotations = {}
        # What Pyro5 raises besides it has answered already.
        with contextlib.suppress(Pyro5.errors.PyroError):
            self.handleRequest(replay)
        return replay.replies

    @override
    def close(self) -> None:
        """Do nothing: who has the transport closes it."""
