"""Who has the names: one who changes them at a time, beside many short look-ups.

A change waits for the disk, and for a second name server where there is one. Look-ups and
renewals must not wait for that: so a change is made true in memory under a lock of its own, which is held for
a moment only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from idl_like_interfaces.waiting import News
from nameserver.journal import Journal


class Changing:
    """Whoever enters may change the names, as the only one, until he leaves.

    What ran out is removed before. Those who watch are told when the lock is free again.

    Args:
        expire: Removes what ran out.
        journal: Says by its number whether there is something to tell.
        news: What is told.
    """

    def __init__(self, expire: Callable[[], None], journal: Journal, news: News) -> None:
        self._expire = expire
        self._journal = journal
        self._news = news
        self._told = journal.number
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            self._expire()
        except BaseException:
            self._leave()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        told, self._told = self._told, self._journal.number
        is_news = told != self._told
        self._lock.release()
        if is_news:
            self._news.tell()


class Looking:
    """Whoever enters sees the names as they are, without what ran out; it must not take long.

    Args:
        is_due: Tells whether something has run out; called with the lock.
        changing: By entering it what ran out is removed.
    """

    def __init__(self, is_due: Callable[[], bool], changing: Changing) -> None:
        self._is_due = is_due
        self._changing = changing
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        self.lock.acquire()
        while self._is_due():
            self.lock.release()
            with self._changing:
                pass
            self.lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.lock.release()
