"""The store on disk: restarts, damage, foreign files, full disks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from idl_like_interfaces.errors import BadParam, PersistStore
from objects.oldb import store as store_module
from objects.oldb.points import Kept, changes_of
from objects.oldb.store import Damaged, SqliteOldbStore
from tests.contract.oldb import removal, write
from tests.support.clock import ManualClock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "oldb" / "oldb.sqlite"


def opened(file: Path, clock: ManualClock | None = None) -> SqliteOldbStore:
    return SqliteOldbStore(file, clock or ManualClock())


def put(store: SqliteOldbStore, *names: str) -> list[Kept]:
    """Store a value under each key."""
    writes = [write(name) for name in names]
    return store.save(changes_of("obs/a", "i1", writes, {}), keys=len(names))


def take_away(store: SqliteOldbStore, *names: str) -> None:
    """Remove keys."""
    kept = store.find(names)
    writes = [removal(name, 1) for name in names]
    store.save(changes_of("obs/a", "i1", writes, kept), keys=-len(names))


def test_a_restart_goes_on(file: Path) -> None:
    """With the same base, and with revisions that grow."""
    with closing(opened(file)) as store:
        put(store, "a", "b")
        take_away(store, "b")
        before = (store.base, store.revision, store.keys)
        store.save_starts("obs/a", ["i1", "i2"])
    with closing(opened(file)) as store:
        assert (store.base, store.revision, store.keys) == before
        assert store.starts() == [("obs/a", "i1"), ("obs/a", "i2")]
        assert [each.key for each in store.since(0, 10)] == ["a", "b"]
        (new,) = put(store, "c")
        assert new.revision == before[1] + 1


def test_each_new_database_has_another_base(tmp_path: Path) -> None:
    """That of a later one is greater than all revisions before."""
    clock = ManualClock()
    with closing(opened(tmp_path / "1.sqlite", clock)) as first:
        clock.advance(1)
        with closing(opened(tmp_path / "2.sqlite", clock)) as second:
            put(first, *map(str, range(1000)))
            assert first.revision < second.base


@pytest.mark.parametrize(
    "damage",
    [b"this is no database at all, " * 50, b"SQLite format 3\x00" + b"\xff" * 5000],
    ids=["text", "header"],
)
def test_a_damaged_file_is_put_aside(file: Path, damage: bytes) -> None:
    """It is kept as it was, and a new one begun."""
    file.parent.mkdir()
    file.write_bytes(damage)
    with closing(opened(file)) as store:
        (aside,) = store.damaged
        assert aside.read_bytes() == damage
        assert aside.name.startswith("oldb.sqlite.damaged-")
        put(store, "a")
        assert store.keys == 1


def test_damage_in_the_middle_is_found_at_the_start(file: Path) -> None:
    """Not only in the header."""
    with closing(opened(file)) as store:
        put(store, *(f"key/{at:04}" for at in range(2000)))
    octets = bytearray(file.read_bytes())
    octets[len(octets) // 2 : len(octets) // 2 + 20_000] = b"\xa5" * 20_000
    file.write_bytes(octets)
    with closing(opened(file)) as store:
        assert len(store.damaged) == 1
        assert store.keys == 0


def test_damage_while_it_is_used_is_told(file: Path) -> None:
    """It may then be begun anew, and goes on growing."""
    with closing(opened(file)) as store:
        put(store, *(f"key/{at:04}" for at in range(2000)))
        store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = file.stat().st_size
        with file.open("r+b") as raw:
            raw.seek(4096)
            raw.write(b"\xa5" * (size - 4096))
        with pytest.raises(Damaged):
            store.below("")
        before = store.revision
        store.begin_anew(ValueError("damaged"))
        assert (store.keys, len(store.damaged)) == (0, 1)
        assert store.base > before
        put(store, "a")
        assert store.below("") == ["a"]


def test_a_database_of_another_program_is_refused(file: Path) -> None:
    """It is left as it is."""
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE theirs (x)")
        other.commit()
    before = file.read_bytes()
    with pytest.raises(BadParam, match="another program") as caught:
        opened(file)
    assert "a file of its own" in caught.value.remedy
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A file is in its way."""
    (tmp_path / "oldb").write_text("")
    with pytest.raises(BadParam) as caught:
        opened(tmp_path / "oldb" / "x.sqlite")
    assert caught.value.field == "file"


def test_a_full_disk_changes_nothing(file: Path) -> None:
    """What was stored can be read; it goes on when there is room."""
    with closing(opened(file)) as store:
        put(store, "a")
        fill(store)
        before = store.revision
        with pytest.raises(PersistStore, match="full") as caught:
            put(store, *(f"{at}/{'x' * 200}" for at in range(500)))
        assert "free some space" in caught.value.remedy
        assert (store.revision, store.keys, store.below("")) == (before, 1, ["a"])
        make_room(store)
        put(store, "b")
        assert store.below("") == ["a", "b"]


def fill(store: SqliteOldbStore) -> None:
    """Let the database grow no more, as on a full disk."""
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages}")


def make_room(store: SqliteOldbStore) -> None:
    """Let it grow again."""
    store._writer.execute("PRAGMA max_page_count = 1000000")


def test_removed_keys_are_forgotten_in_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest, when there are too many; those that stand are not touched."""
    monkeypatch.setattr(store_module, "MOST_REMOVED", 3)
    with closing(opened(file)) as store:
        put(store, "kept", *"abcdef")
        take_away(store, *"abcdef")
        store.tidy()
        assert [each.key for each in store.since(0, 100)] == ["kept", "d", "e", "f"]
        assert store.count_since(0) == 4


def test_a_closed_store_refuses(file: Path) -> None:
    """As one whose disk fails: who calls may try again elsewhere."""
    store = opened(file)
    store.close()
    store.close()
    with pytest.raises(PersistStore):
        store.below("")
    assert store.size() > 0
