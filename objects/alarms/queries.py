"""Finding lines of the history, and what a reply may hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from idl_like_interfaces.alarms import HistoryEntry, HistoryQuery
from idl_like_interfaces.errors import BadParam, PersistStore
from objects.alarms.filters import Filter
from objects.alarms.store import AlarmLog

MOST_ENTRIES = 10_000

REPLY_BYTES = 3 * 1024 * 1024
"""A reply that would be larger is cut at the end that is farther from what was asked."""

T = TypeVar("T")


def select(store: AlarmLog, query: HistoryQuery) -> list[HistoryEntry]:
    """Return the lines that a query wants, sorted by number.

    Raises:
        BadParam: The limit is out of range, or a pattern is none.
        PersistStore: A file cannot be read.
    """
    check_limit(query.limit, MOST_ENTRIES, "query.limit")
    wanted = _Wanted(query)
    found: list[HistoryEntry] = []
    try:
        for entry in store.entries(after=query.after, newest=query.newest):
            if wanted.takes(entry):
                found.append(entry)
                if len(found) == query.limit:
                    break
    except OSError as error:
        raise PersistStore(
            f"the alarm log cannot be read: {error}",
            cause="a file has been removed, or the disk has a fault",
            remedy="look after the disk and the folder's rights",
        ) from error
    fits = fitting(found)
    return fits[::-1] if query.newest else fits


class _Wanted:
    def __init__(self, query: HistoryQuery) -> None:
        self._query = query
        self._filter = Filter(query.filter, "query.filter")
        self._takes_notes = query.filter == type(query.filter)()
        self._text = query.text.casefold()

    def takes(self, entry: HistoryEntry) -> bool:
        query = self._query
        return (
            (not query.changes or entry.change in query.changes)
            and (query.since is None or entry.time >= query.since)
            and (query.until is None or entry.time < query.until)
            and self._takes_alarm(entry)
            and self._has_text(entry)
        )

    def _takes_alarm(self, entry: HistoryEntry) -> bool:
        return self._takes_notes if entry.alarm is None else self._filter.takes(entry.alarm)

    def _has_text(self, entry: HistoryEntry) -> bool:
        if not self._text:
            return True
        texts = [entry.text, entry.by]
        if entry.alarm is not None:
            report = entry.alarm.report
            texts += [report.text, report.cause, entry.alarm.comment]
        return any(self._text in each.casefold() for each in texts)


def check_limit(limit: int, most: int, field: str) -> None:
    """Refuse a limit that is out of range.

    Raises:
        BadParam: It is below 1 or above the most.
    """
    if not 1 <= limit <= most:
        raise BadParam(
            f"the limit {limit} is out of range",
            field=field,
            remedy=f"give a limit from 1 to {most}",
        )


def fitting(found: Sequence[T]) -> list[T]:
    """Return as many from the begin as one message holds."""
    size = 0
    for place, each in enumerate(found):
        size += len(msgspec.msgpack.encode(each)) + 64
        if size > REPLY_BYTES and place:
            return list(found[:place])
    return list(found)
