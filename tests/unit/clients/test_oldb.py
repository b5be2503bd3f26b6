"""The writer of the online database, together with one that may be away or begun anew."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from typing_extensions import override

from idl_like_interfaces.clients import OldbWriter
from idl_like_interfaces.clients.oldb_values import as_component, check_key, plain_value
from idl_like_interfaces.errors import BadParam, OutcomeUnknown, Transient
from idl_like_interfaces.oldb import DataWrite, InvalidKey, OnlineDatabase, Quality, WriteReply
from objects.oldb.database import Database
from objects.oldb.servant import OldbServant
from objects.oldb.store import SqliteOldbStore
from tests.support.eventually import eventually
from tests.support.site import FakeSite

PATIENCE_S = 30.0
NIGHT = datetime(2026, 3, 1, 22, 0, 0, tzinfo=UTC)


class Line:
    """What a writer calls: the present database, or nobody; notes the batches."""

    def __init__(self, database: OnlineDatabase | None) -> None:
        self.database = database
        self.batches: list[list[DataWrite]] = []
        self.loses_replies = False
        self.gate: threading.Event | None = None

    def write(self, source: str, incarnation: str, points: list[DataWrite]) -> WriteReply:
        if self.gate is not None:
            self.gate.wait(PATIENCE_S)
        if self.database is None:
            raise Transient("nobody is there")
        if points:
            self.batches.append(points)
        reply = self.database.write(source, incarnation, points)
        if self.loses_replies:
            raise OutcomeUnknown("the reply is lost")
        return reply


class Refusing(OldbServant):
    """Refuses one key for a reason of its own."""

    @override
    def write(self, source: str, incarnation: str, points: list[DataWrite]) -> WriteReply:
        if any(each.key == "a/bad" for each in points):
            raise BadParam("not that one", field="points")
        return super().write(source, incarnation, points)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Databases]:
    made = Databases(tmp_path)
    yield made
    made.close()


class Databases:
    """Makes databases, each begun anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stores: list[SqliteOldbStore] = []

    def make(self, kind: type[OldbServant] = OldbServant) -> OldbServant:
        site = FakeSite(self._folder)
        site.clock.advance(len(self._stores))
        file = self._folder / f"{len(self._stores)}.sqlite"
        self._stores.append(SqliteOldbStore(file, site.clock))
        return kind(Database(site, self._stores[-1], 100_000))

    def close(self) -> None:
        for each in self._stores:
            each.close()


def writer(line: Line, **options: Any) -> OldbWriter:
    return OldbWriter(cast("OnlineDatabase", line), "obs/ocm", "i1", now=lambda: NIGHT, **options)


def stored(database: OnlineDatabase) -> dict[str, Any]:
    return {each.key: each.value for each in database.read_all().points}


def test_values_are_written_in_batches(folder: Databases) -> None:
    """With source, incarnation, time and quality; what is removed is gone."""
    database = folder.make()
    line = Line(database)
    with writer(line, window_s=PATIENCE_S) as writing:
        writing.write("ocm/a", 1)
        writing.write("ocm/b", {"x": [1, None]}, Quality.BAD)
        writing.write("ocm/c", 3)
        writing.remove("ocm/c")
        assert writing.flush(PATIENCE_S)
    assert stored(database) == {"ocm/a": 1, "ocm/b": {"x": [1, None]}}
    assert [len(batch) for batch in line.batches] == [3]
    found = database.read("ocm/b")
    assert (found.source, found.incarnation, found.time) == ("obs/ocm", "i1", NIGHT)
    assert found.quality is Quality.BAD


def test_writing_never_waits_and_only_the_newest_does(folder: Databases) -> None:
    """While the database is away; when it is back it gets each key once."""
    database = folder.make()
    line = Line(None)
    with writer(line) as writing:
        for number in range(5000):
            writing.write(f"ocm/{number % 10}", number)
        eventually(lambda: writing.is_away)
        assert writing.waiting == 10
        line.database = database
        assert writing.flush(PATIENCE_S)
    assert sum(len(batch) for batch in line.batches) == 10
    assert stored(database) == {f"ocm/{at}": 4990 + at for at in range(10)}
    assert writing.dropped == 0


def test_a_value_that_changes_on_its_way_is_sent_again(folder: Databases) -> None:
    """What was acknowledged meanwhile is the older one."""
    database = folder.make()
    line = Line(database)
    line.gate = threading.Event()
    with writer(line, window_s=0.0) as writing:
        writing.write("ocm/a", "old")
        writing.write("ocm/a", "new")
        line.gate.set()
        assert writing.flush(PATIENCE_S)
    assert stored(database) == {"ocm/a": "new"}


def test_a_lost_reply_does_no_harm(folder: Databases) -> None:
    """The batch is repeated; a repeated one changes nothing."""
    database = folder.make()
    line = Line(database)
    line.loses_replies = True
    with writer(line) as writing:
        writing.write("ocm/a", 1)
        eventually(lambda: len(line.batches) >= 2)
        line.loses_replies = False
        assert writing.flush(PATIENCE_S)
    assert database.get_stats().revision == database.get_stats().base + 1


def test_a_database_that_was_begun_anew_is_filled_again(folder: Databases) -> None:
    """Without any new value: the writer looks after it; removed keys stay away."""
    first, second = folder.make(), folder.make()
    line = Line(first)
    with writer(line, check_s=0.05) as writing:
        for name in "abc":
            writing.write(f"ocm/{name}", name)
        writing.remove("ocm/b")
        assert writing.flush(PATIENCE_S)
        line.database = second
        eventually(lambda: stored(second) == {"ocm/a": "a", "ocm/c": "c"})


def test_a_database_that_was_put_back_is_filled_again(folder: Databases) -> None:
    """Its newest change is older than what it said before."""
    database = folder.make()

    class Older(Line):
        revision = 0

        @override
        def write(self, source: str, incarnation: str, points: list[DataWrite]) -> WriteReply:
            reply = super().write(source, incarnation, points)
            return WriteReply(base=reply.base, revision=self.revision or reply.revision)

    line = Older(database)
    with writer(line, check_s=0.05) as writing:
        writing.write("ocm/a", 1)
        assert writing.flush(PATIENCE_S)
        line.revision = database.get_stats().base
        eventually(lambda: len(line.batches) >= 2)


def test_one_that_is_refused_does_not_hold_up_the_others(folder: Databases) -> None:
    """They are tried one by one, and the refused one is counted."""
    database = folder.make(Refusing)
    with writer(Line(database)) as writing:
        for name in ("good", "bad", "better"):
            writing.write(f"a/{name}", name)
        assert writing.flush(PATIENCE_S)
        assert writing.dropped == 1
    assert stored(database) == {"a/good": "good", "a/better": "better"}


@pytest.mark.parametrize("bound", [{"most_keys": 10}, {"most_bytes": 2000}])
def test_what_is_kept_is_bounded(folder: Databases, bound: dict[str, int]) -> None:
    """Of too many keys that wait the oldest are lost, and counted."""
    database = folder.make()
    line = Line(None)
    with writer(line, **bound) as writing:
        for number in range(100):
            writing.write(f"ocm/{number:02}", number)
        assert writing.waiting <= 10
        assert writing.dropped == 100 - writing.waiting >= 90
        line.database = database
        assert writing.flush(PATIENCE_S)
        assert stored(database)["ocm/99"] == 99
        before = writing.dropped
        for number in range(100):
            writing.write(f"dpm/{number:02}", number)
            assert writing.flush(PATIENCE_S)
        assert writing.dropped == before  # what the database has may be forgotten


def test_it_ends_at_once_when_nobody_is_there() -> None:
    """The end of a component waits for no database that does not answer."""
    writing = writer(Line(None))
    writing.write("ocm/a", 1)
    eventually(lambda: writing.is_away)
    begun = datetime.now(UTC)
    writing.close(PATIENCE_S)
    assert (datetime.now(UTC) - begun).total_seconds() < PATIENCE_S / 2
    writing.write("ocm/b", 1)
    assert writing.waiting == 1


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, object(), {1: 2}, "\ud800", {"\ud800": 1}, 2**63, 1j, Path("/")],
    ids=lambda value: "object" if type(value) is object else repr(value),  # the same in each run
)
def test_what_cannot_travel_is_refused_at_the_call(value: Any) -> None:
    """So that one mistake does not spoil a batch."""
    with writer(Line(None)) as writing:
        with pytest.raises(BadParam, match="cannot travel"):
            writing.write("ocm/a", value)
        assert writing.waiting == 0


def test_values_have_bounds() -> None:
    """In size and in depth."""
    with pytest.raises(BadParam, match="the most are 65536"):
        plain_value("x" * 65_536)
    deep: list[Any] = []
    for _ in range(40):
        deep = [deep]
    with pytest.raises(BadParam, match="32 levels"):
        plain_value(deep)


def test_what_is_no_key_is_refused_at_the_call() -> None:
    """For a value and for a removal."""
    with writer(Line(None)) as writing:
        with pytest.raises(InvalidKey):
            writing.write("ocm//a", 1)
        with pytest.raises(InvalidKey):
            writing.remove("ocm/*")


def test_any_text_becomes_a_component_of_a_key() -> None:
    """What may not stand there is replaced."""
    for text in ("", "a b/c", "ok-1.2:3+4~", "望"):
        check_key(as_component(text))
    assert as_component("a b/c") == "a_b_c"
    assert as_component("ok-1.2:3+4~") == "ok-1.2:3+4~"
