"""Weaknesses of stock Pyro5 in hosting, each beside what ours does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import Pyro5.api
import Pyro5.errors
import pytest

from idl_like_interfaces.errors import CommFailure
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release, use_tls
from idl_like_interfaces.mapping.hosting.limits import Limits
from idl_like_interfaces.object import Object
from tests.hostile.certificates import client_context, server_context, write_all
from tests.weaknesses.shown import stock
from tests.weaknesses.strong import PATIENCE_S, Strong, StrongServant

SILENT = 100
AT_ONCE_S = 1.0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an authority and certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    write_all(folder)
    return folder


@pytest.fixture
def silent() -> Iterator[ExitStack]:
    """Collect silent peers."""
    with ExitStack() as open_:
        yield open_


def _fall_silent(open_: ExitStack, port: int) -> None:
    for _ in range(SILENT):
        open_.enter_context(socket.create_connection(("localhost", port)))


@pytest.mark.weakness(5)
def test_stock_closes_idle_clients() -> None:
    """With COMMTIMEOUT of 0.2 s the server ends the connection of who says nothing."""
    assert stock(5) == {"first": 1, "ended": True}


@pytest.mark.weakness(5)
def test_ours_lets_clients_be_idle() -> None:
    """Ten times as long as any deadline, on the same connection."""
    limits = Limits(handshake_s=0.2, message_s=0.2, reply_s=0.2)
    with ObjectAdapter(limits=limits) as adapter:
        uri = adapter.activate(StrongServant(), Strong, "strong")
        with Pyro5.api.Proxy(uri) as proxy:
            assert proxy.count() == 1
            connection = proxy._pyroConnection
            threading.Event().wait(2.0)
            assert proxy.count() == 2
            assert proxy._pyroConnection is connection


@pytest.mark.weakness(6)
def test_stock_is_blocked_by_a_silent_peer_when_its_pool_is_full() -> None:
    """THREADPOOL_SIZE=2: it refuses a third client, until one says nothing; then it hangs."""
    seen = stock(6)
    assert "no free workers" in seen["full"]
    assert seen["beside"] == "blocked"


@pytest.mark.weakness(6)
def test_ours_greets_though_all_workers_are_busy(silent: ExitStack) -> None:
    """Two workers, two calls in them, a hundred silent peers: a new client is served at once."""
    servant = StrongServant()
    with ObjectAdapter(limits=Limits(workers=2)) as adapter:
        uri = adapter.activate(servant, Strong, "strong")
        stub = narrow(uri, Strong)
        busy = [threading.Thread(target=stub.stay) for _ in range(2)]
        for each in busy:
            each.start()
            assert servant.staying.acquire(timeout=PATIENCE_S)
        _fall_silent(silent, adapter.port)
        new = narrow(uri, Object)
        begin = time.monotonic()
        assert new.ping().object_id.startswith("strong")
        took = time.monotonic() - begin
        servant.gate.set()
        for each in busy:
            each.join(PATIENCE_S)
        release(new)
        release(stub)
    assert took < AT_ONCE_S


@pytest.mark.weakness(8)
def test_stock_is_blocked_by_a_silent_peer_when_it_has_tls(certificates: Path) -> None:
    """One is enough, whatever the pool has free."""
    assert stock(8, str(certificates)) == {"alone": "greeted", "beside": "blocked"}


@pytest.mark.weakness(8)
def test_ours_shakes_hands_in_tls_beside_silent_peers(
    certificates: Path, silent: ExitStack
) -> None:
    """A hundred of them; a new client is served at once."""
    use_tls(client_context(certificates))
    try:
        with ObjectAdapter(tls=server_context(certificates)) as adapter:
            uri = adapter.activate(StrongServant(), Strong, "strong")
            _fall_silent(silent, adapter.port)
            stub = narrow(uri, Strong)
            begin = time.monotonic()
            assert stub.count() == 1
            took = time.monotonic() - begin
            release(stub)
    finally:
        use_tls(None)
    assert took < AT_ONCE_S


@pytest.mark.weakness(15)
def test_stock_answers_after_it_was_closed() -> None:
    """``shutdown`` and ``close`` end the loop, not the established connections."""
    assert stock(15) == {"loop": False, "after": 2}


@pytest.mark.weakness(15)
def test_ours_never_answers_after_it_was_closed() -> None:
    """Neither those who were connected nor those who come."""
    servant = StrongServant()
    adapter = ObjectAdapter()
    adapter.start()
    uri = adapter.activate(servant, Strong, "strong")
    stub = narrow(uri, Strong, deadline_s=2.0)
    with Pyro5.api.Proxy(uri) as proxy:
        assert (proxy.count(), stub.count()) == (1, 2)
        adapter.close()
        for _ in range(3):
            with pytest.raises(Pyro5.errors.CommunicationError):
                proxy.count()
            with pytest.raises(CommFailure):
                stub.count()
    release(stub)
    assert servant.counted == 2
