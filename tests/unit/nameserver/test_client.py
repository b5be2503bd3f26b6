"""The public client: addresses, stubs of names, and names kept under a lease."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from typing_extensions import override

from idl_like_interfaces.errors import BadParam, CommFailure, PersistStore, Transient
from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.naming import (
    OBJECT_ID,
    AlreadyBound,
    NamingContext,
    NotFound,
    NotFoundReason,
)
from nameserver import lookup
from nameserver.client import Names, Offer, Registration, name_server_address
from nameserver.records import Changes
from nameserver.servant import NamingServant
from nameserver.server import NameServer
from nameserver.stores import MemoryStore
from tests.support.echo import Echo, EchoServant


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer("localhost", 0) as server:
        yield server


@pytest.fixture
def names(server: NameServer) -> Iterator[Names]:
    with Names(("localhost", server.port)) as names:
        yield names


@pytest.fixture
def adapter() -> Iterator[ObjectAdapter]:
    with ObjectAdapter() as adapter:
        yield adapter


class FullStore(MemoryStore):
    """A store whose disk is full while ``is_full``."""

    is_full = False

    @override
    def apply(self, changes: Changes) -> None:
        if self.is_full:
            raise PersistStore("the disk is full", remedy="make space")
        super().apply(changes)


def offer(adapter: ObjectAdapter, name: str = "obs/echo") -> Offer:
    return Offer(name=name, uri=adapter.activate(EchoServant(), Echo, name), interface=Echo)


class TestAddress:
    """--names, then the environment, then the default."""

    def test_the_option_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An address on the command line is taken."""
        monkeypatch.setenv("OBSORB_NAMES", "localhost:1")
        assert name_server_address("localhost:2") == ("localhost", 2)

    def test_the_environment_is_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without an option the environment tells."""
        monkeypatch.setenv("OBSORB_NAMES", "localhost:1")
        assert name_server_address() == ("localhost", 1)

    def test_the_default_is_the_stock_port(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without both it is where stock clients look too."""
        monkeypatch.delenv("OBSORB_NAMES", raising=False)
        assert name_server_address() == ("localhost", 9090)

    @pytest.mark.parametrize("text", ["localhost", ":9090", "localhost:", "localhost:x", "a:70000"])
    def test_a_wrong_address_is_refused(self, text: str) -> None:
        """The refusal shows the form."""
        with pytest.raises(BadParam, match="name server") as caught:
            name_server_address(text)
        assert "HOST:PORT" in caught.value.remedy


class TestNames:
    """Resolving and narrowing."""

    def test_a_name_leads_to_a_stub(self, names: Names, adapter: ObjectAdapter) -> None:
        """A registered object is found and called by its name."""
        Registration(names, "echo", [offer(adapter)], {}).claim()
        assert names.narrow("obs/echo", Echo).add(1) == 2

    def test_the_same_stub_is_returned(self, names: Names) -> None:
        """Connections are shared by everybody who narrows the same name."""
        assert names.narrow("obs/echo", Echo) is names.narrow("obs/echo", Echo)

    def test_a_context_is_no_object(self, names: Names) -> None:
        """A name of a context cannot be called."""
        names.context.bind_new_context("obs")
        with pytest.raises(NotFound) as caught:
            names.resolve("obs")
        assert caught.value.why is NotFoundReason.NOT_OBJECT

    def test_a_dead_name_server_is_transient(self, server: NameServer) -> None:
        """Nobody listens at the address."""
        with ObjectAdapter() as free:
            port = free.port
        with Names(("localhost", port)) as names:
            for ask in (lambda: names.resolve("obs/echo"), lambda: names.context.find("")):
                with pytest.raises(Transient, match="the name service") as caught:
                    ask()
                assert "$OBSORB_NAMES" in caught.value.remedy


class TestRegistration:
    """Names under a lease."""

    def test_contexts_are_made_as_needed(self, names: Names, adapter: ObjectAdapter) -> None:
        """A deep name needs no preparation."""
        Registration(names, "echo", [offer(adapter, "a/b/c/d")], {"kind": "test"}).claim()
        assert names.context.resolve("a/b/c/d").metadata == {"kind": "test"}

    def test_the_interface_is_told(self, names: Names, adapter: ObjectAdapter) -> None:
        """Objects are found by what they implement."""
        Registration(names, "echo", [offer(adapter)], {}).claim()
        found = names.context.find("IDL:test/Echo:1.0")
        assert [binding.name for binding in found] == ["obs/echo"]

    def test_releasing_unbinds(self, names: Names, adapter: ObjectAdapter) -> None:
        """After the release the name is gone."""
        registration = Registration(names, "echo", [offer(adapter)], {})
        registration.claim()
        registration.release()
        with pytest.raises(NotFound):
            names.resolve("obs/echo")

    def test_a_second_instance_is_refused(self, names: Names, adapter: ObjectAdapter) -> None:
        """The name of a living object is not taken over, and nothing else is kept."""
        Registration(names, "one", [offer(adapter)], {}).claim()
        with ObjectAdapter() as other:
            second = Registration(names, "two", [offer(other, "obs/free"), offer(other)], {})
            with pytest.raises(AlreadyBound, match="living object") as caught:
                second.claim()
        assert caught.value.remedy
        with pytest.raises(NotFound):
            names.resolve("obs/free")

    def test_the_name_of_a_dead_object_is_taken_over(
        self, names: Names, adapter: ObjectAdapter
    ) -> None:
        """A component that was killed can start again at once."""
        with ObjectAdapter() as killed:
            Registration(names, "echo", [offer(killed)], {}).claim()
        again = offer(adapter)
        Registration(names, "echo", [again], {}).claim()
        assert names.resolve("obs/echo") == again.uri

    def test_a_lost_lease_is_claimed_again(self, names: Names, adapter: ObjectAdapter) -> None:
        """A name server that forgot everything learns the names at the next renewal."""
        registration = Registration(names, "echo", [offer(adapter)], {})
        registration.claim()
        (lease,) = names.context.list_leases()
        names.context.release_lease(lease.lease_id)
        registration.keep()
        assert registration.is_held
        assert names.narrow("obs/echo", Echo).add(1) == 2

    def test_a_name_that_was_unbound_by_hand_is_bound_again(
        self, names: Names, adapter: ObjectAdapter
    ) -> None:
        """At the next renewal of the lease, which goes on; the other names are left alone."""
        registration = Registration(names, "echo", [offer(adapter), offer(adapter, "obs/b")], {})
        registration.claim()
        leases, other = names.context.list_leases(), names.context.resolve("obs/b")
        names.context.unbind("obs/echo")
        registration.keep()
        assert names.narrow("obs/echo", Echo).add(1) == 2
        assert names.context.resolve("obs/b") == other
        assert [each.lease_id for each in names.context.list_leases()] == [leases[0].lease_id]

    def test_a_full_disk_of_the_name_server_costs_no_name(self, adapter: ObjectAdapter) -> None:
        """What cannot be bound again just now does not end the lease of the others."""
        store = FullStore()
        with ObjectAdapter() as daemon, Names(("localhost", daemon.port)) as names:
            daemon.activate_fixed(NamingServant(store), NamingContext, OBJECT_ID)
            offers = [offer(adapter), offer(adapter, "obs/b")]
            registration = Registration(names, "echo", offers, {})
            registration.claim()
            (lease,) = names.context.list_leases()
            names.context.unbind("obs/echo")
            store.is_full = True
            registration.keep()
            held_before = registration.is_held
            assert names.narrow("obs/b", Echo).add(1) == 2
            store.is_full = False
            registration.keep()
            assert (held_before, registration.is_held) == (False, True)
            assert names.narrow("obs/echo", Echo).add(1) == 2
            assert [each.lease_id for each in names.context.list_leases()] == [lease.lease_id]

    def test_a_name_that_a_living_object_took_over_is_left_to_it(
        self, names: Names, adapter: ObjectAdapter, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is told once; the component keeps its other names."""
        registration = Registration(names, "echo", [offer(adapter), offer(adapter, "obs/b")], {})
        registration.claim()
        with ObjectAdapter() as other:
            taken = offer(other)
            names.context.rebind(taken.name, taken.uri)
            registration.keep()
            registration.keep()
        assert names.resolve("obs/echo") == taken.uri
        assert names.narrow("obs/b", Echo).add(1) == 2
        assert [text for text in caplog.messages if "lost a name" in text] == [
            "echo lost a name: the name obs/echo belongs to a living object at " + taken.uri
        ]

    def test_a_name_server_that_comes_later_is_enough(self, adapter: ObjectAdapter) -> None:
        """Names are bound at the first renewal that finds a name server."""
        with ObjectAdapter() as free:
            port = free.port
        with Names(("localhost", port)) as names:
            registration = Registration(names, "echo", [offer(adapter)], {})
            with pytest.raises(CommFailure):
                registration.claim()
            registration.keep()
            held_before = registration.is_held
            with NameServer("localhost", port):
                registration.keep()
                assert (held_before, registration.is_held) == (False, True)
                assert names.narrow("obs/echo", Echo).add(1) == 2

    def test_a_released_registration_binds_nothing_any_more(
        self, names: Names, adapter: ObjectAdapter
    ) -> None:
        """A renewal that comes while the component ends does not bring its names back."""
        registration = Registration(names, "echo", [offer(adapter)], {})
        registration.claim()
        registration.release()
        registration.keep()
        assert not registration.is_held
        assert names.context.list_leases() == []
        with pytest.raises(NotFound):
            names.resolve("obs/echo")

    def test_a_release_does_not_wait_for_a_name_server_that_hangs(
        self, adapter: ObjectAdapter
    ) -> None:
        """A component that ends has better to do: its lease runs out by itself."""
        port = 0
        with NameServer("localhost", 0) as server, Names(("localhost", server.port)) as names:
            port = server.port
            registration = Registration(names, "echo", [offer(adapter)], {})
            registration.claim()
        with socket.create_server(("localhost", port)):
            began = time.monotonic()
            registration.release()
            assert time.monotonic() - began < 8.0


def test_stubs_are_kept_within_a_bound(
    names: Names, adapter: ObjectAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks for names without end does not grow; a stub that was let go works on."""
    monkeypatch.setattr(lookup, "MOST_STUBS", 3)
    echo = names.narrow(offer(adapter).uri, Echo)
    for number in range(10):
        names.narrow(f"obs/other/{number}", Echo)
    assert len(names._stubs) == 3
    assert list(names._forgotten) == [echo]
    assert echo.add(1) == 2


def test_a_stub_that_is_asked_for_is_kept(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was asked for longest ago goes first."""
    monkeypatch.setattr(lookup, "MOST_STUBS", 2)
    first = names.narrow("obs/first", Echo)
    for number in range(5):
        names.narrow(f"obs/other/{number}", Echo)
        assert names.narrow("obs/first", Echo) is first
