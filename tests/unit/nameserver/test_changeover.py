"""A client of two name servers finds the one that leads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typing_extensions import override

from idl_like_interfaces.errors import BadParam, CommFailure, OutcomeUnknown, Transient
from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.naming import OBJECT_ID, AlreadyBound, NamingContext
from idl_like_interfaces.replication import NotLeading
from nameserver import changeover
from nameserver.client import (
    Address,
    Names,
    dismiss_peer_of,
    name_server_address,
    parse_addresses,
    show_addresses,
    status_of,
)
from nameserver.servant import NamingServant
from nameserver.server import NameServer
from nameserver.stores import MemoryStore

URI = "PYRO:x@localhost:1"


class Server(NamingServant):
    """A name server that leads or not, as the test wants it."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.leads = True
        self.is_asked = 0

    @override
    def __getattribute__(self, name: str) -> object:
        if name in {"bind", "resolve"}:
            self.is_asked += 1
            if not self.leads:
                raise NotLeading("it follows", peer="")
        return super().__getattribute__(name)


@pytest.fixture
def servers() -> Iterator[tuple[tuple[Server, ...], tuple[Address, ...]]]:
    """Yield two servers and their addresses."""
    pair = Server(), Server()
    with ObjectAdapter() as one, ObjectAdapter() as other:
        for adapter, server in zip((one, other), pair, strict=True):
            adapter.activate_fixed(server, NamingContext, OBJECT_ID)
        yield pair, (("localhost", one.port), ("localhost", other.port))


Servers = tuple[tuple[Server, Server], tuple[Address, Address]]


class TestAddresses:
    """One address, or several with commas."""

    def test_they_are_read_and_written(self) -> None:
        """Blanks are passed over."""
        pair = (("localhost", 1), ("b", 2))
        assert parse_addresses("localhost:1, b:2") == pair
        assert show_addresses(pair) == "localhost:1,b:2"
        assert show_addresses(("localhost", 1)) == "localhost:1"

    def test_a_pair_is_found_in_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As one is."""
        monkeypatch.setenv("OBSORB_NAMES", "localhost:1,localhost:2")
        assert name_server_address() == (("localhost", 1), ("localhost", 2))

    @pytest.mark.parametrize("text", [",", "localhost:1,", "localhost:1,b"])
    def test_a_wrong_one_is_refused(self, text: str) -> None:
        """With what to give."""
        with pytest.raises(BadParam) as refused:
            parse_addresses(text)
        assert "comma" in refused.value.remedy


class TestChangingOver:
    """A call goes on at the next address when it was certainly not executed."""

    def test_the_one_that_leads_is_remembered(self, servers: Servers) -> None:
        """The other one is asked once."""
        (first, second), addresses = servers
        first.leads = False
        with Names(addresses) as names:
            names.context.bind("a", URI)
            assert names.resolve("a") == URI
            assert names.address == addresses[1]
            assert names.reference.endswith(f":{addresses[1][1]}")
        assert (first.is_asked, second.is_asked) == (1, 2)

    def test_one_that_is_not_there_is_passed_over(self, servers: Servers) -> None:
        """Nothing was executed."""
        _, addresses = servers
        with Names([("localhost", 1), addresses[1]]) as names:
            names.context.bind("a", URI)

    def test_refusals_of_the_leader_are_the_answer(self, servers: Servers) -> None:
        """They are not tried elsewhere."""
        (_, second), addresses = servers
        with Names(addresses) as names:
            names.context.bind("a", URI)
            with pytest.raises(AlreadyBound):
                names.context.bind("a", URI)
        assert second.is_asked == 0

    def test_what_may_have_been_executed_is_not_repeated(
        self, servers: Servers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A bind whose reply was lost is the caller's to decide; a look-up is not."""
        (first, second), addresses = servers

        def lose(*_: object) -> None:
            raise OutcomeUnknown("lost")

        with Names(addresses) as names:
            second.bind("a", URI)
            for operation in ("bind", "resolve"):
                stub = names.context._stubs[addresses[0]]  # type: ignore[attr-defined]
                monkeypatch.setattr(stub, operation, lose, raising=False)
            assert names.context.resolve("a").uri == URI
            names._preference.turn_from(addresses[1])
            with pytest.raises(OutcomeUnknown):
                names.context.bind("b", URI)
            assert names.address == addresses[1], "the next call asks the other one first"
        assert first.list().bindings == []

    def test_at_last_it_gives_up(self, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
        """With what the last one said."""
        monkeypatch.setattr(changeover, "_PATIENCE_S", 0.3)
        (first, second), addresses = servers
        first.leads = second.leads = False
        with Names(addresses) as names, pytest.raises(NotLeading):
            names.context.bind("a", URI)
        assert first.is_asked > 1
        with Names([("localhost", 1), ("localhost", 2)]) as names, pytest.raises(Transient):
            names.context.resolve("a")

    def test_operations_of_every_object_work(self, servers: Servers) -> None:
        """At the one that is asked first."""
        _, addresses = servers
        with Names(addresses) as names:
            assert names.is_alive(names.reference)
            assert names.context.ping().object_id == OBJECT_ID  # type: ignore[attr-defined]


class TestStatus:
    """What a name server says about itself."""

    def test_a_single_one_leads(self) -> None:
        """It has no other one, and none that could be dismissed."""
        with NameServer("localhost", 0) as server:
            status = status_of(("localhost", server.port))
            assert (status.role, status.standing, status.peer) == ("leading", "sole", "")
            assert status.acknowledges
            with pytest.raises(BadParam, match="no other one"):
                dismiss_peer_of(("localhost", server.port))

    def test_no_answer_is_a_failure(self) -> None:
        """Of the connection."""
        with pytest.raises(CommFailure):
            status_of(("localhost", 1))
