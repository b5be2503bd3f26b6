"""A program that follows the names, through restarts and from far behind."""

from __future__ import annotations

import random
import threading

import pytest
from typing_extensions import override

from idl_like_interfaces.clients.watcher import NameWatcher
from idl_like_interfaces.naming import Binding, Change, ChangeList, NamingContext
from nameserver.journal import Journal
from nameserver.servant import NamingServant
from nameserver.stores import MemoryStore

URI = "PYRO:ocm~1@localhost:4711"
OTHER = "PYRO:ocm~2@localhost:4712"


class Restartable(NamingServant):
    """A name service whose process can be exchanged behind the back of its clients."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.restart()

    def restart(self) -> None:
        """Start anew on the same store, with a small journal and small pages."""
        super().__init__(self.store, journal=Journal(length=5, page_bytes=600))


def told(changes: list[Change]) -> list[tuple[str, str]]:
    """Return kind and name of each change."""
    return [(each.kind.value, each.binding.name) for each in changes]


def bound(names: NamingContext) -> dict[str, Binding]:
    """Return all that is bound."""
    return {each.name: each for each in names.list(recursive=True).bindings}


@pytest.fixture
def names() -> Restartable:
    """Give a name service with five names in it."""
    names = Restartable()
    names.bind_new_context("obs")
    for name in ("obs/a", "obs/b", "obs/c", "obs-2"):
        names.bind(name, URI)
    return names


def test_at_first_it_tells_all(names: Restartable) -> None:
    """In one piece, although the answers came in pages."""
    watcher = NameWatcher(names)
    assert told(watcher.read()) == [
        ("bound", "obs"), ("bound", "obs-2"), ("bound", "obs/a"), ("bound", "obs/b"),
        ("bound", "obs/c"),
    ]  # fmt: skip
    assert watcher.known == bound(names)


def test_nothing_bound_is_told_at_once() -> None:
    """An empty name service is known too."""
    watcher = NameWatcher(NamingServant(MemoryStore()))
    assert watcher.read(60.0) == []
    assert watcher.epoch


def test_then_it_tells_what_changes(names: Restartable) -> None:
    """And knows it."""
    watcher = NameWatcher(names)
    watcher.read()
    names.unbind("obs/a")
    names.rebind("obs/b", OTHER)
    assert told(watcher.read()) == [("unbound", "obs/a"), ("bound", "obs/b")]
    assert watcher.known == bound(names)
    assert watcher.read(0.0) == []


def test_it_waits_for_a_change(names: Restartable) -> None:
    """Which another thread makes."""
    watcher = NameWatcher(names)
    watcher.read()
    thread = threading.Thread(target=names.unbind, args=("obs/a",))
    thread.start()
    found = watcher.read(60.0)
    thread.join()
    assert told(found) == [("unbound", "obs/a")]


def test_below_a_context_other_names_are_not_told(names: Restartable) -> None:
    """Nor those that only begin with the same letters."""
    watcher = NameWatcher(names, "obs")
    assert [name for _, name in told(watcher.read())] == ["obs", "obs/a", "obs/b", "obs/c"]
    names.unbind("obs-2")
    names.bind("obs3", URI)
    assert watcher.read(0.0) == []
    names.unbind("obs/c")
    assert told(watcher.read()) == [("unbound", "obs/c")]


def test_after_a_restart_only_the_differences_are_told(names: Restartable) -> None:
    """The names that stayed are no news."""
    watcher = NameWatcher(names)
    watcher.read()
    epoch = watcher.epoch
    names.unbind("obs/a")
    names.restart()
    names.bind("obs/d", URI)
    assert told(watcher.read()) == [("unbound", "obs/a"), ("bound", "obs/d")]
    assert watcher.epoch != epoch
    assert watcher.known == bound(names)


def test_a_restart_without_a_difference_ends_the_wait(names: Restartable) -> None:
    """With nothing to tell but the new epoch."""
    watcher = NameWatcher(names)
    watcher.read()
    epoch = watcher.epoch
    names.restart()
    assert watcher.read(60.0) == []
    assert watcher.epoch != epoch


def test_who_fell_behind_learns_the_differences(names: Restartable) -> None:
    """More changes than the name server remembers."""
    watcher = NameWatcher(names)
    watcher.read()
    for number in range(9):
        names.bind(f"obs/n{number}", URI)
        names.unbind(f"obs/n{number}")
    names.unbind("obs/b")
    assert told(watcher.read()) == [("unbound", "obs/b")]


class Moving(Restartable):
    """Changes some name, or starts anew, before each answer while ``is_moving``."""

    is_moving = True

    @override
    def changes(self, since: str = "", timeout_s: float = 25.0) -> ChangeList:
        chance = random.Random(f"{since} {len(bound(self))}")
        for _ in range(chance.randrange(3) if self.is_moving else 0):
            name = f"obs/{chance.choice('abcxyz')}"
            if chance.random() < 0.3 and name in bound(self):
                self.unbind(name)
            else:
                self.rebind(name, f"PYRO:n@localhost:{chance.randrange(99)}")
        if self.is_moving and chance.random() < 0.05:
            self.restart()
        return super().changes(since, 0.0)


def test_what_moves_while_the_pages_come_is_known_at_the_end() -> None:
    """No hole between the pages of a snapshot and what follows them."""
    names = Moving()
    names.bind_new_context("obs")
    watcher = NameWatcher(names)
    for _ in range(200):
        watcher.read(0.0)
    names.is_moving = False
    while watcher.read(0.0):
        continue
    assert watcher.known == bound(names)
