"""The name server as a whole, in this process."""

from __future__ import annotations

import logging
import os
import socket
import time
from pathlib import Path

import Pyro5.api
import pytest
from typing_extensions import override

from idl_like_interfaces.errors import BadParam, PersistStore, RemoteError, Transient
from idl_like_interfaces.mapping import narrow, release
from idl_like_interfaces.naming import OBJECT_ID, NamingContext, NotFound
from nameserver.records import Changes
from nameserver.servant import NamingServant
from nameserver.server import CannotListen, NameServer, Sweeper
from nameserver.stores import MemoryStore
from tests.support.clock import ManualClock

URI = "PYRO:ocm~1@localhost:4711"


def test_typed_and_stock_clients_see_the_same_names() -> None:
    """Behind one port."""
    with NameServer(port=0) as server:
        names = narrow(f"PYRO:{OBJECT_ID}@localhost:{server.port}", NamingContext)
        names.bind("ocm", URI)
        with Pyro5.api.locate_ns("localhost", server.port) as stock:
            assert str(stock.lookup("ocm")) == URI
            stock.register("obs/dpm", URI)
        assert names.resolve("obs/dpm").uri == URI
        release(names)


def test_names_are_there_after_a_restart_on_another_port(tmp_path: Path) -> None:
    """The stock name of the name server itself has its new place."""
    path = tmp_path / "new" / "folder" / "names.db"
    with NameServer(port=0, store=path) as server:
        names = narrow(f"PYRO:{OBJECT_ID}@localhost:{server.port}", NamingContext)
        names.bind("ocm", URI)
        release(names)
    with (
        NameServer(port=0, store=path) as again,
        Pyro5.api.locate_ns("localhost", again.port) as stock,
    ):
        assert str(stock.lookup("ocm")) == URI
        assert stock.lookup("Pyro.NameServer").port == again.port


def test_a_stopped_server_does_not_answer() -> None:
    """Neither new nor established connections."""
    with NameServer(port=0) as server:
        names = narrow(f"PYRO:{OBJECT_ID}@localhost:{server.port}", NamingContext)
        names.list()
    with pytest.raises(Transient):
        names.list()
    release(names)


def test_a_second_server_learns_who_has_the_port(tmp_path: Path) -> None:
    """And has not touched its store."""
    with NameServer(port=0) as first, pytest.raises(CannotListen) as refused:
        NameServer(port=first.port, store=tmp_path / "names.db").__enter__()
    assert f"process {os.getpid()} " in refused.value.cause
    assert f"--names localhost:{first.port}" in refused.value.remedy
    assert not (tmp_path / "names.db").exists()


def test_a_port_of_somebody_unknown_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel does not tell a user whose the sockets of others are."""
    monkeypatch.setattr("psutil.net_connections", lambda kind: [])
    with (
        socket.create_server(("localhost", 0)) as other,
        pytest.raises(CannotListen) as refused,
    ):
        NameServer(port=other.getsockname()[1]).__enter__()
    assert refused.value.cause == "a program of another user has it"
    assert "--port" in refused.value.remedy


@pytest.mark.parametrize(("host", "error"), [("192.0.2.1", BadParam), ("127.0.0", BadParam)])
def test_only_loopback_addresses_are_served(host: str, error: type[RemoteError]) -> None:
    """Anybody on the network could rebind names otherwise."""
    with pytest.raises(error, match="loopback"):
        NameServer(host=host, port=0).__enter__()


def test_an_address_that_cannot_be_used_is_told() -> None:
    """A privileged port is refused to users; for root an absent address stands for it."""
    with pytest.raises(CannotListen, match="cannot listen"):
        NameServer(host="::1%nowhere", port=0).__enter__()


def test_a_store_that_cannot_be_opened_frees_the_port(tmp_path: Path) -> None:
    """Nothing is left of a start that failed."""
    (tmp_path / "file").write_text("not a folder")
    server = NameServer(port=0, store=tmp_path / "file" / "names.db")
    with pytest.raises(PersistStore):
        server.__enter__()
    socket.create_server(("localhost", server.port)).close()


class BreakingStore(MemoryStore):
    """A store with a bug that shows once."""

    def __init__(self) -> None:
        super().__init__()
        self.breaks = False

    @override
    def apply(self, changes: Changes) -> None:
        if self.breaks:
            self.breaks = False
            message = "a bug"
            raise RuntimeError(message)
        super().apply(changes)


def test_leases_run_out_while_nobody_asks(caplog: pytest.LogCaptureFixture) -> None:
    """The sweeper lets them, and goes on after a failure."""
    clock, store = ManualClock(), BreakingStore()
    servant = NamingServant(store, utc=clock.utc, monotonic=clock.monotonic)
    for name in ("a", "b"):
        lease = servant.grant_lease(name, 1.0 if name == "a" else 2.0)
        servant.bind(name, URI, lease_id=lease.lease_id)
    with Sweeper(servant, period_s=0.005), caplog.at_level(logging.WARNING):
        store.breaks = True
        clock.advance(1.0)
        _await_log(caplog, "the sweep of the leases failed")
        clock.advance(1.0)
        _await_log(caplog, "of b ran out")
    assert store.load().bindings == ()
    with pytest.raises(NotFound):
        servant.resolve("a")


def _await_log(caplog: pytest.LogCaptureFixture, words: str) -> None:
    deadline = time.monotonic() + 20
    while not any(words in message for message in caplog.messages):
        assert time.monotonic() < deadline, caplog.messages
        time.sleep(0.005)
