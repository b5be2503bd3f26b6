"""Ten thousand names: listed, resolved, watched, over each way to call."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from idl_like_interfaces.naming import Binding, NamingContext
from nameserver.journal import PAGE_BYTES
from nameserver.records import Changes
from nameserver.servant import NamingServant
from nameserver.stores import MemoryStore
from tests.support.clock import ManualClock
from tests.support.naming import Follower
from tests.support.wire import wired

COUNT = 10_000
NAMES = [f"source-{number:05}" for number in range(COUNT)]
DEADLINE_S = 60.0


@pytest.fixture
def store() -> MemoryStore:
    """Give a store of many names, as a start of the name server finds it."""
    now = ManualClock().utc()
    store = MemoryStore()
    store.apply(
        Changes(
            put_bindings=tuple(
                Binding(
                    name=name,
                    uri=f"PYRO:{name}~1a2b3c4d@localhost:4711",
                    interface="IDL:obsorb/recif/RecCmds:2.1",
                    metadata={"component": name},
                    bound_at=now,
                )
                for name in NAMES
            )
        )
    )
    return store


@pytest.fixture(params=["in-process", "msgpack", "stock"])
def names(store: MemoryStore, request: pytest.FixtureRequest) -> Iterator[NamingContext]:
    """Yield a name service of many names, called in each way."""
    with wired(NamingServant(store), NamingContext, request.param) as names:
        yield names


def test_a_watcher_learns_all_of_them(names: NamingContext) -> None:
    """In pages that any client can read; afterwards each change."""
    follower = Follower()
    pages = 0
    while not follower.is_complete:
        news = names.changes(follower.token, DEADLINE_S)
        assert news.is_snapshot is (pages == 0)
        follower.hear(news)
        pages += 1
    assert list(follower.known) == NAMES
    assert pages > COUNT * 200 // PAGE_BYTES
    names.unbind(NAMES[5000])
    follower.hear(names.changes(follower.token, DEADLINE_S))
    assert len(follower.known) == COUNT - 1


def test_pages_of_the_list_are_all_of_them(names: NamingContext) -> None:
    """Each name once."""
    found: list[str] = []
    more, after = True, ""
    while more:
        page = names.list(recursive=True, how_many=500, after=after)
        found += [each.name for each in page.bindings]
        more, after = bool(page.more), page.more
    assert found == NAMES


def test_all_of_them_are_resolved_at_once(store: MemoryStore) -> None:
    """In one call of our stub."""
    with wired(NamingServant(store), NamingContext, "msgpack") as names:
        found = names.resolve_many(NAMES)
    assert [each.binding is not None and each.binding.name for each in found] == NAMES


def test_many_watchers_are_told_of_one_change(store: MemoryStore) -> None:
    """Each of them, at once."""
    with wired(NamingServant(store), NamingContext, "msgpack") as names:
        token = names.changes(f"{'0' * 8}:0").token
        while (news := names.changes(token, 0.0)).has_more:
            token = news.token
        token = news.token
        told: list[str] = []
        threads = [
            threading.Thread(
                target=lambda: told.extend(
                    each.binding.name for each in names.changes(token, DEADLINE_S).changes
                )
            )
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        names.unbind(NAMES[0])
        for thread in threads:
            thread.join(DEADLINE_S)
    assert told == [NAMES[0]] * 20
