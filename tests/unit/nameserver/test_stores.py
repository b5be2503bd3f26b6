"""The two stores remember the same; the one in a file over a restart."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from idl_like_interfaces.errors import PersistStore
from idl_like_interfaces.naming import Binding, BindingType
from nameserver.records import Changes, LeaseRecord, Snapshot
from nameserver.stores import Durability, MemoryStore, NameStore, SqliteStore

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LEASE = LeaseRecord(lease_id="l1", holder="ocm", term_s=6.5)
OBS = Binding(name="obs", type=BindingType.CONTEXT, bound_at=NOW)
OCM = Binding(
    name="obs/ocm",
    uri="PYRO:ocm~1@localhost:4711",
    interface="IDL:obsorb/daqif/OcmDaqControl:3.2",
    metadata={"site": "Cerro Ärmazones", "": "empty key"},
    lease_id="l1",
    bound_at=NOW,
)
ALL = Changes(put_leases=(LEASE,), put_bindings=(OBS, OCM))


class StoreContract:
    """What every store does."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> NameStore | Iterator[NameStore]:
        """Give an empty store."""
        raise NotImplementedError

    def test_a_new_store_is_empty(self, store: NameStore) -> None:
        """Neither bindings nor leases."""
        assert store.load() == Snapshot()

    def test_what_was_put_is_loaded(self, store: NameStore) -> None:
        """Every field, to the microsecond."""
        store.apply(ALL)
        assert store.load() == Snapshot(bindings=(OBS, OCM), leases=(LEASE,))

    def test_what_was_dropped_is_gone(self, store: NameStore) -> None:
        """Dropping what is not there is no error."""
        store.apply(ALL)
        store.apply(Changes(drop_names=("obs/ocm", "nothing"), drop_leases=("l1", "none")))
        assert store.load() == Snapshot(bindings=(OBS,))

    def test_a_put_replaces(self, store: NameStore) -> None:
        """Also in the same step in which the name is dropped."""
        moved = Binding(name="obs/ocm", uri="PYRO:b@localhost:2", bound_at=NOW)
        store.apply(ALL)
        store.apply(Changes(drop_names=("obs/ocm",), put_bindings=(moved,)))
        assert store.load().bindings == (OBS, moved)

    def test_names_differ_by_case(self, store: NameStore) -> None:
        """Dropping one leaves the other."""
        both = tuple(Binding(name=n, uri="PYRO:a@b:1", bound_at=NOW) for n in ("A_1", "a_1"))
        store.apply(Changes(put_bindings=both))
        store.apply(Changes(drop_names=("a_1",)))
        assert store.load().bindings == both[:1]

    def test_closing_twice_is_no_error(self, store: NameStore) -> None:
        """The second does nothing."""
        store.close()
        store.close()


class TestMemoryStore(StoreContract):
    """The store that forgets."""

    @pytest.fixture
    @override
    def store(self, tmp_path: Path) -> NameStore:
        return MemoryStore()


class TestSqliteStore(StoreContract):
    """The store in a file."""

    @pytest.fixture
    @override
    def store(self, tmp_path: Path) -> Iterator[NameStore]:
        store = SqliteStore(tmp_path / "folder" / "names.db")
        yield store
        store.close()

    def test_it_is_all_there_after_a_restart(self, store: NameStore, tmp_path: Path) -> None:
        """Closed and opened again."""
        store.apply(ALL)
        store.close()
        again = SqliteStore(tmp_path / "folder" / "names.db")
        assert again.load() == Snapshot(bindings=(OBS, OCM), leases=(LEASE,))
        again.close()

    def test_a_step_is_done_whole_or_not_at_all(self, store: NameStore) -> None:
        """A binding under a lease that is not stored undoes the rest of its step."""
        with pytest.raises(PersistStore):
            store.apply(Changes(put_bindings=(OBS, OCM)))
        assert store.load() == Snapshot()

    def test_every_step_is_synced_to_disk(self, store: SqliteStore) -> None:
        """Write-ahead log with a sync at each commit: what makes an answer durable."""
        assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)

    def test_steps_that_shall_survive_a_kill_only_are_not_synced(self, tmp_path: Path) -> None:
        """The kernel has them at the commit; the disk at the next checkpoint."""
        store = SqliteStore(tmp_path / "fast.db", Durability.KILL)
        assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._db.execute("PRAGMA synchronous").fetchone() == (1,)
        store.close()

    def test_a_closed_store_refuses(self, store: NameStore) -> None:
        """With an error that says so, not with a wrong answer."""
        store.close()
        with pytest.raises(PersistStore, match="closed"):
            store.apply(ALL)


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is not a database" * 100)


def _cut(path: Path) -> None:
    store = SqliteStore(path)
    many = tuple(Binding(name=f"n{i}", uri="PYRO:a@b:1", bound_at=NOW) for i in range(500))
    store.apply(Changes(put_bindings=many))
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 // 4096 * 4096])


def _of_another_program(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE pyro_names (name TEXT)")
    db.close()


def _of_a_newer_release(path: Path) -> None:
    SqliteStore(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


def _below_a_file(path: Path) -> None:
    path.write_text("a file where the folder should be")


@pytest.mark.parametrize(
    ("spoil", "below", "words", "remedy"),
    [
        (_garbage, "", "not a database", "move"),
        (_cut, "", "cannot open the name store", "move"),
        (_of_another_program, "", "database of another program", "give the path"),
        (_of_a_newer_release, "", "version 99", "newer release"),
        (_below_a_file, "names.db", "cannot open the name store", "correct the path"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_cause_and_remedy(
    tmp_path: Path, spoil: Callable[[Path], None], below: str, words: str, remedy: str
) -> None:
    """And it is left as it was found."""
    path = tmp_path / "names.db"
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(PersistStore, match=words) as refused:
        SqliteStore(path / below)
    assert refused.value.cause
    assert remedy in refused.value.remedy
    assert path.read_bytes() == before


def test_two_servers_do_not_share_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is told who has it; when the first has closed it, it may."""
    monkeypatch.setattr("nameserver.stores._BUSY_S", 0.05)
    first = SqliteStore(tmp_path / "names.db")
    with pytest.raises(PersistStore) as refused:
        SqliteStore(tmp_path / "names.db")
    assert "another name server" in refused.value.cause
    first.close()
    SqliteStore(tmp_path / "names.db").close()


def test_a_damaged_record_is_told_when_it_is_loaded(tmp_path: Path) -> None:
    """Rather than a traceback from inside a decoder."""
    store = SqliteStore(tmp_path / "names.db")
    store.apply(ALL)
    store._db.execute("UPDATE binding SET metadata = '{' WHERE name = 'obs/ocm'")
    with pytest.raises(PersistStore, match="cannot read"):
        store.load()
    store.close()


def test_a_full_disk_is_told_and_undone(tmp_path: Path) -> None:
    """A page limit stands for the disk: nothing of the step stays, later steps work."""
    store = SqliteStore(tmp_path / "names.db")
    store.apply(ALL)
    store._db.execute("PRAGMA max_page_count = 8")
    big = Binding(name="big", uri="PYRO:a@b:1", metadata={"k": "v" * 100_000}, bound_at=NOW)
    with pytest.raises(PersistStore) as refused:
        store.apply(Changes(drop_names=("obs/ocm",), put_bindings=(big,)))
    assert refused.value.cause == "the disk is full"
    assert store.load().bindings == (OBS, OCM)
    store.apply(Changes(drop_names=("obs/ocm",)))
    assert store.load().bindings == (OBS,)
    store.close()


_names = st.sampled_from(["a", "A", "a/b", "_", "~"])
_leases = st.sampled_from(["l1", "l2"])
_bindings = st.builds(
    Binding,
    name=_names,
    type=st.sampled_from(BindingType),
    uri=st.text(max_size=5),
    interface=st.text(max_size=5),
    metadata=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    bound_at=st.datetimes(timezones=st.just(UTC)),
)
_changes = st.builds(
    Changes,
    drop_names=st.lists(_names, max_size=2).map(tuple),
    drop_leases=st.lists(_leases, max_size=1).map(tuple),
    put_leases=st.lists(
        st.builds(
            LeaseRecord, lease_id=_leases, holder=st.text(max_size=3), term_s=st.floats(0.1, 9)
        ),
        max_size=2,
    ).map(tuple),
    put_bindings=st.lists(_bindings, max_size=2).map(tuple),
)


@given(st.lists(_changes, max_size=8))
def test_both_stores_remember_the_same(steps: list[Changes]) -> None:
    """After every step, and after the file was opened again."""
    folder = Path(tempfile.mkdtemp())
    memory, file = MemoryStore(), SqliteStore(folder / "names.db")
    try:
        for step in steps:
            memory.apply(step)
            file.apply(step)
            assert file.load() == memory.load()
        file.close()
        file = SqliteStore(folder / "names.db")
        assert file.load() == memory.load()
    finally:
        file.close()
        shutil.rmtree(folder)
