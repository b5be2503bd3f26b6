"""Queries of the log as SQL, and records as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from idl_like_interfaces.clients.globs import match_text
from idl_like_interfaces.logs import LEVEL_NUMBERS, LogQuery, LogRecord, StoredRecord
from objects.messaging.log_schema import SEVERE

COLUMNS = "time, level, component, logger, text, traceback, owner, count, until"

Row: TypeAlias = tuple[int, int, str, str, str, str, str, int, int | None]

REPLY_BYTES = 3 * 1024 * 1024
"""Texts of one reply at most; it is cut at the end that is farther from what was asked."""

_OVERHEAD = 192

_LEVELS = {number: level for level, number in LEVEL_NUMBERS.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WILD = frozenset("*?")
_LONGEST_LIKE = 10_000


def microseconds(time: datetime) -> int:
    """Return a time as the store has it."""
    return (time - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Return a time of the store."""
    return _EPOCH + microseconds * _MICROSECOND


def row_of(record: LogRecord) -> Row:
    """Return a record as a row without its number."""
    return (
        microseconds(record.time),
        LEVEL_NUMBERS[record.level],
        record.component,
        record.logger,
        record.text,
        record.traceback,
        record.owner,
        record.count,
        None if record.until is None else microseconds(record.until),
    )


def record_of(number: int, row: Row) -> StoredRecord:
    """Return a row as a record."""
    time, level, component, logger, text, traceback, owner, count, until = row
    record = LogRecord(
        time=moment(time),
        level=_LEVELS[level],
        component=component,
        logger=logger,
        text=text,
        traceback=traceback,
        owner=owner,
        count=count,
        until=None if until is None else moment(until),
    )
    return StoredRecord(number=number, record=record)


def teach(db: sqlite3.Connection) -> None:
    """Give a connection the functions that the queries use."""
    db.create_function("folded", 1, str.casefold, deterministic=True)
    db.create_function("fits", 2, _fits, deterministic=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Matching records in order.

    Attributes:
        records: The ones.
        is_cut: There are more, which did not fit into a reply; at the end that is farther from
            what was asked.
    """

    records: list[StoredRecord]
    is_cut: bool


def select(db: sqlite3.Connection, query: LogQuery, *, by_number: bool) -> Page:
    """Return matching records of one file, at most ``limit`` and what fits a reply.

    Args:
        db: A connection that was taught.
        query: Which.
        by_number: In order of arrival instead of time; "newest" follows it.
    """
    where, values = _condition(query)
    order = "number" if by_number else "time, number"
    if query.newest:
        order = ", ".join(f"{name} DESC" for name in order.split(", "))
    sql = f"SELECT number, {COLUMNS} FROM record WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608 (fixed texts only)
    cursor = db.execute(sql, (*values, query.limit))
    records, is_cut = take_fitting(record_of(number, row) for number, *row in cursor)
    return Page(records=records[::-1] if query.newest else records, is_cut=is_cut)


def take_fitting(records: Iterable[StoredRecord]) -> tuple[list[StoredRecord], bool]:
    """Return the first of some records, as many as fit into a reply, and whether there are more.

    One always fits.
    """
    room = REPLY_BYTES
    taken: list[StoredRecord] = []
    for each in records:
        record = each.record
        room -= 4 * (len(record.text) + len(record.traceback)) + _OVERHEAD
        if room < 0 and taken:
            return taken, True
        taken.append(each)
    return taken, False


def _condition(query: LogQuery) -> tuple[str, list[object]]:
    parts: list[tuple[str, list[object]]] = [("number > ?", [query.after])]
    least = LEVEL_NUMBERS[query.level]
    parts.append(("level >= ?", [least]))
    if least >= SEVERE:
        # Said with the constant of the index, else it is not used.
        parts.append((f"level >= {SEVERE}", []))
    if query.since is not None:
        since = microseconds(query.since)
        parts.append(("time >= ?", [since]))
        if query.beyond:
            parts.append(("(time > ? OR number > ?)", [since, query.beyond]))
    if query.until is not None:
        parts.append(("time < ?", [microseconds(query.until)]))
    parts += _globs("component", query.components) + _globs("logger", query.loggers)
    parts += _globs("owner", [query.owner] if query.owner else [])
    if query.text:
        parts.append(_contains(query.text))
    return " AND ".join(text for text, _ in parts), [value for _, each in parts for value in each]


def _contains(text: str) -> tuple[str, list[object]]:
    """Return what finds a text regardless of case, in any alphabet, without wildcards."""
    folded = text.casefold()
    exactly = "instr(folded(text), ?) > 0"
    if not text.isascii() or len(text) > _LONGEST_LIKE:
        return exactly, [folded]
    # LIKE is much faster, but folds ASCII only: it is for texts that have nothing else.
    plain = "".join(f"\\{each}" if each in "%_\\" else each for each in text)
    is_plain = "length(text) = length(CAST(text AS BLOB))"
    return (
        f"CASE WHEN {is_plain} THEN text LIKE ? ESCAPE '\\' ELSE {exactly} END",
        [f"%{plain}%", folded],
    )


def _globs(column: str, globs: Iterable[str]) -> list[tuple[str, list[object]]]:
    wanted = list(globs)
    if not wanted or "*" in wanted:
        # An owner is asked for: who has none is not meant.
        return [(f"{column} <> ''", [])] if column == "owner" and wanted else []
    each = [f"{column} = ?" if not _WILD & set(glob) else f"fits(?, {column})" for glob in wanted]
    is_owned = " AND owner <> ''" if column == "owner" else ""
    return [(f"({' OR '.join(each)}){is_owned}", list(wanted))]


@lru_cache(maxsize=8192)
def _fits(glob: str, text: str) -> bool:
    return match_text(glob, text)
