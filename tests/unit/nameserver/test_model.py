"""The name service against a dictionary, over both stores, restarted at any moment."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.naming import Binding
from nameserver.journal import Journal
from nameserver.servant import NamingServant
from nameserver.stores import MemoryStore, NameStore, SqliteStore
from tests.support.clock import ManualClock
from tests.support.naming import Entry, Follower, Model, Refusal, entry_of

NAMES = st.sampled_from(["a", "b", "A", "a-1", "a/a", "a/b", "a/b/a", "a/b/a:1", "b/a"])
URIS = st.sampled_from(["PYRO:x@localhost:1", "PYRO:y@localhost:2"])
INTERFACES = st.sampled_from(["", "IDL:a/B:1.0", "IDL:a/B:1.2", "IDL:a/C:1.0"])
MARKS = st.sampled_from(["", "short", "long " * 100])
LEASE_IDS = st.sampled_from(["", "", "L0", "L1", "L2", "none"])


def refusal_of(operation: Callable[[], Any]) -> Refusal:
    """Return how an operation is refused; ``None``: it is not."""
    try:
        operation()
    except RemoteError as error:
        return type(error)
    return None


class NamesMachine(RuleBasedStateMachine):
    """Does the same to a name service and to a model; watches one with the other.

    The journal is tiny, so that a follower who is slow falls out of it and long
    answers come in pages.
    """

    store: NameStore

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.lease_ids = (f"L{number}" for number in itertools.count())
        self.model = Model()
        self.follower = Follower()
        self.open_store()
        self.start()

    def open_store(self) -> None:
        """Set ``store``; called again at each restart."""
        raise NotImplementedError

    def start(self) -> None:
        """Make a servant, as a start of the name server does."""
        self.names = NamingServant(
            self.store,
            utc=self.clock.utc,
            monotonic=self.clock.monotonic,
            make_lease_id=lambda: next(self.lease_ids),
            journal=Journal(length=6, page_bytes=300),
        )

    @rule(name=NAMES, uri=URIS, interface=INTERFACES, mark=MARKS, lease_id=LEASE_IDS)
    def bind(self, name: str, uri: str, interface: str, mark: str, lease_id: str) -> None:
        """The name must be free."""
        entry = Entry(uri=uri, interface=interface, mark=mark, lease_id=lease_id)
        done = refusal_of(lambda: self.names.bind(name, uri, interface, {"mark": mark}, lease_id))
        assert done == self.model.put(name, entry, replace=False)

    @rule(name=NAMES, uri=URIS, lease_id=LEASE_IDS)
    def rebind(self, name: str, uri: str, lease_id: str) -> None:
        """Objects are replaced."""
        done = refusal_of(lambda: self.names.rebind(name, uri, lease_id=lease_id))
        assert done == self.model.put(name, Entry(uri=uri, lease_id=lease_id), replace=True)

    @rule(name=st.sampled_from(["a", "b", "c", "d"]), count=st.integers(1, 8))
    def move_often(self, name: str, count: int) -> None:
        """Many changes at once; a slow follower falls behind."""
        for number in range(count):
            self.rebind(name, f"PYRO:n{number}@localhost:1", "")

    @rule(name=NAMES)
    def unbind(self, name: str) -> None:
        """Objects only."""
        assert refusal_of(lambda: self.names.unbind(name)) == self.model.unbind(name)

    @rule(name=NAMES)
    def make_context(self, name: str) -> None:
        """Free names only."""
        done = refusal_of(lambda: self.names.bind_new_context(name))
        assert done == self.model.put(name, Entry(), replace=False)

    @rule(name=NAMES)
    def destroy(self, name: str) -> None:
        """Empty contexts only."""
        assert refusal_of(lambda: self.names.destroy(name)) == self.model.destroy(name)

    @rule(term_s=st.sampled_from([1.0, 6.0]))
    def grant(self, term_s: float) -> None:
        """Take a lease."""
        lease = self.names.grant_lease("holder", term_s)
        self.model.grant(lease.lease_id, term_s, self.clock.monotonic())

    @rule(lease_id=LEASE_IDS)
    def renew(self, lease_id: str) -> None:
        """Begin the term anew."""
        done = refusal_of(lambda: self.names.renew_lease(lease_id))
        assert done == self.model.renew(lease_id, self.clock.monotonic())

    @rule(lease_id=LEASE_IDS)
    def release(self, lease_id: str) -> None:
        """End it."""
        done = refusal_of(lambda: self.names.release_lease(lease_id))
        assert done == self.model.release(lease_id)

    @rule(seconds=st.sampled_from([0.5, 1.0, 4.0]))
    def pass_time(self, seconds: float) -> None:
        """Leases run out; nobody is told before he asks."""
        self.clock.advance(seconds)
        self.model.expire(self.clock.monotonic())

    @rule()
    def restart(self) -> None:
        """Everything but the ages of the leases is remembered."""
        self.names.expire_leases()
        self.store.close()
        self.open_store()
        self.start()
        self.model.restart(self.clock.monotonic())

    @rule(context=st.sampled_from(["", "a", "a/b"]), how_many=st.integers(1, 4))
    def list_pages(self, context: str, how_many: int) -> None:
        """Pages make the whole."""
        if context and (context not in self.model.names or self.model.names[context].uri):
            return
        found: list[str] = []
        more = "begin"
        after = ""
        while more:
            page = self.names.list(context, recursive=True, how_many=how_many, after=after)
            assert len(page.bindings) <= how_many
            found += [each.name for each in page.bindings]
            more = after = page.more
        assert found == self.model.below(context)

    @rule(interface=st.sampled_from(["IDL:a/B:1.0", "IDL:a/B:1.1", "IDL:a/B", "IDL:a/C:2.0"]))
    def find(self, interface: str) -> None:
        """By interface."""
        found = [each.name for each in self.names.find(interface)]
        assert found == self.model.find(interface)

    @rule(wanted=st.lists(NAMES, max_size=6))
    def resolve_many(self, wanted: list[str]) -> None:
        """An outcome for each."""
        found = self.names.resolve_many(wanted)
        assert [each.name for each in found] == wanted
        shown = [each.binding and entry_of(each.binding) for each in found]
        assert shown == [self.model.names.get(name) for name in wanted]
        assert all(bool(each.refusal) is (each.binding is None) for each in found)

    @rule()
    def hear(self) -> None:
        """The follower takes one answer; it need not be the last."""
        self.follower.hear(self.names.changes(self.follower.token, 0.0))

    @rule()
    def catch_up(self) -> None:
        """A follower who has heard all knows all."""
        self.hear()
        while not self.follower.is_complete:
            self.hear()
        assert self.known() == self.model.names

    @precondition(lambda self: bool(self.follower.token))
    @rule()
    def hear_twice(self) -> None:
        """An answer that was lost on its way is asked for again."""
        token = self.follower.token
        first = self.names.changes(token, 0.0)
        assert self.names.changes(token, 0.0) == first
        self.follower.hear(first)

    def known(self) -> dict[str, Entry]:
        """Return what the follower knows."""
        return {name: entry_of(binding) for name, binding in self.follower.known.items()}

    @invariant()
    def all_is_shown(self) -> None:
        """Names and leases."""
        shown: list[Binding] = self.names.list(recursive=True).bindings
        assert {each.name: entry_of(each) for each in shown} == self.model.names
        remaining = {each.lease_id: each.remaining_s for each in self.names.list_leases()}
        now = self.clock.monotonic()
        assert remaining == {each: lease.end - now for each, lease in self.model.leases.items()}

    @invariant()
    def all_is_stored(self) -> None:
        """Before it is acknowledged."""
        stored = self.store.load()
        assert {each.name: entry_of(each) for each in stored.bindings} == self.model.names
        assert {each.lease_id for each in stored.leases} == set(self.model.leases)

    @override
    def teardown(self) -> None:
        self.catch_up()
        self.store.close()


class InMemory(NamesMachine):
    """Over the store that forgets; a restart of the servant alone."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        super().__init__()

    @override
    def open_store(self) -> None:
        """It was never closed."""


class InAFile(NamesMachine):
    """Over the store in a file, opened anew."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        super().__init__()

    @override
    def open_store(self) -> None:
        self.store = SqliteStore(self.folder / "names.db")

    @override
    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)


def _settings(share: int) -> settings:
    most = settings.default.max_examples if settings.default else 50
    return settings(max_examples=max(10, most // share), stateful_step_count=40, deadline=None)


TestInMemory = InMemory.TestCase
TestInMemory.settings = _settings(1)
TestInAFile = InAFile.TestCase
TestInAFile.settings = _settings(3)
