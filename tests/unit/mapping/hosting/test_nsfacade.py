"""Pyro5's own name server, spoken in front of a naming context."""

from __future__ import annotations

import Pyro5.api
import Pyro5.core
import Pyro5.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.mapping.hosting.nsfacade import StockNameServer, from_tags, tags_of
from idl_like_interfaces.naming import Binding, NamingContext
from nameserver.servant import NamingServant, utc_now
from nameserver.stores import MemoryStore
from tests.support.clock import ManualClock

OWN = "PYRO:Pyro.NameServer@localhost:9090"
URI = "PYRO:ocm~1@localhost:4711"
OTHER = "PYRO:ocm~2@localhost:4712"
OCM = "IDL:obsorb/daqif/OcmDaqControl:3.2"


@pytest.fixture
def clock() -> ManualClock:
    """Return the clock of the leases."""
    return ManualClock()


@pytest.fixture
def names(clock: ManualClock) -> NamingContext:
    """Return an empty root context."""
    return NamingServant(MemoryStore(), utc=clock.utc, monotonic=clock.monotonic)


@pytest.fixture
def stock(names: NamingContext) -> StockNameServer:
    """Return the facade of the root context."""
    return StockNameServer(names, OWN)


tags = st.sets(
    st.text(min_size=1, max_size=8)
    | st.sampled_from(["a=1", "a=2", "a=", "a", "=a", "interface=x", f"interface={OCM}"])
    | st.builds("interface=IDL:{}/X:1.0".format, st.sampled_from("abc"))
)


@given(tags)
def test_no_tag_is_lost(given_tags: set[str]) -> None:
    """Tags become interface and marks, and these the same tags again."""
    interface, metadata = from_tags(given_tags)
    binding = Binding(name="x", uri=URI, interface=interface, metadata=metadata, bound_at=utc_now())
    assert tags_of(binding) == given_tags


def test_tags_are_marks_and_the_interface() -> None:
    """As the documentation says."""
    assert from_tags({"class:Ocm", "site=paranal", f"interface={OCM}"}) == (
        OCM,
        {"class:Ocm": "", "site": "paranal"},
    )


def test_a_flat_name_is_a_path(stock: StockNameServer, names: NamingContext) -> None:
    """Missing contexts are made; both sides see the object."""
    stock.register("obs/ocm/daq", URI, metadata=["site=paranal"])
    assert names.resolve("obs/ocm/daq").metadata == {"site": "paranal"}
    assert stock.lookup("obs/ocm/daq") == Pyro5.core.URI(URI)
    assert stock.lookup("obs/ocm/daq", return_metadata=True)[1] == {"site=paranal"}


def test_what_we_bind_stock_clients_list(stock: StockNameServer, names: NamingContext) -> None:
    """Every object by its full path, and the name server itself; no contexts."""
    names.bind_new_context("obs")
    names.bind("obs/ocm", URI, OCM)
    assert stock.list() == {"Pyro.NameServer": OWN, "obs/ocm": URI}
    assert stock.list(return_metadata=True)["obs/ocm"] == (URI, {f"interface={OCM}"})
    assert stock.list(prefix="obs/") == {"obs/ocm": URI}
    assert stock.list(prefix="OBS") == {}
    assert stock.list(regex=".*ocm$") == {"obs/ocm": URI}
    assert stock.count() == 2


def test_a_safe_registration_does_not_replace(stock: StockNameServer) -> None:
    """One that is not safe does."""
    stock.register("ocm", URI, safe=True)
    with pytest.raises(Pyro5.errors.NamingError, match="already registered"):
        stock.register("ocm", OTHER, safe=True)
    stock.register("ocm", OTHER)
    assert str(stock.lookup("ocm")) == OTHER


def test_a_safe_registration_makes_contexts_too(
    stock: StockNameServer, names: NamingContext
) -> None:
    """With its tags; this is what pyro5-nsc does."""
    stock.register("obs/x", Pyro5.core.URI(URI), safe=True, metadata={"k=v"})
    assert names.resolve("obs/x").metadata == {"k": "v"}


def test_another_object_takes_a_leased_name_for_good(
    stock: StockNameServer, names: NamingContext, clock: ManualClock
) -> None:
    """The lease of the component that had it does not end the registration."""
    lease = names.grant_lease("ocm", 6.0)
    names.bind("ocm", URI, lease_id=lease.lease_id)
    stock.register("ocm", OTHER)
    clock.advance(10.0)
    assert str(stock.lookup("ocm")) == OTHER


def test_new_tags_leave_the_lease_and_the_interface(
    stock: StockNameServer, names: NamingContext
) -> None:
    """They are facts of the component, not marks of whoever sets tags."""
    lease = names.grant_lease("ocm", 6.0)
    names.bind("ocm", URI, OCM, {"old": "mark"}, lease.lease_id)
    stock.set_metadata("ocm", {"new"})
    found = names.resolve("ocm")
    assert (found.interface, found.metadata, found.lease_id) == (
        OCM,
        {"new": ""},
        lease.lease_id,
    )


def test_names_are_removed_one_or_many(stock: StockNameServer) -> None:
    """By name, by prefix, by regex; the number is told."""
    for name in ("a/1", "a/2", "b/1", "b/2", "c"):
        stock.register(name, URI)
    assert stock.remove("c") == 1
    assert stock.remove("c") == 0
    assert stock.remove(prefix="a/") == 2
    assert stock.remove(regex="b/1") == 1
    assert stock.remove() == 0
    assert stock.list().keys() == {"Pyro.NameServer", "b/2"}


def test_the_name_server_keeps_its_own_name(stock: StockNameServer) -> None:
    """It can be looked up, and neither removed nor replaced."""
    assert str(stock.lookup("Pyro.NameServer")) == OWN
    assert stock.remove("Pyro.NameServer") == 0
    assert stock.remove(regex=".*") == 0
    for safe in (False, True):
        with pytest.raises(Pyro5.errors.NamingError, match="own name"):
            stock.register("Pyro.NameServer", URI, safe=safe)
    with pytest.raises(Pyro5.errors.NamingError, match="own name"):
        stock.set_metadata("Pyro.NameServer", {"x"})


def test_the_yellow_pages_know_tags(stock: StockNameServer) -> None:
    """All of them, or any."""
    stock.register("both", URI, metadata={"a", "k=v"})
    stock.register("one", OTHER, metadata={"a"})
    assert stock.yplookup(meta_all={"a", "k=v"}, return_metadata=False) == {"both": URI}
    assert stock.yplookup(meta_any=["a"]).keys() == {"both", "one"}
    assert stock.yplookup(meta_all={"class:Pyro5.nameserver.NameServer"}).keys() == {
        "Pyro.NameServer"
    }
    assert stock.yplookup() == {}


@pytest.mark.parametrize(
    ("name", "uri", "words"),
    [
        ("a//b", URI, "is not a name"),
        ("my object", URI, "is not a name"),
        ("taken/below", URI, "is an object, not a context"),
        ("context", URI, "is bound already"),
        ("new/x", "PYRONAME:other", "PYRO:id@host:port"),
    ],
)
@pytest.mark.parametrize("safe", [False, True])
def test_refusals_are_in_stock_terms(
    stock: StockNameServer, names: NamingContext, name: str, uri: str, words: str, safe: bool
) -> None:
    """A ``NamingError`` with message and remedy in one line; nothing is left behind."""
    names.bind("taken", URI)
    names.bind_new_context("context")
    before = names.list(recursive=True)
    with pytest.raises(Pyro5.errors.NamingError) as refused:
        stock.register(name, uri, safe=safe)
    if not (safe and name == "context"):
        assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert names.list(recursive=True) == before


def test_unknown_names_are_refused(stock: StockNameServer, names: NamingContext) -> None:
    """Contexts, texts that are no names and what is not even a text are unknown too."""
    names.bind_new_context("obs")
    for name in ("nothing", "obs", "a//b"):
        with pytest.raises(Pyro5.errors.NamingError, match="unknown name"):
            stock.lookup(name)
        with pytest.raises(Pyro5.errors.NamingError, match="unknown name"):
            stock.set_metadata(name, {"x"})
    with pytest.raises(TypeError):
        stock.lookup(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("safe", [False, True])
def test_wrong_types_are_refused_as_the_stock_server_does(
    stock: StockNameServer, safe: bool
) -> None:
    """``TypeError``, and ``PyroError`` for a text that is no URI."""
    for name, uri, metadata in ((7, URI, None), ("x", 7, None), ("x", URI, "text")):
        with pytest.raises(TypeError):
            stock.register(name, uri, safe=safe, metadata=metadata)  # type: ignore[arg-type]
    with pytest.raises(Pyro5.errors.PyroError):
        stock.register("x", "nonsense", safe=safe)
    assert stock.count() == 1


def test_endless_patterns_are_refused(
    stock: StockNameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name server goes on answering."""
    monkeypatch.setattr("idl_like_interfaces.mapping.hosting.patterns.LIMIT_S", 0.3)
    stock.register("a" * 64, URI)
    with pytest.raises(Pyro5.errors.NamingError, match="takes too long"):
        stock.list(regex="(a+)+b")


def test_one_filter_at_a_time(stock: StockNameServer) -> None:
    """As the stock server refuses it."""
    with pytest.raises(ValueError, match="one thing at a time"):
        stock.list(prefix="a", regex="b")
