"""Stock Pyro5's weaknesses in hosting."""

from __future__ import annotations

import socket
import threading
from typing import Any

import Pyro5.api
import Pyro5.errors
from Pyro5 import config

from tests.weaknesses.stock_calls import PATIENCE_S, Servant, served

BLOCKED_S = 1.5
"""Who has no answer after this time on the loopback interface is blocked."""


def _greets(uri: str) -> str:
    """Connect as a new client; return what happens."""
    try:
        with Pyro5.api.Proxy(uri) as proxy:
            # Not by the configuration, which the server in this process would follow, too.
            proxy._pyroTimeout = BLOCKED_S
            proxy._pyroBind()
    except Pyro5.errors.TimeoutError:
        return "blocked"
    except Pyro5.errors.CommunicationError as error:
        return "blocked" if "timed out" in str(error) else f"refused: {error}"
    return "greeted"


def idle_clients_are_killed() -> dict[str, Any]:
    """5: with a server's COMMTIMEOUT an idle client loses its connection."""
    config.COMMTIMEOUT = 0.2
    with served(Servant()) as uri, Pyro5.api.Proxy(uri) as proxy:
        first = proxy.count()
        # The same process: the client's socket has the timeout, too, but does not read.
        closed = proxy._pyroConnection.sock
        closed.settimeout(PATIENCE_S)
        ended = closed.recv(1) == b""
        return {"first": first, "ended": ended}


def a_silent_peer_blocks_a_full_pool() -> dict[str, Any]:
    """6: when the pool is full, one silent peer blocks all new clients."""
    config.THREADPOOL_SIZE_MIN = config.THREADPOOL_SIZE = 2
    with served(Servant()) as uri:
        proxies = [Pyro5.api.Proxy(uri) for _ in range(2)]
        for each in proxies:
            each._pyroBind()
        full = _greets(uri)
        address = ("localhost", Pyro5.api.URI(uri).port)
        with socket.create_connection(address):
            return {"full": full, "beside": _greets(uri)}


def a_silent_peer_blocks_tls(folder: str) -> dict[str, Any]:
    """8: with TLS one silent peer blocks all new clients, whatever the pool has free."""
    config.SSL = True
    config.SSL_SERVERCERT = f"{folder}/server.pem"
    config.SSL_CACERTS = f"{folder}/authority.pem"
    config.SSL_CLIENTCERT = f"{folder}/client.pem"
    config.SSL_REQUIRECLIENTCERT = True
    with served(Servant()) as uri:
        alone = _greets(uri)
        address = ("localhost", Pyro5.api.URI(uri).port)
        with socket.create_connection(address):
            return {"alone": alone, "beside": _greets(uri)}


def closed_and_still_answering() -> dict[str, Any]:
    """15: after shutdown and close an established client is still served."""
    servant = Servant()
    daemon = Pyro5.api.Daemon()
    uri = daemon.register(servant, "stock")
    thread = threading.Thread(target=daemon.requestLoop, daemon=True)
    thread.start()
    with Pyro5.api.Proxy(uri) as proxy:
        proxy.count()
        daemon.shutdown()
        daemon.close()
        thread.join(PATIENCE_S)
        return {"loop": thread.is_alive(), "after": proxy.count()}
