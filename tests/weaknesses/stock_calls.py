"""Stock Pyro5's weaknesses in calls."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import Pyro5.api
import Pyro5.errors
from Pyro5 import config
from Pyro5.callcontext import current_context

PATIENCE_S = 20.0


class Refusal(Exception):
    """An error that nobody has registered."""


@Pyro5.api.expose
class Servant:
    """What is called."""

    def __init__(self) -> None:
        self.counted = 0
        self.order: list[int] = []
        self.gate = threading.Event()
        self.first_entered = threading.Event()
        self.all_done = threading.Event()

    def count(self) -> int:
        self.counted += 1
        return self.counted

    @Pyro5.api.oneway  # type: ignore[untyped-decorator]
    def note(self, number: int, wanted: int) -> None:
        """Note a number; 0 is held up until the others are noted."""
        if number == 0:
            self.first_entered.set()
            self.gate.wait(PATIENCE_S)
        self.order.append(number)
        if len(self.order) == wanted - 1:
            self.gate.set()
        if len(self.order) == wanted:
            self.all_done.set()

    @Pyro5.api.oneway  # type: ignore[untyped-decorator]
    def stay(self) -> None:
        self.gate.wait(PATIENCE_S)

    def leak(self) -> None:
        current_context.response_annotations = {"SCRT": b"of another client"}
        raise ValueError("after the annotation")

    def size(self, text: str) -> int:
        return len(text)

    def refuse(self) -> None:
        raise Refusal("nobody knows me")

    def number(self) -> Any:
        import numpy as np

        return np.float64(1.5)


@contextmanager
def served(servant: Any) -> Iterator[str]:
    """Serve an object in threads of this process; yield its URI."""
    daemon = Pyro5.api.Daemon()
    uri = str(daemon.register(servant, "stock"))
    thread = threading.Thread(target=daemon.requestLoop, daemon=True)
    thread.start()
    yield uri
    daemon.shutdown()
    thread.join(PATIENCE_S)


def _told(call: Any) -> str:
    try:
        call()
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what is shown)
        return type(error).__name__
    return ""


def batch_in_marshal() -> dict[str, Any]:
    """1: a batch of calls in marshal."""
    with served(Servant()) as uri, Pyro5.api.Proxy(uri) as proxy:
        proxy._pyroSerializer = "marshal"
        single = proxy.count()
        batch = Pyro5.api.BatchProxy(proxy)
        batch.count()
        return {"single": single, "error": _told(lambda: list(batch()))}


def oneway_out_of_order() -> dict[str, Any]:
    """2: the first oneway call is executed last; each call takes a thread."""
    servant = Servant()
    with served(servant) as uri, Pyro5.api.Proxy(uri) as proxy:
        wanted = 20
        for number in range(wanted):
            proxy.note(number, wanted)
            servant.first_entered.wait(PATIENCE_S)
        servant.all_done.wait(PATIENCE_S)
        servant.gate.clear()
        before = threading.active_count()
        for _ in range(500):
            proxy.stay()
        proxy.count()
        threads = threading.active_count() - before
        servant.gate.set()
        return {"order": servant.order, "threads": threads}


def annotations_leak() -> dict[str, Any]:
    """3: an annotation that was set before an error comes with a reply to another client."""
    config.SERVERTYPE = "multiplex"
    with served(Servant()) as uri, Pyro5.api.Proxy(uri) as one, Pyro5.api.Proxy(uri) as other:
        other.count()
        error = _told(one.leak)
        other.count()
        leaked = current_context.response_annotations.get("SCRT", b"")
        return {"error": error, "leaked": bytes(leaked).decode()}


@contextmanager
def _cutting_relay(port: int) -> Iterator[int]:
    """Pass handshakes and requests on, but cut the connection at the first reply."""
    listener = socket.create_server(("localhost", 0))

    def relay(client: socket.socket) -> None:
        with client, socket.create_connection(("localhost", port)) as server, suppress(OSError):
            server.sendall(client.recv(65536))
            client.sendall(server.recv(65536))
            server.sendall(client.recv(65536))
            server.recv(65536)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=relay, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield int(listener.getsockname()[1])
    listener.close()


def retries_repeat() -> dict[str, Any]:
    """4: with MAX_RETRIES=2 a call whose replies are lost is executed three times."""
    config.MAX_RETRIES = 2
    servant = Servant()
    with served(servant) as uri, _cutting_relay(Pyro5.api.URI(uri).port) as port:
        with Pyro5.api.Proxy(f"PYRO:stock@localhost:{port}") as proxy:
            error = _told(proxy.count)
        return {"error": error, "effects": servant.counted}


def bomb_passes_the_limit() -> dict[str, Any]:
    """9: with MAX_MESSAGE_SIZE of 1 MB a compressed text of 64 MB is taken."""
    config.MAX_MESSAGE_SIZE = 1_000_000
    config.SERIALIZER = "msgpack"
    with served(Servant()) as uri, Pyro5.api.Proxy(uri) as proxy:
        config.COMPRESSION = True
        return {"limit": config.MAX_MESSAGE_SIZE, "taken": proxy.size("x" * 64_000_000)}


def results_break_the_client() -> dict[str, Any]:
    """13: an error that is not registered, and a number of numpy, fail in the client."""
    with served(Servant()) as uri, Pyro5.api.Proxy(uri) as proxy:
        return {"refusal": _told(proxy.refuse), "number": _told(proxy.number)}
