"""What is remembered of a sender."""

from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime

from idl_like_interfaces.event_server import SenderIdentity
from idl_like_interfaces.waiting import News
from objects.logger_stream.senders import Sender


class Synced:
    """A stream of which all is durable."""

    durable_ticket = 1

    def __init__(self) -> None:
        self.synced = News()

    def join(self, timeout_s: float | None = None) -> bool:
        """Tell that it goes on."""
        return False


def test_who_never_waits_keeps_no_stream_that_is_durable() -> None:
    """A sender that only sends does not hold the streams of runs that are over."""
    identity = SenderIdentity(name="cr1", host="h", pid=1, incarnation=1)
    sender = Sender(identity, datetime.now(UTC), 0.0)
    stream = Synced()
    kept = weakref.ref(stream)
    sender.wait_for(stream, 1)
    sender.accept(1, {1: (1, 10)})
    del stream
    assert sender.settle() == 1
    gc.collect()
    assert kept() is None
