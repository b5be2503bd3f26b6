"""Sources on the wire that are none of ours: they hang, answer with nonsense, lack operations."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import Pyro5.api
import pytest
from typing_extensions import override

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.recif import RecCmds
from objects.acquisition.states import Phase
from tests.support.daq import Bench, ScriptedRec
from tests.support.site import FakeSite

PATIENCE_S = 20.0
SHORT_S = 0.4
T = TypeVar("T")


class WireSite(FakeSite):
    """A site where a bound text is the URI of an object somewhere else."""

    def __init__(self, data_root: Path) -> None:
        super().__init__(data_root, name="ocm")
        self._stubs: dict[str, object] = {}

    @override
    def narrow(self, reference: str, interface: type[T], deadline_s: float = 10.0) -> T:
        uri = self._bound.get(reference)
        if not isinstance(uri, str):
            return super().narrow(reference, interface, deadline_s)
        if uri not in self._stubs:
            self._stubs[uri] = narrow(uri, interface, deadline_s=deadline_s)
        return cast("T", self._stubs[uri])

    def close(self) -> None:
        """Close all connections."""
        for each in self._stubs.values():
            release(each)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Yield a coordinator that gives its sources little time."""
    site = WireSite(tmp_path)
    running = Bench(tmp_path, site=site, source_timeout_s=SHORT_S)
    yield running
    running.close()
    site.close()


@contextmanager
def deaf_peer() -> Iterator[str]:
    """Yield the URI of something that accepts connections and never says a word."""
    with socket.create_server(("localhost", 0)) as server:
        connections: list[socket.socket] = []
        server.settimeout(0.1)
        ending = threading.Event()

        def accept() -> None:
            while not ending.is_set():
                try:
                    connections.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"PYRO:rec@localhost:{server.getsockname()[1]}"
        finally:
            ending.set()
            thread.join()
            for each in connections:
                each.close()


@contextmanager
def stock_object(servant: Any) -> Iterator[str]:
    """Yield the URI of an object in an unmodified Pyro5 daemon."""
    with Pyro5.api.Daemon(host="localhost") as daemon:
        uri = str(daemon.register(servant))
        thread = threading.Thread(target=daemon.requestLoop)
        thread.start()
        try:
            yield uri
        finally:
            daemon.shutdown()
            thread.join(PATIENCE_S)


@Pyro5.api.expose
class Nonsense:
    """Claims to be a detector and answers with values of other types."""

    def is_a(self, *_: object) -> bool:
        return True

    def rec_start(self, _: object) -> object:
        return [1, 2, 3]

    def rec_status(self, _: object) -> object:
        return {"id": 7, "status": "Sleeping"}

    def rec_abort(self) -> object:
        return 5


class WithoutAbort(ScriptedRec):
    """A detector that implements a part of its interface, as real ones do."""

    @override
    def rec_abort(self) -> str:
        raise NotImplementedError

    @override
    def rec_pause(self) -> Any:
        raise NotImplementedError

    @override
    def rec_continue(self) -> Any:
        raise NotImplementedError


def test_one_that_accepts_and_never_answers_is_given_its_time(bench: Bench) -> None:
    """Then the start has failed; it may have started, so abort fails and force goes on."""
    with deaf_peer() as uri:
        bench.site.bind("obs/a", uri)
        with pytest.raises(DaqException, match="a could not be aborted"):
            bench.start("ab", "m", id="x")
        assert bench.phase("x") is Phase.ABORTING
        assert "rec_abort" in bench.b.calls or "rec_start" not in bench.b.calls
        with pytest.raises(DaqException, match="not all sources could be aborted"):
            bench.daq.abort_daq("x")
        assert bench.daq.force_abort_daq("x").error
    assert bench.phase("x") is Phase.ABORTED


def test_answers_of_other_types_are_failures(bench: Bench) -> None:
    """They are told as what they are, and nobody is taken to be aborted on such a word."""
    with stock_object(Nonsense()) as uri:
        bench.site.bind("obs/a", uri)
        with pytest.raises(DaqException, match=r"source a .* did not start") as refused:
            bench.start("a", "m", id="x")
        assert refused.value.remedy
        assert bench.phase("x") is Phase.ABORTING
        bench.daq.force_abort_daq("x")
    assert bench.phase("x") is Phase.ABORTED


@pytest.mark.spec("ESO-055", "ESO-057")
def test_one_without_abort_is_aborted_by_force_only(bench: Bench) -> None:
    """Abort fails and says by whom; stopping, which it can, still works."""
    with ObjectAdapter() as adapter:
        servant = WithoutAbort("a", bench.journal)
        bench.site.bind("obs/a", adapter.activate(servant, RecCmds, "tested"))
        first = bench.start("a", "m")
        with pytest.raises(DaqException, match=r"source a .* did not abort"):
            bench.daq.abort_daq(first)
        assert bench.phase(first) is Phase.ABORTING
        assert bench.daq.force_abort_daq(first).error
        servant.end()
        second = bench.start("a", "n")
        assert not bench.daq.stop_daq(second).error
        servant.close()
