"""Who has the names: one thread at a time, and those who watch hear of it afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from idl_like_interfaces.waiting import News
from nameserver.journal import Journal


class Turn:
    """Whoever enters has the names for himself, without what ran out, until he leaves.

    Those who watch are told when the lock is free again.

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
            self._lock.release()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        told, self._told = self._told, self._journal.number
        is_news = told != self._told
        self._lock.release()
        if is_news:
            self._news.tell()
