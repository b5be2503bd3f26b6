"""The watcher of the online database, through restarts of database and channel."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from typing_extensions import override

from idl_like_interfaces.clients import EventSupplier, OldbWatcher
from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.oldb import DataPoint, InvalidKey, OnlineDatabase
from objects.messaging.channel import EventChannelServant
from objects.oldb.database import Database
from objects.oldb.servant import OldbServant
from objects.oldb.store import SqliteOldbStore
from tests.contract.oldb import removal, write
from tests.support.eventually import eventually
from tests.support.site import FakeSite

PATIENCE_S = 30.0


class Line:
    """A stub as a test sees it: calls who is there now, or fails."""

    def __init__(self, servant: object | None) -> None:
        self.servant = servant

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: object) -> object:
            if self.servant is None:
                raise Transient("nobody is there")
            return getattr(self.servant, name)(*args)

        return call


class PublishingSite(FakeSite):
    """Really publishes into a channel, which may be away."""

    supplier: EventSupplier

    @override
    def publish(self, topic: str, body: Value, *_: Any) -> None:
        self.supplier.publish(topic, body)


class Installation:
    """A channel and a database that can be restarted, and begun anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = 0
        self._files = 0
        self.site = PublishingSite(folder, name="oldb")
        self.channel, self.database = Line(None), Line(None)
        self._suppliers: list[EventSupplier] = []
        self.start_channel()
        self.start_database()

    def start_channel(self) -> None:
        self._starts += 1
        self.channel.servant = EventChannelServant(f"20260301T00000{self._starts}-00000001")

    def start_database(self, *, anew: bool = False) -> None:
        self._starts += 1
        self._files += int(anew)
        self.site.clock.advance(-5.0 if anew else 1.0)
        channel = cast("EventChannel", self.channel)
        self.site.supplier = EventSupplier(channel, "obs/oldb", f"i{self._starts}")
        self._suppliers.append(self.site.supplier)
        file = self._folder / f"{self._files}.sqlite"
        self.store = SqliteOldbStore(file, self.site.clock)
        self.at_work = Database(self.site, self.store, 10_000)
        self.database.servant = OldbServant(self.at_work)
        self.at_work.proclaim()

    def stop_database(self, *, abruptly: bool = False) -> None:
        self.database.servant = None
        self.store.close()
        if not abruptly:
            self.site.supplier.flush(PATIENCE_S)

    def write(self, *points: Any) -> None:
        self.at_work.write("obs/ocm", "i1", points)

    def watch(self, *filters: str, check_s: float = 0.05) -> OldbWatcher:
        return OldbWatcher(
            cast("OnlineDatabase", self.database),
            cast("EventChannel", self.channel),
            list(filters) or ["**"],
            name="watcher",
            check_s=check_s,
        )

    def close(self) -> None:
        for each in self._suppliers:
            each.close(0.1)
        self.store.close()
        if isinstance(self.channel.servant, EventChannelServant):
            self.channel.servant.close()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.close()


def read_until(watcher: OldbWatcher, is_enough: Callable[[], bool]) -> list[DataPoint]:
    """Read until the watcher knows enough; return what it told."""
    told: list[DataPoint] = []
    until = time.monotonic() + PATIENCE_S
    while not is_enough():
        assert time.monotonic() < until, f"not in time; it knows {watcher.known}, told {told}"
        told += watcher.read(0.1)
    return told


def values(watcher: OldbWatcher) -> dict[str, Any]:
    return {key: point.value for key, point in watcher.known.items()}


def test_first_comes_what_is_there_then_each_change(installation: Installation) -> None:
    """Only what matches; removals too."""
    installation.write(write("a/x", 1), write("b/x", 2))
    with installation.watch("a/**") as watcher:
        (first,) = watcher.read(PATIENCE_S)
        assert (first.key, first.value, watcher.is_complete) == ("a/x", 1, True)
        installation.write(write("b/y"), write("a/y", 3))
        (second,) = watcher.read(PATIENCE_S)
        assert (second.key, second.value) == ("a/y", 3)
        installation.write(removal("a/x", 1))
        (third,) = watcher.read(PATIENCE_S)
        assert (third.key, third.is_removed) == ("a/x", True)
        assert values(watcher) == {"a/y": 3}
        assert not watcher.is_blind


def test_nothing_is_told_twice_over_a_restart_of_the_database(installation: Installation) -> None:
    """Although it publishes everything again; what changed after it is told."""
    installation.write(write("a", 1), write("b", 1))
    with installation.watch() as watcher:
        read_until(watcher, lambda: len(watcher.known) == 2)
        installation.write(write("b", 2, 1))
        read_until(watcher, lambda: values(watcher)["b"] == 2)
        installation.stop_database()
        installation.start_database()
        installation.write(write("c", 1))
        told = read_until(watcher, lambda: "c" in watcher.known)
        assert [each.key for each in told] == ["c"]


def test_a_database_that_was_begun_anew_is_read_anew(installation: Installation) -> None:
    """Although its clock was set back, so that its revisions are smaller."""
    installation.write(write("a", 1), write("b", 1))
    with installation.watch() as watcher:
        read_until(watcher, lambda: len(watcher.known) == 2)
        before = watcher.known["b"].revision
        installation.stop_database()
        installation.start_database(anew=True)
        installation.write(write("b", 2))
        assert installation.store.revision < before
        read_until(watcher, lambda: values(watcher) == {"b": 2})


def test_a_restarted_channel_leaves_no_hole(installation: Installation) -> None:
    """What it lost is read from the database; only differences are told."""
    installation.write(write("a", 1), write("b", 1))
    with installation.watch() as watcher:
        read_until(watcher, lambda: len(watcher.known) == 2)
        installation.channel.servant = None
        installation.write(write("b", 2, 1), removal("a", 1))
        installation.start_channel()
        told = read_until(watcher, lambda: values(watcher) == {"b": 2})
        assert [each.key for each in told] == ["a", "b"]
        assert told[0].is_removed


def test_it_begins_before_anything_is_there(tmp_path: Path) -> None:
    """It is not complete until it has seen the database."""
    installation = Installation(tmp_path)
    servant, installation.database.servant = installation.database.servant, None
    with installation.watch() as watcher:
        assert watcher.read(0.2) == []
        assert not watcher.is_complete
        installation.database.servant = servant
        read_until(watcher, lambda: watcher.is_complete)
    installation.close()


@pytest.mark.parametrize("who", ["database", "channel"])
def test_it_knows_that_it_is_blind(installation: Installation, who: str) -> None:
    """Channel or database have not answered for three seconds; and it sees again."""
    installation.write(write("a", 1))
    with installation.watch() as watcher:
        read_until(watcher, lambda: "a" in watcher.known)
        line: Line = getattr(installation, who)
        servant, line.servant = line.servant, None
        begun = time.monotonic()
        while not watcher.is_blind:
            watcher.read(0.1)
            assert time.monotonic() - begun < PATIENCE_S
        assert time.monotonic() - begun > 1.0
        line.servant = servant
        read_until(watcher, lambda: not watcher.is_blind)


def test_a_malformed_filter_is_refused(installation: Installation) -> None:
    """At once."""
    with pytest.raises(InvalidKey):
        installation.watch("a//b")


def test_closing_ends_a_read(installation: Installation) -> None:
    """That waits in another thread."""
    watcher = installation.watch()
    reading = threading.Thread(target=watcher.read, args=(PATIENCE_S,))
    reading.start()
    eventually(lambda: watcher.is_complete)
    watcher.close()
    reading.join(PATIENCE_S)
    assert not reading.is_alive()


@pytest.mark.parametrize("seed", range(3))
def test_it_knows_what_is_there_whatever_happens(tmp_path: Path, seed: int) -> None:
    """Random writes and restarts; nothing comes twice, revisions of a key only grow."""
    chance = random.Random(seed)
    installation = Installation(tmp_path)
    newest: dict[str, int] = {}

    def read(watcher: OldbWatcher) -> None:
        for each in watcher.read(0.01):
            assert each.revision > newest.get(each.key, 0)
            newest[each.key] = each.revision

    with installation.watch() as watcher:
        for step in range(60):
            match chance.randrange(8):
                case 0:
                    installation.channel.servant = None
                    installation.start_channel()
                case 1:
                    installation.stop_database(abruptly=chance.random() < 0.5)
                    installation.start_database()
                case 2:
                    installation.write(removal(f"k/{chance.randrange(20)}", step))
                case _:
                    keys = chance.sample(range(20), 3)
                    installation.write(*(write(f"k/{key}", step, step) for key in keys))
            read(watcher)
        wanted = {each.key: each for each in installation.store.page("", "", 100)}

        def is_whole() -> bool:
            read(watcher)
            return {key: each.value for key, each in watcher.known.items()} == {
                key: each.as_point().value for key, each in wanted.items()
            }

        eventually(is_whole, f"{watcher.known} becomes {wanted}")
    installation.close()
