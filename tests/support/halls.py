"""A served hall for tests of hosting, and who connects to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.mapping.hosting.limits import Limits
from idl_like_interfaces.object import Object, OperationStatistics
from tests.hostile.wire import Peer
from tests.support.hall import Hall, HallServant

SOON_S = 20.0


@contextmanager
def hall(limits: Limits | None = None) -> Iterator[tuple[ObjectAdapter, HallServant, str]]:
    """Serve a hall; its door opens at the end, so that nobody stays inside."""
    servant = HallServant()
    with ObjectAdapter(limits=limits) as adapter:
        try:
            yield adapter, servant, adapter.activate(servant, Hall, "hall")
        finally:
            servant.door.set()


@contextmanager
def stub_of(uri: str, deadline_s: float = SOON_S) -> Iterator[Hall]:
    stub = narrow(uri, Hall, deadline_s=deadline_s)
    try:
        yield stub
    finally:
        release(stub)


def object_id(uri: str) -> str:
    return uri.removeprefix("PYRO:").partition("@")[0]


def connected(adapter: ObjectAdapter, uri: str, number: int, opened: ExitStack) -> list[Peer]:
    """Open connections that have shaken hands."""
    peers = []
    for _ in range(number):
        peers.append(opened.enter_context(Peer(("127.0.0.1", adapter.port))))
        assert peers[-1].greet(object_id(uri)) == "greeted"
    return peers


def statistics(uri: str, operation: str) -> OperationStatistics:
    stub = narrow(uri, Object)
    try:
        (found,) = [each for each in stub.get_statistics().operations if each.name == operation]
    finally:
        release(stub)
    return found
