"""The servant of ``OnlineDatabase``: checks what comes, pages what goes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Protocol

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.clients.oldb_values import check_key, plain_value
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.oldb import (
    DataPage,
    DataPoint,
    DataWrite,
    KeyNode,
    NoSuchKey,
    OldbStats,
    OnlineDatabase,
    WriteReply,
)
from objects.oldb.database import Database
from objects.oldb.filters import KeyFilters

MOST_POINTS = 10_000

REPLY_BYTES = 2 * 1024 * 1024
"""Values of one page at most."""

_PORTION = 500
_OVERHEAD = 300
_LONGEST_SOURCE = 255
_LARGEST_NUMBER = 2**53


class Mirrored(Protocol):
    """What is known of the mirror."""

    @property
    def address(self) -> str:
        """Where it is."""

    @property
    def behind(self) -> int:
        """Changes that it has not got yet."""

    @property
    def problem(self) -> str:
        """Why; empty: nothing is wrong."""


class OldbServant(OnlineDatabase):
    """The online database; any thread may call it."""

    def __init__(self, database: Database, mirror: Mirrored | None = None) -> None:
        self._database = database
        self._mirror = mirror

    @override
    def write(self, source: str, incarnation: str, points: list[DataWrite]) -> WriteReply:
        for field, text in (("source", source), ("incarnation", incarnation)):
            _check_name(text, field)
        checked = [_checked(each, place) for place, each in enumerate(points)]
        return self._database.write(source, incarnation, checked)

    @override
    def read(self, key: str) -> DataPoint:
        check_key(key)
        with self._database.reading() as store:
            found = store.find([key]).get(key)
        if found is None or found.is_removed:
            raise _unknown(key, f"nothing is written under {key}")
        return found.as_point()

    @override
    def read_all(
        self,
        filters: list[str] = ["**"],  # noqa: B006 (as declared; nobody changes it)
        after: str = "",
        limit: int = 1000,
    ) -> DataPage:
        wanted = KeyFilters(filters)
        if not 1 <= limit <= MOST_POINTS:
            raise BadParam(
                f"limit is {limit}, it must be from 1 to {MOST_POINTS}",
                field="limit",
                remedy="ask for fewer, and again with 'after' for more",
            )
        if after:
            check_key(after)
        with self._database.reading() as store:
            # Looked at before: all that the page shows is at least as new.
            page = DataPage(points=[], revision=store.revision, base=store.base)
            room = REPLY_BYTES
            while portion := store.page(after, wanted.prefix, _PORTION):
                for each in portion:
                    if not wanted.matches(each.key):
                        continue
                    room -= len(each.value) + _OVERHEAD
                    if page.points and (room < 0 or len(page.points) == limit):
                        return replace(page, after=page.points[-1].key)
                    page.points.append(each.as_point())
                after = portion[-1].key
        return page

    @override
    def children(self, prefix: str = "") -> list[KeyNode]:
        if prefix:
            check_key(prefix)
        with self._database.reading() as store:
            keys = store.below(prefix)
        if prefix and not keys:
            raise _unknown(prefix, f"nothing stands below {prefix}")
        return _nodes(key[len(prefix) + 1 if prefix else 0 :] for key in keys)

    @override
    def remove(self, filters: list[str]) -> int:
        return self._database.remove(KeyFilters(filters))

    @override
    def get_stats(self) -> OldbStats:
        mirror = self._mirror
        with self._database.reading() as store:
            stats = OldbStats(
                keys=store.keys,
                revision=store.revision,
                base=store.base,
                bytes=store.size(),
                by_source=store.by_source(),
                problem=self._database.problem,
            )
            if mirror is None:
                return stats
            return replace(
                stats,
                mirror=mirror.address,
                mirror_behind=mirror.behind,
                problem=stats.problem or mirror.problem,
            )


def _checked(write: DataWrite, place: int) -> DataWrite:
    check_key(write.key)
    try:
        write.time.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise BadParam(
            f"points[{place}].time is {write.time}, which is no time that can be read back",
            field=f"points[{place}].time",
            remedy="give a time of the years 1 to 9999, in UTC",
        ) from error
    if not 0 <= write.number <= _LARGEST_NUMBER:
        raise BadParam(
            f"points[{place}].number is {write.number}",
            field=f"points[{place}].number",
            remedy="count the writes of an incarnation from 1, or give 0",
        )
    if write.is_removed:
        return write
    return replace(write, value=plain_value(write.value))


def _check_name(text: str, field: str) -> None:
    if (not text and field == "source") or len(text) > _LONGEST_SOURCE:
        raise BadParam(
            f"{field} has {len(text)} characters",
            field=field,
            remedy=f"give at most {_LONGEST_SOURCE} characters; a source needs one at least",
        )


def _unknown(key: str, text: str) -> NoSuchKey:
    return NoSuchKey(
        text,
        key=key,
        cause="it is mistyped, or nobody has written it yet, or it was removed",
        remedy="see what there is with `obsorb oldb ls`",
    )


def _nodes(below: Iterable[str]) -> list[KeyNode]:
    """Return the first components of relative keys, and how many keys stand below each."""
    values: set[str] = set()
    counts: dict[str, int] = {}
    for key in below:
        name, _, rest = key.partition("/")
        counts.setdefault(name, 0)
        if rest:
            counts[name] += 1
        else:
            values.add(name)
    return [
        KeyNode(name=name, is_value=name in values, below=counts[name]) for name in sorted(counts)
    ]
