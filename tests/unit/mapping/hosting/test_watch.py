"""What the watching thread does with moments that are far away."""

from __future__ import annotations

import math
import queue
import socket
import time

import pytest

from idl_like_interfaces.mapping.hosting.limits import Limits
from idl_like_interfaces.mapping.hosting.peer import Peer
from idl_like_interfaces.mapping.hosting.watch import Watch

GENEROUS_S = 30.0


@pytest.mark.parametrize("after_s", [1e7, 1e308, math.inf])
def test_a_moment_that_never_comes_holds_nothing_up(
    after_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Connections are attended to while all that is set is further away than a sleep may last."""
    attended: queue.SimpleQueue[Peer] = queue.SimpleQueue()
    listener = socket.create_server(("localhost", 0))
    watch = Watch(listener, Limits(), None, lambda peer, _: attended.put(peer), lambda _: None)
    watch.alarms.set(time.monotonic() + after_s, lambda: None)
    watch.start()
    try:
        with socket.create_connection(listener.getsockname()[:2]) as sock:
            sock.sendall(b"PYRO")
            watch.end(attended.get(timeout=GENEROUS_S))
    finally:
        watch.end_watched()
        watch.close()
        listener.close()
    assert caplog.messages == []
