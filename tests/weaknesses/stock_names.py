"""Stock Pyro5's weaknesses in naming."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import Pyro5.api
import Pyro5.errors
import Pyro5.nameserver
from Pyro5 import config

BLOCKED_S = 1.5

URI = "PYRO:x@localhost:1"

_SERVER = """\
import sys
import Pyro5.api
import Pyro5.nameserver
from Pyro5 import config

names = sys.argv[1]

@Pyro5.api.expose
class Servant:
    def answer(self):
        return 1

if names:
    daemon = Pyro5.api.Daemon()
    uri = daemon.register(Servant())
    with Pyro5.api.Proxy(names) as proxy:
        proxy.register("stock", str(uri))
    print("ready", flush=True)
    daemon.requestLoop()
else:
    uri, daemon, _ = Pyro5.nameserver.start_ns(port=0, enableBroadcast=False)
    print(uri, flush=True)
    daemon.requestLoop()
"""


def _start(names: str = "") -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER, names], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def _end(*processes: subprocess.Popen[str]) -> None:
    for each in processes:
        each.kill()
        each.wait()


def prefix_deletes_others() -> dict[str, Any]:
    """10: in the SQL storage a prefix with ``_`` removes names that do not begin so."""
    left = {}
    with tempfile.TemporaryDirectory() as folder:
        for storage in ("memory", f"sql:{Path(folder) / 'names.db'}"):
            server = Pyro5.nameserver.NameServerDaemon(port=0, storage=storage).nameserver
            for name in ("daq_1", "daqX1", "DAQ_1"):
                server.register(name, URI)
            server.remove(prefix="daq_1")
            left[storage.partition(":")[0]] = sorted(
                server.list(prefix="d") | server.list(prefix="D")
            )
    return left


def a_pattern_stops_the_name_server() -> dict[str, Any]:
    """14: one regular expression stops the name server for everybody."""
    process, uri = _start()
    try:
        with Pyro5.api.Proxy(uri) as proxy:
            proxy.register("a" * 60, URI)
            before = len(proxy.list())

        def ask() -> None:
            with suppress(Pyro5.errors.CommunicationError), Pyro5.api.Proxy(uri) as proxy:
                proxy.list(regex="(a|a)+$x")

        threading.Thread(target=ask, daemon=True).start()
        return {"before": before, "after": _lists_until_blocked(uri)}
    finally:
        _end(process)


def _lists_until_blocked(uri: str) -> str:
    """List again and again: the pattern may arrive a moment later."""
    config.COMMTIMEOUT = BLOCKED_S
    try:
        for _ in range(1_000_000):
            with Pyro5.api.Proxy(uri) as proxy:
                proxy.list()
    except Pyro5.errors.TimeoutError:
        return "blocked"
    return "listed"


def a_bound_proxy_never_recovers() -> dict[str, Any]:
    """16: a proxy that was bound by hand does not find the restarted server."""
    names, uri = _start()
    servers = [_start(uri)[0]]
    host = Pyro5.api.URI(uri)
    try:
        with Pyro5.api.Proxy(f"PYRONAME:stock@{host.host}:{host.port}") as proxy:
            proxy._pyroBind()
            first = proxy.answer()
            _end(servers[0])
            servers.append(_start(uri)[0])
            with Pyro5.api.Proxy(f"PYRONAME:stock@{host.host}:{host.port}") as other:
                fresh = other.answer()
            return {"first": first, "fresh": fresh, "errors": [_error(proxy) for _ in range(5)]}
    finally:
        _end(names, *servers)


def _error(proxy: Any) -> str:
    try:
        proxy.answer()
    except Pyro5.errors.CommunicationError as error:
        return type(error).__name__
    return ""
