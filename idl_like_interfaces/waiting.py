"""How a servant waits in a long-poll: by looking again whenever there is news.

A servant that blocked in a long-poll would hold a thread for each client. So it says what
it looks for and where news comes from; who serves it (``mapping``) parks the request and
looks again when there is news. Called in-process it blocks.

No news is lost, because whoever waits looks once more after it has begun to listen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

Wake = Callable[[], None]

LONGEST_S = 1e9
"""Nobody waits longer (31 years): what is much longer no lock and no timer takes."""


class News:
    """What long-polls wait for; ``tell`` it after each change that one of them may look for.

    Nothing is kept: who is told looks for itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, Wake] = {}
        self._number = 0

    @property
    def waiting(self) -> int:
        """How many wait for the next news; who was told and looks just now is not among them."""
        return len(self._waiting)

    def tell(self) -> None:
        """Wake all who wait, once. The change must be visible before; hold no lock."""
        if not self._waiting:
            return
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for wake in waiting.values():
            wake()

    def subscribe(self, wake: Wake) -> Callable[[], None]:
        """Have ``wake`` called at the next news, in the thread that tells it; it must not block.

        Returns:
            Call it to wait no longer; harmless when repeated or too late.
        """
        with self._lock:
            self._number += 1
            key = self._number
            self._waiting[key] = wake
        return lambda: self._forget(key)

    def _forget(self, key: int) -> None:
        with self._lock:
            self._waiting.pop(key, None)


class Parked(BaseException, Generic[T]):
    """Thrown instead of a wait, through the servant, to who serves it.

    Not an ``Exception``: no servant may take it for a failure.

    Attributes:
        news: When it tells something, call ``look`` again.
        look: Returns the reply, or ``None`` when there is nothing yet; may raise.
        otherwise: Returns the reply when the time is over; may raise.
        timeout_s: How long to wait, seconds.
    """

    def __init__(
        self,
        news: News,
        look: Callable[[], T | None],
        otherwise: Callable[[], T],
        timeout_s: float,
    ) -> None:
        super().__init__()
        self.news = news
        self.look = look
        self.otherwise = otherwise
        self.timeout_s = timeout_s


def tell_all(several: Iterable[News]) -> None:
    """Tell each of several news; hold no lock."""
    for each in several:
        each.tell()


class _Serving(threading.local):
    may_park = False


_serving = _Serving()


def allow_parking(*, is_allowed: bool) -> None:
    """Say whether ``wait_for_news`` of this thread throws ``Parked`` instead of blocking."""
    _serving.may_park = is_allowed


def wait_for_news(
    news: News, look: Callable[[], T | None], otherwise: Callable[[], T], timeout_s: float
) -> T:
    """Return what ``look`` finds, now or after news; call it last in a long-poll, with no lock held.

    Args:
        news: Where news comes from.
        look: Returns the reply, or ``None`` when there is nothing yet. Takes the
            servant's own lock; must not wait.
        otherwise: Makes the reply when the time is over.
        timeout_s: How long to wait at most; 0: not at all.

    Raises:
        Parked: To who serves the servant, see there.
    """
    if timeout_s > 0 and _serving.may_park:
        found = look()
        if found is None:
            raise Parked(news, look, otherwise, min(timeout_s, LONGEST_S))
        return found
    return block_for_news(news, look, otherwise, timeout_s)


def block_for_news(
    news: News, look: Callable[[], T | None], otherwise: Callable[[], T], timeout_s: float
) -> T:
    """Do the same in this thread, whoever serves it.

    For the waits of a component's own threads, and for those within an operation that is
    no long-poll.
    """
    until = time.monotonic() + min(timeout_s, LONGEST_S)
    found = look()
    if found is None and timeout_s <= 0:
        return otherwise()
    while found is None:
        told = threading.Event()
        cancel = news.subscribe(told.set)
        try:
            # What came between the last look and now must not be waited for.
            found = look()
            if found is None and not told.wait(max(0.0, until - time.monotonic())):
                return otherwise()
        finally:
            cancel()
    return found
