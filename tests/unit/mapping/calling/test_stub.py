"""What a stub does when the peer is slow, lost, restarted or another kind of object."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import Pyro5.api
import Pyro5.errors
import pytest

from idl_like_interfaces.errors import (
    BadParam,
    DeadlineExpired,
    InterfaceMismatch,
    ObjectNotExist,
    OutcomeUnknown,
    RemoteError,
    Transient,
)
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.recif import RecCmds
from tests.support.deadlines import deadline_of
from tests.support.echo import Echo, EchoServant, Sample


class Directory:
    """Resolves one name and counts how often it is asked."""

    def __init__(self) -> None:
        self.uri = ""
        self.asked = 0

    def resolve(self, name: str) -> str:
        self.asked += 1
        if not self.uri:
            raise Transient(f"{name}: the name server is away")
        return self.uri


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def stub(directory: Directory) -> Iterator[Echo]:
    stub = narrow("obs/echo", Echo, resolve=directory.resolve, deadline_s=5.0)
    yield stub
    release(stub)


def test_nothing_is_contacted_before_the_first_call(directory: Directory, stub: Echo) -> None:
    """A stub of an object that does not run yet can be made."""
    assert directory.asked == 0


def test_a_restarted_object_is_found_again(directory: Directory, stub: Echo) -> None:
    """After a restart elsewhere the next call asks the name service and succeeds."""
    with ObjectAdapter() as first:
        directory.uri = first.activate(EchoServant(), Echo, "echo")
        assert stub.add(1) == 2
    with ObjectAdapter() as second:
        directory.uri = second.activate(EchoServant(), Echo, "echo")
        assert stub.add(2) == 3
    assert directory.asked == 2


def test_a_restart_on_the_same_port_is_noticed(directory: Directory, stub: Echo) -> None:
    """The object id of the old incarnation names nothing in the new process."""
    with ObjectAdapter() as first:
        directory.uri = first.activate(EchoServant(), Echo, "echo")
        assert stub.count() == 1
        port = first.port
    with ObjectAdapter(port=port) as second:
        directory.uri = second.activate(EchoServant(), Echo, "echo")
        assert stub.count() == 1
    assert directory.asked == 2


def test_an_old_reference_names_nothing() -> None:
    """A reference from before a restart is refused by the new process on the same port."""
    with ObjectAdapter() as first:
        uri = first.activate(EchoServant(), Echo, "echo")
        port = first.port
    with ObjectAdapter(port=port) as second:
        second.activate(EchoServant(), Echo, "echo")
        stale = narrow(uri, Echo)
        with pytest.raises(ObjectNotExist, match="nothing is active") as caught:
            stale.add(1)
        release(stale)
    assert caught.value.remedy


def test_an_object_that_does_not_run_is_transient(directory: Directory, stub: Echo) -> None:
    """Nobody listens: the error says that nothing was executed, and what to do."""
    with ObjectAdapter() as adapter:
        directory.uri = adapter.activate(EchoServant(), Echo, "echo")
    with pytest.raises(Transient, match="obs/echo") as caught:
        stub.add(1)
    assert caught.value.remedy


def test_an_unreachable_name_service_is_transient(stub: Echo) -> None:
    """Without the name service a name cannot be used, and the error says so."""
    with pytest.raises(Transient, match="the name service does not answer"):
        stub.add(1)


def test_a_lost_reply_is_outcome_unknown(directory: Directory, stub: Echo) -> None:
    """The server ends while it works: the stub does not repeat and does not guess."""
    servant = EchoServant()
    adapter = ObjectAdapter()
    adapter.start()
    directory.uri = adapter.activate(servant, Echo, "echo")
    failures: list[RemoteError] = []

    def call() -> None:
        try:
            stub.wait(20.0)
        except RemoteError as error:
            failures.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    assert servant.entered.wait(20)
    closer = threading.Thread(target=adapter.close)
    closer.start()
    caller.join(20)
    servant.gate.set()
    closer.join(20)
    assert [type(each) for each in failures] == [OutcomeUnknown]


def test_the_deadline_holds() -> None:
    """A call that takes longer than its deadline ends with an error that says so."""
    servant = EchoServant()
    with ObjectAdapter() as adapter:
        stub = narrow(adapter.activate(servant, Echo, "echo"), Echo)
        stub.add(1)
        blocked = threading.Event()
        servant.count = lambda: int(blocked.wait(20))  # type: ignore[method-assign]
        with deadline_of(stub, 0.2), pytest.raises(DeadlineExpired, match=r"within 0\.2 s"):
            stub.count()
        blocked.set()
        assert stub.add(1) == 2
        release(stub)


def test_a_long_poll_may_wait_longer_than_the_deadline() -> None:
    """The waiting time that is asked for is added to the deadline."""
    with ObjectAdapter() as adapter:
        stub = narrow(adapter.activate(EchoServant(), Echo, "echo"), Echo, deadline_s=2.0)
        assert stub.wait(2.5) is False
        release(stub)


def test_another_kind_of_object_is_refused() -> None:
    """The first call finds out that the object implements something else."""
    with ObjectAdapter() as adapter:
        stub = narrow(adapter.activate(EchoServant(), Echo, "echo"), RecCmds)
        with pytest.raises(InterfaceMismatch, match="does not implement IDL:obsorb/recif"):
            stub.rec_status()
        release(stub)


def test_a_stock_object_is_refused() -> None:
    """An object that was not made from a declaration is no instance of any."""

    @Pyro5.api.expose
    class Stock:
        def add(self, a: int, b: int) -> int:
            return a + b

    with ObjectAdapter() as adapter:
        stub = narrow(adapter.activate_stock(Stock(), "stock"), Echo)
        with pytest.raises(InterfaceMismatch):
            stub.add(1, 2)
        release(stub)


def test_a_name_needs_a_name_service() -> None:
    """A name without anybody to ask is refused at once."""
    with pytest.raises(BadParam, match="is a name"):
        narrow("obs/echo", Echo)


def test_many_threads_share_a_stub(directory: Directory, stub: Echo) -> None:
    """Calls from several threads do not mix up their replies."""
    results: dict[int, list[int]] = {}

    def work(number: int) -> None:
        results[number] = [stub.add(number, step) for step in range(50)]

    with ObjectAdapter() as adapter:
        directory.uri = adapter.activate(EchoServant(), Echo, "echo")
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        release(stub)
    assert results == {n: [n + step for step in range(50)] for n in range(8)}


def test_request_octets_do_not_ride_on_the_next_call() -> None:
    """Annotations of one call are not sent with another."""
    from idl_like_interfaces.octets import Octets

    with ObjectAdapter() as adapter:
        stub = narrow(adapter.activate(EchoServant(), Echo, "echo"), Echo)
        assert stub.echo(Sample(octets=Octets(b"abc"))).octets == Octets(b"abc")
        assert stub.echo(Sample()).octets is None
        release(stub)


@pytest.mark.parametrize(
    "arguments", [{"c": 1}, {"b": 1}], ids=["unknown argument", "missing argument"]
)
def test_a_wrong_keyword_is_a_type_error(
    directory: Directory, stub: Echo, arguments: dict[str, int]
) -> None:
    """A programmer's mistake fails as it would with any Python function."""
    with ObjectAdapter() as adapter:
        directory.uri = adapter.activate(EchoServant(), Echo, "echo")
        with pytest.raises(TypeError, match="add"):
            stub.add(**arguments)
        release(stub)


@pytest.mark.parametrize("value", ["x" * (17 << 20), "\ud800"], ids=["17 MiB", "half a character"])
def test_what_cannot_travel_is_refused_before_it_is_sent(value: str) -> None:
    """The caller learns that it is the argument, not the connection; the next call works."""
    with ObjectAdapter() as adapter:
        stub = narrow(adapter.activate(EchoServant(), Echo, "echo"), Echo)
        with pytest.raises(BadParam, match="cannot travel"):
            stub.anything(value)
        assert stub.add(1) == 2
        release(stub)


def test_half_a_character_of_a_stock_client_is_refused() -> None:
    """Serpent carries lone surrogates; no servant gets one."""
    with ObjectAdapter() as adapter:
        uri = adapter.activate(EchoServant(), Echo, "echo")
        with Pyro5.api.Proxy(uri) as proxy:
            for value in ("\ud800", ["a", {"\udfff": 1}]):
                with pytest.raises(Pyro5.errors.PyroError, match="no Unicode text"):
                    proxy.anything(value)
            assert proxy.anything("\U0001f52d") == "\U0001f52d"


def test_a_long_poll_may_be_asked_to_wait_for_ever() -> None:
    """A wait that is longer than a socket's longest timeout is no error of the call."""
    servant = EchoServant()
    servant.gate.set()
    with ObjectAdapter() as adapter:
        stub = narrow(adapter.activate(servant, Echo, "echo"), Echo)
        assert stub.wait(1e300)
        release(stub)


def test_a_peer_that_does_not_shake_hands_costs_no_more_than_two_deadlines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection is made within the deadline of a call where that is shorter."""
    monkeypatch.setattr("idl_like_interfaces.mapping.calling.caller.CONNECT_DEADLINE_S", 60.0)
    with socket.create_server(("localhost", 0)) as silent:
        stub = narrow(f"PYRO:x@localhost:{silent.getsockname()[1]}", Echo, deadline_s=0.2)
        began = time.monotonic()
        with pytest.raises(Transient):
            stub.add(1)
        assert time.monotonic() - began < 30


@pytest.mark.parametrize("reference", ["PYRO:", "PYRO:x", "PYRO:x@y:port", "PYRO:a b@localhost:1"])
def test_a_malformed_reference_is_refused_at_once(reference: str) -> None:
    """Nothing is contacted for what is no URI; the form stands in the remedy."""
    with pytest.raises(BadParam, match="not a reference") as caught:
        narrow(reference, Echo)
    assert "HOST:PORT" in caught.value.remedy


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_reference_to_no_port_is_refused_at_once(port: str) -> None:
    """Before it is called; with the field and what to give."""
    with pytest.raises(BadParam, match=f"there is no port {port}") as caught:
        narrow(f"PYRO:echo@localhost:{port}", Echo)
    assert caught.value.field == "reference"
    assert "65535" in caught.value.remedy
