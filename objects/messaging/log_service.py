"""The log service's servant: stores batches, answers queries, wakes who follows."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from typing_extensions import override

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.logs import LogBatch, LogQuery, LogService, LogStats, StoredRecord
from idl_like_interfaces.waiting import News, wait_for_news
from objects.messaging.log_store import SqliteLogStore

MOST_RECORDS = 10_000
LONGEST_POLL_S = 60.0

_LARGEST_NUMBER = 2**53

REPLY_BYTES = 3 * 1024 * 1024
"""Texts of one reply at most; it is cut at the end that is farther from what was asked."""

_OVERHEAD = 160


class LogServiceServant(LogService):
    """The log service over its store; any thread may call it."""

    def __init__(self, store: SqliteLogStore) -> None:
        self._store = store
        self._news = News()
        self._is_closed = False

    def close(self) -> None:
        """Answer everybody who follows; nobody waits any more."""
        self._is_closed = True
        self._news.tell()

    @override
    def append(self, batch: LogBatch) -> int:
        _check_batch(batch)
        stored = self._store.append(batch)
        if stored:
            self._news.tell()
        return stored

    @override
    def query(self, query: LogQuery) -> list[StoredRecord]:
        _check_query(query)
        return fitting(self._store.select(query), newest=query.newest)

    @override
    def follow(self, query: LogQuery, timeout_s: float = 25.0) -> list[StoredRecord]:
        _check_query(query)
        after = query.after

        def look() -> list[StoredRecord] | None:
            nonlocal after
            if self._is_closed:
                return []
            last = self._store.last()
            behind = msgspec.structs.replace(query, after=after)
            records = self._store.select(behind, by_number=True)
            # What did not match now never will.
            after = max(after, last)
            return fitting(records, newest=query.newest) if records else None

        return wait_for_news(self._news, look, list, min(timeout_s, LONGEST_POLL_S))

    @override
    def get_stats(self) -> LogStats:
        return self._store.stats()


def _check_batch(batch: LogBatch) -> None:
    for place, record in enumerate(batch.records):
        _check_time(record.time, f"batch.records[{place}].time")
    for field, least in (("first", 1), ("lost", 0)):
        found = getattr(batch, field)
        if not least <= found <= _LARGEST_NUMBER:
            raise BadParam(
                f"batch.{field} is {found}, which is too {'small' if found < least else 'large'}",
                field=f"batch.{field}",
                remedy="number the records from 1 and count what was lost",
            )


def _check_time(time: datetime, field: str) -> None:
    """Refuse a time that no reader could get back: in UTC it is not of the years 1 to 9999."""
    try:
        time.astimezone(UTC)
    except OverflowError as error:
        raise BadParam(
            f"{field} is {time}, in UTC that is outside the years 1 to 9999",
            field=field,
            remedy="give the time of the record",
        ) from error


def _check_query(query: LogQuery) -> None:
    if not 1 <= query.limit <= MOST_RECORDS:
        raise BadParam(
            f"query.limit is {query.limit}, it must be from 1 to {MOST_RECORDS}",
            field="query.limit",
            remedy="ask for fewer records, and again with 'after' or another time for more",
        )
    if abs(query.after) > _LARGEST_NUMBER:
        raise BadParam(
            f"query.after is {query.after}, no record has such a number",
            field="query.after",
            remedy="give the number of a record, or 0",
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
