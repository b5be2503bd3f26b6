"""What several files of a log store say together: records in one order, figures added up."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from idl_like_interfaces.logs import LEVEL_NUMBERS, LogLevel, LogQuery, LogStats, StoredRecord
from objects.messaging.log_file import Contents, LogFile
from objects.messaging.log_folder import is_damage
from objects.messaging.log_select import take_fitting

_LEVELS = {number: level for level, number in LEVEL_NUMBERS.items()}

OnDamage: TypeAlias = Callable[[LogFile, sqlite3.Error], None]
_Held: TypeAlias = tuple[LogFile, Contents]

NEVER = datetime.min.replace(tzinfo=UTC)


def merged(
    files: Sequence[LogFile], query: LogQuery, *, by_number: bool, on_damage: OnDamage
) -> list[StoredRecord]:
    """Return the matching records of all files, at most ``limit`` and what fits a reply.

    Args:
        files: By number, oldest first.
        query: Which.
        by_number: In order of arrival instead of time.
        on_damage: Is given a file that turns out to be damaged; the others are read all the same.
    """
    search = _Search(query, on_damage, by_number=by_number)
    for file, held in search.order([(each, each.contents()) for each in files]):
        if search.is_done(held):
            break
        search.into(file)
    return search.found


class _Search:
    """Looks into files, the most promising first, until the rest can add nothing."""

    def __init__(self, query: LogQuery, on_damage: OnDamage, *, by_number: bool) -> None:
        self._query = query
        self._on_damage = on_damage
        self._by_number = by_number
        self._is_cut = False
        self.found: list[StoredRecord] = []

    def order(self, files: list[_Held]) -> list[_Held]:
        """Return the files that may have something, in the order to look into them."""
        wanted = [(file, held) for file, held in files if self._may_have(held)]
        if not self._by_number:
            wanted.sort(key=self._end)
        return wanted[::-1] if self._query.newest else wanted

    def _end(self, file: _Held) -> datetime:
        _, held = file
        return (held.newest if self._query.newest else held.oldest) or NEVER

    def _may_have(self, held: Contents) -> bool:
        query = self._query
        if held.oldest is None or held.newest is None or held.last <= query.after:
            return False
        is_too_old = query.since is not None and held.newest < query.since
        return not is_too_old and (query.until is None or held.oldest < query.until)

    def is_done(self, held: Contents) -> bool:
        """Tell whether neither this file nor those behind it can add anything."""
        if not self._is_cut and len(self.found) < self._query.limit:
            return False
        if self._by_number:
            return True
        if self._query.newest:
            return (held.newest or NEVER) < self.found[0].record.time
        return (held.oldest or NEVER) > self.found[-1].record.time

    def into(self, file: LogFile) -> None:
        """Add what a file has."""
        try:
            page = file.select(self._query, by_number=self._by_number)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            self._on_damage(file, error)
            return
        # Behind the place where something was cut, nothing may follow: what lies between is missing.
        more = self._not_behind(self.found, page.records) if self._is_cut else page.records
        known = self._not_behind(page.records, self.found) if page.is_cut else self.found
        records = sorted([*known, *more], key=self._key)
        if self._query.newest:
            records.reverse()
        self.found, is_cut = take_fitting(records[: self._query.limit])
        self._is_cut = self._is_cut or page.is_cut or is_cut or len(self.found) < len(records)
        if self._query.newest:
            self.found.reverse()

    def _not_behind(
        self, cut: list[StoredRecord], records: list[StoredRecord]
    ) -> list[StoredRecord]:
        """Return those of some records that are not behind the end of a list that was cut."""
        if self._query.newest:
            return [each for each in records if self._key(each) >= self._key(cut[0])]
        return [each for each in records if self._key(each) <= self._key(cut[-1])]

    def _key(self, each: StoredRecord) -> tuple[datetime, int]:
        return (NEVER if self._by_number else each.record.time), each.number


def stats_of(files: Sequence[LogFile], problem: str) -> LogStats:
    """Add up what files hold; the last one is the one that is written."""
    held = [each.contents() for each in files]
    by_level = dict.fromkeys((level.value for level in LogLevel), 0)
    by_component: dict[str, int] = {}
    folded = 0
    for each in held:
        for (component, level), (records, more) in each.tally.items():
            by_level[_LEVELS[level].value] += records
            by_component[component] = by_component.get(component, 0) + records
            folded += more
    return LogStats(
        records=sum(by_component.values()),
        last=held[-1].last,
        lost=held[-1].lost,
        by_level={level: count for level, count in by_level.items() if count},
        by_component=dict(sorted(by_component.items())),
        folded=folded,
        bytes=sum(each.size() for each in files),
        oldest=min((each.oldest for each in held if each.oldest is not None), default=None),
        removed=held[0].before,
        problem=problem,
    )
