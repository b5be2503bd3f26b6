"""A run that has something left to be done: its record in memory, the same as on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable

from idl_like_interfaces.waiting import News
from objects.run_control.records import RunRecord
from objects.run_control.store import RunStore

Change = Callable[[RunRecord], RunRecord]
Tell = Callable[[RunRecord, RunRecord], None]


class OpenRun:
    """Changes a record: on disk before it counts; any thread may call it.

    Args:
        record: As it is stored.
        store: Where.
        tell: Called with the old and the new record after each change that was stored.

    Attributes:
        news: Tells each change.
        wake: Set when its driver has something to do at once.
    """

    def __init__(self, record: RunRecord, store: RunStore, tell: Tell) -> None:
        self._record = record
        self._store = store
        self._tell = tell
        self._lock = threading.Lock()
        self.news = News()
        self.wake = threading.Event()

    @property
    def record(self) -> RunRecord:
        """The record now."""
        return self._record

    def change(self, change: Change) -> RunRecord:
        """Change the record, on disk first; what ``change`` raises leaves it as it was.

        Raises:
            PersistStore: It could not be written; the record is as it was.
        """
        with self._lock:
            old = self._record
            new = change(old)
            if new is old:
                return old
            self._store.save(new)
            self._record = new
            self._tell(old, new)
        self.news.tell()
        return new

    def touch(self, change: Change) -> None:
        """Change counters that need not survive a crash: their writers know them."""
        with self._lock:
            self._record = change(self._record)
        self.news.tell()
