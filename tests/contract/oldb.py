"""What every implementation of ``OnlineDatabase`` does, whatever carries it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.oldb import (
    DataWrite,
    InvalidKey,
    KeyNode,
    NoSuchKey,
    OnlineDatabase,
    Quality,
)

NIGHT = datetime(2026, 3, 1, 22, 0, 0, tzinfo=UTC)

WRONG_KEYS = ["", "/", "/a", "a/", "a//b", "a b", "a/*", "a?", "ä", "a\n", "a" * 251]


def write(key: str, value: Any = 1, second: float = 0.0, **more: Any) -> DataWrite:
    """Return a write of a value, so many seconds after the night began."""
    return DataWrite(key=key, value=value, time=NIGHT + timedelta(seconds=second), **more)


def removal(key: str, second: float = 0.0, **more: Any) -> DataWrite:
    """Return a write that removes a key."""
    return write(key, None, second, is_removed=True, **more)


def keys(database: OnlineDatabase, *filters: str) -> list[str]:
    """Return the keys that match."""
    return [each.key for each in database.read_all(list(filters) or ["**"]).points]


class OnlineDatabaseContract:
    """Inherit it and give the fixture ``database``."""

    @pytest.fixture
    def database(self) -> Iterator[OnlineDatabase]:
        """Yield an empty database."""
        raise NotImplementedError

    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            7,
            -(2**62),
            1.5,
            "Öffnen 望遠鏡",
            [1, [2]],
            {"a": {"b": [None]}},
            "x" * 60_000,
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_a_value_comes_back_as_it_was(self, database: OnlineDatabase, value: Any) -> None:
        """With who wrote it, when, and how far it may be trusted."""
        made = write("ocm/cfg/x.y:z+1~", value, 0.123456, quality=Quality.BAD)
        reply = database.write("obs/ocm", "i1", [made])
        found = database.read("ocm/cfg/x.y:z+1~")
        assert found.value == value
        assert type(found.value) is type(value)
        assert (found.time, found.quality) == (made.time, Quality.BAD)
        assert (found.source, found.incarnation) == ("obs/ocm", "i1")
        assert found.revision == reply.revision > reply.base

    def test_revisions_grow_with_each_change(self, database: OnlineDatabase) -> None:
        """Also within one batch, in its order."""
        before = database.write("obs/ocm", "i1", [])
        reply = database.write("obs/ocm", "i1", [write("a"), write("b"), write("a", 2, 1)])
        assert database.read("b").revision == before.revision + 1
        assert database.read("a").revision == before.revision + 2 == reply.revision
        assert database.read("a").value == 2

    def test_an_older_value_is_passed_over(self, database: OnlineDatabase) -> None:
        """A repeated or late call changes nothing, so that it may be repeated."""
        database.write("obs/ocm", "i1", [write("a", "new", 5)])
        before = database.read("a")
        database.write("obs/ocm", "i1", [write("a", "old", 4)])
        database.write("obs/ocm", "i1", [write("a", "new", 5)])
        assert database.read("a") == before

    def test_a_number_counts_more_than_a_clock(self, database: OnlineDatabase) -> None:
        """Of two numbered writes the higher is newer, although its clock was set back."""
        database.write("obs/ocm", "i1", [write("a", "first", 3600, number=1)])
        database.write("obs/ocm", "i1", [write("a", "second", 0, number=2)])
        database.write("obs/ocm", "i1", [write("a", "late", 7200, number=1)])
        assert database.read("a").value == "second"

    def test_a_new_start_of_a_source_wins(self, database: OnlineDatabase) -> None:
        """Although its clock and its numbers are smaller; and its predecessor is heard no more."""
        database.write("obs/ocm", "i1", [write("a", "before", 3600, number=99)])
        database.write("obs/ocm", "i2", [write("a", "after", 0, number=1)])
        database.write("obs/ocm", "i1", [write("a", "ghost", 7200, number=100)])
        assert database.read("a").value == "after"

    def test_who_writes_last_has_the_key(self, database: OnlineDatabase) -> None:
        """Times of different sources are not compared."""
        database.write("obs/ocm", "i1", [write("a", "ocm", 10)])
        database.write("obs/dpm", "i1", [write("a", "dpm", 5)])
        assert database.read("a").source == "obs/dpm"

    def test_a_key_is_removed(self, database: OnlineDatabase) -> None:
        """By a write, which a late one does not undo, but a newer does."""
        database.write("obs/ocm", "i1", [write("a", 1, 1)])
        database.write("obs/ocm", "i1", [removal("a", 3), removal("never", 3)])
        with pytest.raises(NoSuchKey) as caught:
            database.read("a")
        assert caught.value.key == "a"
        assert "oldb ls" in caught.value.remedy
        database.write("obs/ocm", "i1", [write("a", "late", 2)])
        assert keys(database) == []
        database.write("obs/ocm", "i1", [write("a", "again", 4)])
        assert database.read("a").value == "again"
        assert database.get_stats().keys == 1

    def test_keys_are_removed_by_filters(self, database: OnlineDatabase) -> None:
        """It tells how many there were; late writes do not bring them back."""
        writes = [write(f"dpm/daq/{at}/state", at) for at in range(5)]
        database.write("obs/dpm", "i1", [*writes, write("dpm/state")])
        assert database.remove(["dpm/daq/**"]) == 5
        assert database.remove(["dpm/daq/**"]) == 0
        database.write("obs/dpm", "i1", writes)
        assert keys(database) == ["dpm/state"]
        assert database.get_stats().keys == 1

    @pytest.mark.parametrize("key", WRONG_KEYS)
    def test_what_is_no_key_is_refused(self, database: OnlineDatabase, key: str) -> None:
        """One of them refuses the whole batch."""
        with pytest.raises(InvalidKey) as caught:
            database.write("obs/ocm", "i1", [write("well"), write(key)])
        assert caught.value.cause
        with pytest.raises(InvalidKey):
            database.read(key)
        assert keys(database) == []

    def test_a_value_that_is_too_large_is_refused(self, database: OnlineDatabase) -> None:
        """The most are 64 KiB as JSON."""
        with pytest.raises(BadParam, match="the most are 65536"):
            database.write("obs/ocm", "i1", [write("a", "x" * 65_535)])
        assert keys(database) == []

    @pytest.mark.parametrize("number", [-1, 2**53 + 1])
    def test_numbers_out_of_range_are_refused(self, database: OnlineDatabase, number: int) -> None:
        """Over the wire at once; they could not be stored everywhere."""
        with pytest.raises(BadParam):
            database.write("obs/ocm", "i1", [_unchecked(write("a"), number)])

    @pytest.mark.parametrize("time", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
    def test_a_time_that_nobody_could_read_back_is_refused(
        self, database: OnlineDatabase, time: str
    ) -> None:
        """It would make every later reading fail."""
        odd = replace(write("a"), time=datetime.fromisoformat(time))
        with pytest.raises(BadParam) as caught:
            database.write("obs/ocm", "i1", [write("well"), odd])
        assert caught.value.field == "points[1].time"
        assert keys(database) == []

    @pytest.mark.parametrize("source", ["", "s" * 256])
    def test_a_source_has_a_name(self, database: OnlineDatabase, source: str) -> None:
        """Of 1 to 255 characters."""
        with pytest.raises(BadParam) as caught:
            database.write(source, "i1", [write("a")])
        assert caught.value.field == "source"

    def test_filters_choose_keys(self, database: OnlineDatabase) -> None:
        """As topics are chosen; each key comes once, sorted."""
        names = ["dpm/state", "ocm/cfg/dpm/uri", "ocm/cfg/id", "ocm/state", "ocm"]
        database.write("obs/x", "i1", [write(name) for name in names])
        assert keys(database) == sorted(names)
        assert keys(database, "*/state") == ["dpm/state", "ocm/state"]
        assert keys(database, "ocm/**") == ["ocm", "ocm/cfg/dpm/uri", "ocm/cfg/id", "ocm/state"]
        assert keys(database, "ocm/cfg/*", "ocm/*/id") == ["ocm/cfg/id"]
        assert keys(database, "ocm/state", "dpm/state") == ["dpm/state", "ocm/state"]
        assert keys(database, "oc?/st*") == ["ocm/state"]
        assert keys(database, "none/**") == []

    @pytest.mark.parametrize("filters", [[], [""], ["a//b"], ["a/b**"], ["a b"], ["**", "/"]])
    def test_a_malformed_filter_is_refused(
        self, database: OnlineDatabase, filters: list[str]
    ) -> None:
        """For reading and for removing."""
        with pytest.raises(InvalidKey):
            database.read_all(filters)
        with pytest.raises(InvalidKey):
            database.remove(filters)

    @pytest.mark.parametrize("limit", [0, -1, 10_001])
    def test_a_limit_out_of_range_is_refused(self, database: OnlineDatabase, limit: int) -> None:
        """The refusal names the field."""
        with pytest.raises(BadParam) as caught:
            database.read_all(["**"], "", limit)
        assert caught.value.field == "limit"

    def test_pages_follow_each_other(self, database: OnlineDatabase) -> None:
        """Each key once, in order; the last page says that it is the last."""
        names = [f"a/{at:03}" for at in range(25)]
        database.write("obs/x", "i1", [write(name) for name in names])
        found, after = [], ""
        while True:
            page = database.read_all(["a/*"], after, 10)
            found += [each.key for each in page.points]
            assert len(page.points) in (10, 5)
            if not page.after:
                break
            after = page.after
        assert found == names

    def test_a_page_fits_into_a_message(self, database: OnlineDatabase) -> None:
        """Large values make short pages; nothing is left out."""
        for at in range(60):
            database.write("obs/x", "i1", [write(f"a/{at:02}", "x" * 60_000)])
        first = database.read_all(["a/*"])
        assert 1 <= len(first.points) < 60
        rest = database.read_all(["a/*"], first.after)
        assert len(first.points) + len(rest.points) == 60

    def test_the_tree_is_walked(self, database: OnlineDatabase) -> None:
        """Each level tells what is a value and how much stands below."""
        names = ["ocm", "ocm/cfg/a", "ocm/cfg/b/c", "ocm/state", "ocm-2/state"]
        database.write("obs/x", "i1", [write(name) for name in names])
        assert database.children() == [
            KeyNode(name="ocm", is_value=True, below=3),
            KeyNode(name="ocm-2", is_value=False, below=1),
        ]
        assert database.children("ocm") == [
            KeyNode(name="cfg", is_value=False, below=2),
            KeyNode(name="state", is_value=True, below=0),
        ]
        for nothing in ("ocm/state", "none"):
            with pytest.raises(NoSuchKey):
                database.children(nothing)

    def test_an_empty_root_is_no_error(self, database: OnlineDatabase) -> None:
        """Nothing need stand in a database."""
        assert database.children() == []
        assert database.read_all().points == []

    def test_the_statistics_tell_what_is_stored(self, database: OnlineDatabase) -> None:
        """Keys in all and of each source, and the newest revision."""
        empty = database.get_stats()
        assert (empty.keys, empty.by_source, empty.problem) == (0, {}, "")
        reply = database.write("obs/ocm", "i1", [write("a"), write("b")])
        database.write("obs/dpm", "i1", [write("b", 2)])
        stats = database.get_stats()
        assert (stats.keys, stats.by_source) == (2, {"obs/dpm": 1, "obs/ocm": 1})
        assert stats.revision == reply.revision + 1
        assert stats.base == reply.base == empty.base
        assert stats.bytes > 0
        assert (stats.mirror, stats.mirror_behind) == ("", 0)


def _unchecked(write: DataWrite, number: int) -> DataWrite:
    """Return a write with a number that its declaration does not allow."""
    return replace(write, number=number)
