"""The name service over its store: written before acknowledged, restarted, out of disk."""

from __future__ import annotations

import itertools
import logging
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import structs
from typing_extensions import override

from idl_like_interfaces.errors import PersistStore, RemoteError
from idl_like_interfaces.naming import AlreadyBound, NotFound
from nameserver.records import Changes
from nameserver.servant import NamingServant
from nameserver.stores import MemoryStore, NameStore, SqliteStore
from tests.support.clock import ManualClock

URI = "PYRO:ocm~1@localhost:4711"


class FailingStore(MemoryStore):
    """A store whose disk is full while ``is_full``."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False

    @override
    def apply(self, changes: Changes) -> None:
        if self.is_full:
            raise PersistStore("the disk is full", remedy="make space")
        super().apply(changes)


class HangingStore(MemoryStore):
    """A store of which the disk hangs from ``hang`` to ``go_on``."""

    def __init__(self) -> None:
        super().__init__()
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self.hangs = threading.Event()

    def hang(self) -> None:
        """Let the next change hang."""
        self._may_go_on.clear()

    def go_on(self) -> None:
        """Let it go on."""
        self._may_go_on.set()

    @override
    def apply(self, changes: Changes) -> None:
        if not self._may_go_on.is_set():
            self.hangs.set()
            assert self._may_go_on.wait(60.0)
        super().apply(changes)


@pytest.fixture
def clock() -> ManualClock:
    """Return the clock that the servants look at."""
    return ManualClock()


def servant_on(store: NameStore, clock: ManualClock) -> NamingServant:
    """Return a name service as it is after a start."""
    return NamingServant(store, utc=clock.utc, monotonic=clock.monotonic)


def test_after_a_restart_names_and_leases_are_there(clock: ManualClock) -> None:
    """All that was acknowledged."""
    store = MemoryStore()
    before = servant_on(store, clock)
    lease = before.grant_lease("ocm", 6.0)
    before.bind_new_context("obs")
    before.bind("obs/ocm", URI, metadata={"a": "b"}, lease_id=lease.lease_id)
    after = servant_on(store, clock)
    assert after.list(recursive=True) == before.list(recursive=True)
    assert after.renew_lease(lease.lease_id) == structs.replace(lease, name_count=1)


def test_a_lease_gets_a_full_term_after_a_restart(clock: ManualClock) -> None:
    """However much of it was over: its holder could not renew it meanwhile."""
    store = MemoryStore()
    before = servant_on(store, clock)
    lease = before.grant_lease("ocm", 6.0)
    before.bind("ocm", URI, lease_id=lease.lease_id)
    clock.advance(60.0)
    after = servant_on(store, clock)
    clock.advance(5.9)
    assert after.resolve("ocm").uri == URI
    clock.advance(0.1)
    with pytest.raises(NotFound):
        after.resolve("ocm")


def test_what_ran_out_does_not_come_back_with_a_restart(clock: ManualClock) -> None:
    """It is removed from the store too."""
    store = MemoryStore()
    servant = servant_on(store, clock)
    servant.bind("ocm", URI, lease_id=servant.grant_lease("ocm", 6.0).lease_id)
    clock.advance(6.0)
    servant.expire_leases()
    assert store.load().bindings == ()
    assert store.load().leases == ()


def test_an_end_of_a_lease_is_logged(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    """With its holder and what was unbound."""
    servant = servant_on(MemoryStore(), clock)
    lease = servant.grant_lease("ocm", 6.0)
    servant.bind("daq", URI, lease_id=lease.lease_id)
    servant.bind("std", URI, lease_id=lease.lease_id)
    clock.advance(7.0)
    with caplog.at_level(logging.WARNING):
        servant.expire_leases()
        servant.expire_leases()
    assert caplog.messages == [
        f"lease {lease.lease_id} of ocm ran out after 6 s; unbound: daq, std"
    ]


def test_what_cannot_be_stored_is_not_bound(clock: ManualClock) -> None:
    """The refusal crosses to the caller, and nothing has changed."""
    store = FailingStore()
    servant = servant_on(store, clock)
    store.is_full = True
    with pytest.raises(PersistStore):
        servant.bind("ocm", URI)
    with pytest.raises(PersistStore):
        servant.grant_lease("ocm", 6.0)
    store.is_full = False
    assert servant.list().bindings == []
    assert servant.list_leases() == []


def test_names_run_out_even_while_the_disk_is_full(clock: ManualClock) -> None:
    """Look-ups go on; the store learns of it with the next change that it can take."""
    store = FailingStore()
    servant = servant_on(store, clock)
    servant.bind("ocm", URI, lease_id=servant.grant_lease("ocm", 6.0).lease_id)
    store.is_full = True
    clock.advance(6.0)
    with pytest.raises(NotFound):
        servant.resolve("ocm")
    assert [each.name for each in store.load().bindings] == ["ocm"]
    store.is_full = False
    servant.bind("ocm", "PYRO:ocm~2@localhost:1")
    assert [each.uri for each in store.load().bindings] == ["PYRO:ocm~2@localhost:1"]
    assert store.load().leases == ()


def test_look_ups_and_renewals_do_not_wait_for_the_disk(clock: ManualClock) -> None:
    """While a bind hangs; what it binds is not seen before it is stored."""
    store = HangingStore()
    servant = servant_on(store, clock)
    lease = servant.grant_lease("ocm", 6.0)
    servant.bind("ocm", URI, lease_id=lease.lease_id)
    token = servant.changes().token
    store.hang()
    binding = threading.Thread(target=servant.bind, args=("dpm", URI))
    binding.start()
    assert store.hangs.wait(60.0)
    assert servant.resolve("ocm").uri == URI
    assert servant.resolve_many(["dpm"])[0].binding is None
    assert servant.renew_lease(lease.lease_id).name_count == 1
    assert [each.name for each in servant.list().bindings] == ["ocm"]
    assert servant.changes(token, 0.0).changes == []
    store.go_on()
    binding.join()
    assert servant.resolve("dpm").uri == URI
    assert [each.binding.name for each in servant.changes(token, 0.0).changes] == ["dpm"]


def test_look_ups_from_many_threads_see_whole_changes(clock: ManualClock) -> None:
    """Two names of one lease come and go together, whatever else happens."""
    servant = servant_on(MemoryStore(), clock)
    ended = threading.Event()
    torn: list[list[str]] = []

    def look() -> None:
        while not ended.is_set():
            names = [each.name for each in servant.list().bindings]
            if "b" in names and "a" not in names:
                torn.append(names)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        lease = servant.grant_lease("ocm", 0.1)
        servant.bind("a", URI, lease_id=lease.lease_id)
        servant.bind("b", URI, lease_id=lease.lease_id)
        clock.advance(0.2)
        with pytest.raises(NotFound):
            servant.resolve("a")
    ended.set()
    for thread in threads:
        thread.join()
    assert torn == []


def test_a_store_that_does_not_hold_together_is_refused(clock: ManualClock, tmp_path: Path) -> None:
    """A name without its context would be out of reach for ever."""
    store = SqliteStore(tmp_path / "names.db")
    servant = servant_on(store, clock)
    servant.bind_new_context("obs")
    servant.bind("obs/ocm", URI)
    store.close()
    with sqlite3.connect(tmp_path / "names.db") as db:
        db.execute("DELETE FROM binding WHERE name = 'obs'")
    db.close()
    store = SqliteStore(tmp_path / "names.db")
    with pytest.raises(PersistStore, match="'obs/ocm' without the context"):
        servant_on(store, clock)
    store.close()


def test_a_name_goes_to_one_of_many_who_want_it(clock: ManualClock) -> None:
    """Of threads that bind at the same moment one succeeds, the others are told."""
    servant = servant_on(MemoryStore(), clock)
    start = threading.Barrier(8)
    won: list[str] = []

    def bind(uri: str) -> None:
        start.wait()
        try:
            servant.bind("ocm", uri)
        except AlreadyBound:
            return
        won.append(uri)

    threads = [threading.Thread(target=bind, args=(f"PYRO:ocm~{n}@localhost:1",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [servant.resolve("ocm").uri]


NAMES = st.sampled_from(["a", "b", "A", "a/a", "a/b", "a/b/a", "b/a", ""])
URIS = st.sampled_from([URI, "PYRO:dpm~1@localhost:2", "nonsense"])
LEASE_IDS = st.sampled_from(["", "L0", "L1", "L2", "none"])


class SameAnswers(RuleBasedStateMachine):
    """Whatever is asked, both stores give the same answer, also after restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = ManualClock()
        self.memory: NameStore = MemoryStore()
        self.file: NameStore = SqliteStore(self.folder / "names.db")
        self.ids = [itertools.count(), itertools.count()]
        self.start()

    def start(self) -> None:
        """Make a servant on each store, as a start of the name server does."""
        self.servants = [
            NamingServant(
                store,
                utc=self.clock.utc,
                monotonic=self.clock.monotonic,
                make_lease_id=lambda ids=ids: f"L{next(ids)}",  # type: ignore[misc]
            )
            for store, ids in zip((self.memory, self.file), self.ids, strict=True)
        ]

    def ask(self, operation: Callable[[NamingServant], Any]) -> None:
        """Compare the answers, refusals too."""
        first, second = (self.answer(servant, operation) for servant in self.servants)
        assert first == second

    @staticmethod
    def answer(servant: NamingServant, operation: Callable[[NamingServant], Any]) -> Any:
        """Return what an operation returns, or how it is refused."""
        try:
            return operation(servant)
        except RemoteError as error:
            return type(error), error.message, error.fields

    @rule(name=NAMES, uri=URIS, lease_id=LEASE_IDS)
    def bind(self, name: str, uri: str, lease_id: str) -> None:
        self.ask(lambda names: names.bind(name, uri, lease_id=lease_id))

    @rule(name=NAMES, uri=URIS, lease_id=LEASE_IDS)
    def rebind(self, name: str, uri: str, lease_id: str) -> None:
        self.ask(lambda names: names.rebind(name, uri, "IDL:a/B:1.0", {"k": uri}, lease_id))

    @rule(name=NAMES)
    def bind_new_context(self, name: str) -> None:
        self.ask(lambda names: names.bind_new_context(name))

    @rule(name=NAMES)
    def unbind(self, name: str) -> None:
        self.ask(lambda names: names.unbind(name))

    @rule(name=NAMES)
    def destroy(self, name: str) -> None:
        self.ask(lambda names: names.destroy(name))

    @rule(term_s=st.sampled_from([1.0, 6.0]))
    def grant(self, term_s: float) -> None:
        self.ask(lambda names: names.grant_lease("holder", term_s))

    @rule(lease_id=LEASE_IDS)
    def renew(self, lease_id: str) -> None:
        self.ask(lambda names: names.renew_lease(lease_id))

    @rule(lease_id=LEASE_IDS)
    def release(self, lease_id: str) -> None:
        self.ask(lambda names: names.release_lease(lease_id))

    @rule(seconds=st.sampled_from([0.5, 1.0, 4.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def restart(self) -> None:
        self.file.close()
        self.file = SqliteStore(self.folder / "names.db")
        self.start()

    @invariant()
    def both_show_the_same(self) -> None:
        self.ask(lambda names: names.list(recursive=True))
        self.ask(lambda names: names.list_leases())
        self.ask(lambda names: names.find("IDL:a/B:1.0"))

    @invariant()
    def the_stores_hold_what_is_shown(self) -> None:
        shown = self.servants[1].list(recursive=True).bindings
        assert list(self.file.load().bindings) == shown
        assert self.file.load() == self.memory.load()

    @override
    def teardown(self) -> None:
        self.file.close()
        shutil.rmtree(self.folder)


TestSameAnswers = SameAnswers.TestCase
TestSameAnswers.settings = settings(
    max_examples=max(10, settings.default.max_examples // 3) if settings.default else 10,
    stateful_step_count=25,
    deadline=None,
)
