"""Weaknesses of stock Pyro5 in naming, each beside what ours does."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import Pyro5.api
import Pyro5.errors
import pytest

from nameserver.client import Names
from nameserver.server import NameServer
from tests.weaknesses.reborn import NAME
from tests.weaknesses.shown import ROOT, stock
from tests.weaknesses.strong import PATIENCE_S, Strong

URI = "PYRO:x@localhost:1"
ENDLESS = "(a|a)+$x"
AT_ONCE_S = 1.0


@contextmanager
def _stock_client(server: NameServer) -> Iterator[Pyro5.api.Proxy]:
    with Pyro5.api.Proxy(f"PYRO:Pyro.NameServer@localhost:{server.port}") as proxy:
        yield proxy


@pytest.mark.weakness(10)
def test_stock_removes_names_of_another_prefix() -> None:
    """In the SQL storage ``daq_1`` removes three names, in memory one."""
    assert stock(10) == {"memory": ["DAQ_1", "daqX1"], "sql": []}


@pytest.mark.weakness(10)
@pytest.mark.parametrize("store", ["memory", "file"])
def test_ours_removes_what_begins_so(store: str, tmp_path: Path) -> None:
    """The same in memory and on disk, through Pyro5's own interface."""
    path = tmp_path / "names.db" if store == "file" else None
    with NameServer(port=0, store=path) as server, _stock_client(server) as names:
        for name in ("daq_1", "daqX1", "DAQ_1", "daq.1"):
            names.register(name, URI)
        assert names.remove(prefix="daq_1") == 1
        assert names.remove(prefix="daq%") == 0
        assert names.remove(prefix="daq.") == 1
        assert sorted(names.list(prefix="d") | names.list(prefix="D")) == ["DAQ_1", "daqX1"]


@pytest.mark.weakness(14)
def test_stock_is_stopped_by_a_pattern() -> None:
    """One ``list(regex=)`` and nobody is answered any more."""
    assert stock(14) == {"before": 2, "after": "blocked"}


@pytest.mark.weakness(14)
@pytest.mark.timeout(120)
def test_ours_serves_others_beside_endless_patterns() -> None:
    """A dozen at once are refused in time; look-ups go on meanwhile; a good pattern works after."""
    with NameServer(port=0) as server, _stock_client(server) as names:
        names.register("a" * 60, URI)
        ended: list[BaseException] = []
        asking = [threading.Thread(target=_ask, args=(server, ended)) for _ in range(12)]
        for each in asking:
            each.start()
        slowest = 0.0
        while any(each.is_alive() for each in asking):
            begin = time.monotonic()
            assert str(names.lookup("a" * 60)) == URI
            slowest = max(slowest, time.monotonic() - begin)
            asking[0].join(0.02)
        assert len(ended) == len(asking)
        assert all("regex" in str(each) for each in ended), ended
        assert list(names.list(regex="a+$")) == ["a" * 60]
    assert slowest < AT_ONCE_S


def _ask(server: NameServer, ended: list[BaseException]) -> None:
    try:
        with _stock_client(server) as names:
            names._pyroTimeout = PATIENCE_S
            names.list(regex=ENDLESS)
    except Pyro5.errors.PyroError as error:
        ended.append(error)


@pytest.mark.weakness(16)
def test_stock_proxies_that_are_bound_never_recover() -> None:
    """A fresh proxy of the same name works, the bound one fails for ever."""
    seen = stock(16)
    assert (seen["first"], seen["fresh"]) == (1, 1)
    assert all(seen["errors"])


@contextmanager
def _component(server: NameServer) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.weaknesses.reborn", "localhost", str(server.port)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "bound\n"
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


@pytest.mark.weakness(16)
@pytest.mark.parametrize(
    "kills", [5, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])]
)
def test_ours_finds_the_restarted_server(kills: int) -> None:
    """After each kill -9 the same stub is served within two seconds of the name's return."""
    slowest = 0.0
    with NameServer(port=0) as server, Names(("localhost", server.port)) as names:
        stub = names.narrow(NAME, Strong)
        for _ in range(kills):
            with _component(server):
                begin = time.monotonic()
                assert stub.size("abc") == 3
                assert stub.count() == 1
                slowest = max(slowest, time.monotonic() - begin)
    assert slowest < 2.0
