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
        return self._store.select(query)

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
            return records or None

        return wait_for_news(self._news, look, list, min(timeout_s, LONGEST_POLL_S))

    @override
    def get_stats(self) -> LogStats:
        return self._store.stats()


def _check_batch(batch: LogBatch) -> None:
    for place, record in enumerate(batch.records):
        _check_time(record.time, f"batch.records[{place}].time")
        if record.until is not None:
            _check_time(record.until, f"batch.records[{place}].until")
        _check_number(record.count, f"batch.records[{place}].count")
    _check_number(batch.first, "batch.first")
    _check_number(batch.lost, "batch.lost", least=0)


def _check_number(found: int, field: str, least: int = 1) -> None:
    if not least <= found <= _LARGEST_NUMBER:
        raise BadParam(
            f"{field} is {found}, which is too {'small' if found < least else 'large'}",
            field=field,
            remedy="number the records from 1, and count what was folded or lost",
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
    for field in ("after", "beyond"):
        found = getattr(query, field)
        if abs(found) > _LARGEST_NUMBER:
            raise BadParam(
                f"query.{field} is {found}, no record has such a number",
                field=f"query.{field}",
                remedy="give the number of a record, or 0",
            )
