"""The database at work: publishes in order, judges silence, raises alarms, heals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.alarms import Severity
from idl_like_interfaces.announcements import ComponentState, Heartbeat
from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.oldb import DataPoint, Quality
from objects.oldb.database import NOT_WRITABLE, WAS_DAMAGED, Database
from objects.oldb.filters import KeyFilters
from objects.oldb.servant import OldbServant
from objects.oldb.store import SqliteOldbStore
from tests.contract.oldb import removal, write
from tests.support.site import FakeSite
from tests.unit.oldb.test_store import fill, make_room


class Running:
    """A database on a site where time stands still."""

    def __init__(self, folder: Path, most_keys: int = 1000) -> None:
        self.site = FakeSite(folder, name="oldb")
        self.file = folder / "oldb.sqlite"
        self.most_keys = most_keys
        self.open()

    def open(self) -> None:
        self.store = SqliteOldbStore(self.file, self.site.clock)
        self.database = Database(self.site, self.store, self.most_keys)
        self.servant = OldbServant(self.database)

    def restart(self) -> None:
        self.store.close()
        self.site.events.clear()
        self.open()

    def write(self, *points: Any, incarnation: str = "i1", source: str = "obs/ocm") -> None:
        self.servant.write(source, incarnation, list(points))

    def beat(self, state: ComponentState = ComponentState.RUNNING, incarnation: str = "i1") -> None:
        self.database.hear(
            Heartbeat(component="ocm", kind="ocm", incarnation=incarnation, state=state)
        )
        self.look()

    def look(self, *, sees: bool = True, after_s: float = 0.0) -> None:
        self.site.clock.advance(after_s)
        self.database.look(sees=sees)

    def quality(self, key: str) -> Quality:
        return self.servant.read(key).quality

    def published(self) -> list[DataPoint]:
        found = [body for _, body in self.site.events if isinstance(body, DataPoint)]
        assert [topic for topic, _ in self.site.events] == [f"oldb/{each.key}" for each in found]
        self.site.events.clear()
        return found


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    made.look()
    yield made
    made.store.close()


def test_changes_are_published_in_their_order(running: Running) -> None:
    """With their revisions, each once; what changes nothing is not."""
    running.write(write("b"), write("a"))
    running.write(write("a"))
    running.write(removal("b", 1))
    told = running.published()
    base = running.store.base
    assert [(each.key, each.revision - base) for each in told] == [("b", 1), ("a", 2), ("b", 3)]
    assert [each.is_removed for each in told] == [False, False, True]
    assert told[1] == running.servant.read("a")


def test_after_a_restart_everything_is_published_again(running: Running) -> None:
    """A crash may have come between storing and publishing."""
    running.write(write("a"), write("b"), write("c"))
    running.write(removal("b", 1))
    running.restart()
    running.database.proclaim()
    told = running.published()
    assert [(each.key, each.is_removed) for each in told] == [
        ("a", False),
        ("c", False),
        ("b", True),
    ]


def test_values_of_a_silent_source_are_suspect(running: Running) -> None:
    """Three seconds after the last heartbeat; others and doubted ones stay as they are."""
    running.beat()
    running.write(write("ocm/a"), write("ocm/b", quality=Quality.BAD))
    running.write(write("x/c"), source="obs/x")
    running.look(after_s=2.9)
    assert running.quality("ocm/a") is Quality.OK
    running.published()
    running.look(after_s=0.2)
    assert running.quality("ocm/a") is Quality.SUSPECT
    assert running.quality("ocm/b") is Quality.BAD
    assert running.quality("x/c") is Quality.OK
    assert [(each.key, each.quality) for each in running.published()] == [
        ("ocm/a", Quality.SUSPECT)
    ]


@pytest.mark.parametrize("sign", ["heartbeat", "write", "empty write"])
def test_a_sign_of_life_ends_the_suspicion(running: Running, sign: str) -> None:
    """All that it wrote before holds again."""
    running.beat()
    running.write(write("ocm/a"), write("ocm/b"))
    running.look(after_s=4)
    if sign == "heartbeat":
        running.beat()
    else:
        running.write(*([write("ocm/b", 2, 1)] if sign == "write" else []))
    assert running.quality("ocm/a") is running.quality("ocm/b") is Quality.OK


def test_a_stopped_source_is_suspect_at_once(running: Running) -> None:
    """And what it writes at its end as well; its next start writes what holds."""
    running.beat()
    running.write(write("ocm/a"), write("ocm/state", "running"))
    running.beat(ComponentState.STOPPED)
    assert running.quality("ocm/a") is Quality.SUSPECT
    running.write(write("ocm/state", "stopped", 1))
    assert running.quality("ocm/state") is Quality.SUSPECT
    assert running.servant.read("ocm/state").value == "stopped"
    running.write(write("ocm/state", "running", 2), incarnation="i2")
    assert running.quality("ocm/state") is Quality.OK
    assert running.quality("ocm/a") is Quality.SUSPECT


def test_a_new_start_does_not_vouch_for_the_old_one(running: Running) -> None:
    """However fast it came, until it has written a key itself."""
    running.beat()
    running.write(write("ocm/a", 1, 5), write("ocm/b", 1, 5))
    running.beat(ComponentState.STARTED, "i2")
    running.write(write("ocm/a", 1, 0), incarnation="i2")
    assert running.quality("ocm/a") is Quality.OK
    assert running.quality("ocm/b") is Quality.SUSPECT


def test_nobody_is_judged_while_nobody_can_be_heard(running: Running) -> None:
    """When the channel is back each source has its time again."""
    running.beat()
    running.write(write("ocm/a"))
    running.look(sees=False, after_s=10)
    running.look(sees=True, after_s=10)
    running.look(after_s=2)
    assert running.quality("ocm/a") is Quality.OK
    running.look(after_s=2)
    assert running.quality("ocm/a") is Quality.SUSPECT


def test_silence_is_judged_over_a_restart(running: Running) -> None:
    """Of a source that has died meanwhile, and of one that lives."""
    running.beat()
    running.write(write("ocm/a"))
    running.restart()
    running.look()
    assert running.quality("ocm/a") is Quality.OK
    running.look(after_s=3.5)
    assert running.quality("ocm/a") is Quality.SUSPECT
    running.restart()
    running.beat()
    assert running.quality("ocm/a") is Quality.OK
    running.beat(incarnation="i2")
    running.restart()
    running.write(write("ocm/a", "ghost", 99), incarnation="i1")
    assert running.servant.read("ocm/a").value == 1


def test_a_full_disk_raises_an_alarm(running: Running) -> None:
    """Reading goes on; the alarm ends when there is room, also without a new value."""
    running.write(write("a"))
    fill(running.store)
    large = [write(f"b/{at}", "x" * 5000) for at in range(100)]
    for _ in range(2):
        with pytest.raises(PersistStore):
            running.write(*large)
    (alarm,) = running.site.alarms.values()
    assert (alarm.object, alarm.name) == ("obs/oldb", NOT_WRITABLE)
    assert alarm.severity is Severity.MAJOR
    assert "full" in running.servant.get_stats().problem
    assert running.servant.read("a").value == 1
    running.write()  # a mere sign of life proves nothing
    assert running.site.alarms
    make_room(running.store)
    running.look()
    assert not running.site.alarms
    assert running.servant.get_stats().problem == ""
    running.write(*large)
    assert running.servant.get_stats().keys == 101


def test_a_judgement_that_cannot_be_stored_is_tried_again(running: Running) -> None:
    """Nothing is forgotten over a full disk."""
    running.beat()
    running.write(*(write(f"ocm/{at}", "x" * 3000) for at in range(300)))
    fill(running.store)
    running.store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    running.store._writer.execute("PRAGMA query_only = ON")
    running.look(after_s=4)
    assert running.quality("ocm/1") is Quality.OK
    assert running.site.alarms
    running.store._writer.execute("PRAGMA query_only = OFF")
    make_room(running.store)
    running.look()
    assert running.quality("ocm/1") is Quality.SUSPECT
    assert not running.site.alarms


def test_a_damaged_file_is_reported_and_begun_anew(running: Running) -> None:
    """Who calls is told to call again; the next write works."""
    running.write(*(write(f"a/{at}", "x" * 500) for at in range(500)))
    damage(running)
    with pytest.raises(PersistStore, match="begun anew"):
        running.servant.children()
    (alarm,) = running.site.alarms.values()
    assert alarm.name == WAS_DAMAGED
    assert alarm.severity is Severity.WARNING
    assert str(running.store.damaged[0]) in alarm.text
    running.write(write("a"))
    assert [each.name for each in running.servant.children()] == ["a"]


def test_damage_that_a_write_finds_is_mended(running: Running) -> None:
    """The writer writes again, and everything: the base is another."""
    running.write(*(write(f"a/{at}", "x" * 500) for at in range(500)))
    before = running.servant.get_stats().base
    damage(running)
    with pytest.raises(PersistStore, match="begun anew"):
        running.write(*(write(f"a/{at}", "new", 1) for at in range(500)))
    reply = running.servant.write("obs/ocm", "i1", [write("a/1", "new", 1)])
    assert reply.base > before
    assert running.servant.read("a/1").value == "new"


def test_damage_found_at_the_start_is_reported(tmp_path: Path) -> None:
    """As soon as alarms can be raised, again at each start, until the file is taken away."""
    (tmp_path / "oldb.sqlite").write_bytes(b"nonsense " * 1000)
    running = Running(tmp_path)
    for _ in range(2):
        running.site.alarms.clear()
        running.restart()
        running.database.proclaim()
        (alarm,) = running.site.alarms.values()
        assert alarm.name == WAS_DAMAGED
    running.database.tidy()
    assert running.site.alarms
    (file,) = running.store.damaged
    file.unlink()
    running.database.tidy()
    assert not running.site.alarms
    running.store.close()


def damage(running: Running) -> None:
    """Write nonsense over the file, as a broken disk would."""
    store = running.store
    store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = store.file.stat().st_size
    with store.file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xa5" * (size - 4096))


def test_keys_are_bounded(tmp_path: Path) -> None:
    """Values of known keys are taken, and new ones when there is room again."""
    running = Running(tmp_path, most_keys=2)
    running.write(write("a"), write("b"))
    with pytest.raises(BadParam, match="no room for 1 more"):
        running.write(write("a", 2, 1), write("c"))
    running.write(write("a", 2, 1))
    running.database.remove(KeyFilters(["b"]))
    running.write(write("c"))
    assert [each.name for each in running.servant.children()] == ["a", "c"]
    running.store.close()


@pytest.mark.parametrize(
    ("patterns", "prefix"),
    [
        (["**"], ""),
        (["ocm/**"], "ocm"),
        (["ocm/cfg/a*"], "ocm/cfg/a"),
        (["ocm/state", "ocm/std/?"], "ocm/st"),
        (["a/b", "c"], ""),
    ],
)
def test_filters_know_how_all_keys_begin(patterns: list[str], prefix: str) -> None:
    """So that a search reads no more than it must."""
    assert KeyFilters(patterns).prefix == prefix
