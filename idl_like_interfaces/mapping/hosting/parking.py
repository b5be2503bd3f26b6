"""Long-polls that have nothing to say yet: they wait for news without a thread."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable

from idl_like_interfaces.mapping.hosting.peer import Peer
from idl_like_interfaces.mapping.hosting.protocols import Call
from idl_like_interfaces.mapping.hosting.replies import Reply
from idl_like_interfaces.mapping.hosting.watch import PARKED, Watch
from idl_like_interfaces.mapping.hosting.workers import Workers
from idl_like_interfaces.waiting import Parked


class Parking:
    """The parked calls of a daemon.

    Args:
        watch: Watches their connections meanwhile.
        workers: Look again when there is news.
        answer: Sends a reply and goes on serving the connection.
        guarded: Does something for a connection, and ends it when that fails.
    """

    def __init__(
        self,
        watch: Watch,
        workers: Workers,
        answer: Callable[[Peer, Reply], None],
        guarded: Callable[[Peer, Callable[[], None]], None],
    ) -> None:
        self._watch = watch
        self._workers = workers
        self._answer = answer
        self._guarded = guarded
        self._lock = threading.Lock()
        self._parked = 0

    def __len__(self) -> int:
        """Return how many are parked."""
        return self._parked

    def park(self, peer: Peer, call: Call, parked: Parked[object]) -> None:
        """Wait for news without a thread."""
        peer.parked = waiting = _Waiting(call, parked)
        with self._lock:
            self._parked += 1
        wake = functools.partial(self._wake, peer, waiting)
        waiting.silence = self._watch.alarms.set(waiting.until, wake)
        self._wait_on(peer, waiting)

    def forget(self, peer: Peer) -> None:
        """Note that a connection has ended; harmless when it was not parked."""
        waiting = self._unpark(peer)
        if waiting is not None:
            waiting.call.forget()

    def _wait_on(self, peer: Peer, waiting: _Waiting) -> None:
        waiting.cancel = waiting.parked.news.subscribe(functools.partial(self._wake, peer, waiting))
        # What came between the last look and now must not be waited for.
        reply = waiting.call.look(waiting.parked, is_last=False)
        if reply is not None:
            self._unpark(peer)
            self._answer(peer, reply)
            return
        self._watch.watch(peer, PARKED)
        if waiting.is_woken:
            # The news came while it was not watched yet.
            self._wake(peer, waiting)

    def _wake(self, peer: Peer, waiting: _Waiting) -> None:
        """Look again, in a worker: news came, or the time is over."""
        waiting.is_woken = True
        # It may have been answered, and watched again, since somebody was told of the news.
        if self._watch.seize(peer, waiting):
            self._workers.submit(functools.partial(self._look_again, peer, waiting))

    def _look_again(self, peer: Peer, waiting: _Waiting) -> None:
        def look() -> None:
            waiting.is_woken = False
            is_last = time.monotonic() >= waiting.until
            waiting.cancel()
            reply = waiting.call.look(waiting.parked, is_last=is_last)
            if reply is None:
                self._wait_on(peer, waiting)
                return
            self._unpark(peer)
            self._answer(peer, reply)

        self._guarded(peer, look)

    def _unpark(self, peer: Peer) -> _Waiting | None:
        """Note that a connection is parked no more, and return what it waited for."""
        with self._lock:
            waiting: _Waiting | None = peer.parked
            peer.parked = None
            if waiting is None:
                return None
            self._parked -= 1
        waiting.cancel()
        waiting.silence()
        return waiting


class _Waiting:
    """A parked call."""

    __slots__ = ("call", "cancel", "is_woken", "parked", "silence", "until")

    def __init__(self, call: Call, parked: Parked[object]) -> None:
        self.call = call
        self.parked = parked
        self.until = time.monotonic() + parked.timeout_s
        self.is_woken = False
        self.cancel: Callable[[], None] = _nothing
        self.silence: Callable[[], None] = _nothing


def _nothing() -> None:
    """Cancel nothing."""
