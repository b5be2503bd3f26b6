"""The log service's servant: stores batches, answers queries, wakes who follows."""

from __future__ import annotations

import threading
import time

import msgspec
from typing_extensions import override

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.logs import LogBatch, LogQuery, LogService, LogStats, StoredRecord
from objects.messaging.log_store import SqliteLogStore

MOST_RECORDS = 10_000
LONGEST_POLL_S = 60.0

REPLY_BYTES = 3 * 1024 * 1024
"""Texts of one reply at most; it is cut at the end that is farther from what was asked."""

_OVERHEAD = 160


class LogServiceServant(LogService):
    """The log service over its store; any thread may call it."""

    def __init__(self, store: SqliteLogStore) -> None:
        self._store = store
        self._news = threading.Condition()
        self._is_closed = False

    def close(self) -> None:
        """Answer everybody who follows; nobody waits any more."""
        with self._news:
            self._is_closed = True
            self._news.notify_all()

    @override
    def append(self, batch: LogBatch) -> int:
        _check_batch(batch)
        stored = self._store.append(batch)
        if stored:
            with self._news:
                self._news.notify_all()
        return stored

    @override
    def query(self, query: LogQuery) -> list[StoredRecord]:
        _check_query(query)
        return fitting(self._store.select(query), newest=query.newest)

    @override
    def follow(self, query: LogQuery, timeout_s: float = 25.0) -> list[StoredRecord]:
        _check_query(query)
        deadline = time.monotonic() + min(timeout_s, LONGEST_POLL_S)
        with self._news:
            while True:
                last = self._store.last()
                records = self._store.select(query, by_number=True)
                remaining_s = deadline - time.monotonic()
                if records or remaining_s <= 0 or self._is_closed:
                    return fitting(records, newest=query.newest)
                # What did not match now never will.
                query = msgspec.structs.replace(query, after=max(query.after, last))
                self._news.wait(remaining_s)

    @override
    def get_stats(self) -> LogStats:
        return self._store.stats()


def _check_batch(batch: LogBatch) -> None:
    for field, is_wrong in (("first", batch.first < 1), ("lost", batch.lost < 0)):
        if is_wrong:
            raise BadParam(
                f"batch.{field} is {getattr(batch, field)}, which is too small",
                field=f"batch.{field}",
                remedy="number the records from 1 and count what was lost",
            )


def _check_query(query: LogQuery) -> None:
    if not 1 <= query.limit <= MOST_RECORDS:
        raise BadParam(
            f"query.limit is {query.limit}, it must be from 1 to {MOST_RECORDS}",
            field="query.limit",
            remedy="ask for fewer records, and again with 'after' or another time for more",
        )


def fitting(records: list[StoredRecord], *, newest: bool) -> list[StoredRecord]:
    """Return as many records as fit into a message, the newest or the oldest of them."""
    room = REPLY_BYTES
    count = 0
    for each in reversed(records) if newest else records:
        record = each.record
        room -= 4 * (len(record.text) + len(record.traceback)) + _OVERHEAD
        if room < 0 and count:
            break
        count += 1
    return records[len(records) - count :] if newest else records[:count]
