"""The end of a channel that serves: everybody who waits has an answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from objects.messaging.channel import EventChannelServant
from tests.support.eventually import eventually

PATIENCE_S = 30.0
READERS = 40


@pytest.mark.parametrize("attempt", range(3))
def test_parked_readers_are_answered_at_the_end(attempt: int) -> None:
    """Each of them, and in order: the object says so itself before its daemon closes."""
    servant = EventChannelServant(f"epoch{attempt}")
    adapter = ObjectAdapter()
    adapter.start()
    channel = narrow(adapter.activate(servant, EventChannel, "obs/events"), EventChannel)
    with ThreadPoolExecutor(READERS) as pool:
        waiting = [pool.submit(channel.pull, "new", 10, PATIENCE_S) for _ in range(READERS)]
        eventually(lambda: adapter.load().parked == READERS)
        adapter.drain()
        servant.close()
        adapter.close()
        replies = [each.result(PATIENCE_S) for each in waiting]
    release(channel)
    assert {(reply.epoch, len(reply.events)) for reply in replies} == {(f"epoch{attempt}", 0)}
