"""The store of the ledger: what survives, and what a fault of the disk does."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from idl_like_interfaces.accounts import Account, Drop, Flow, HopKind
from idl_like_interfaces.clients.accounts_memory import Seen, key_of
from idl_like_interfaces.errors import BadParam
from objects.ledger.store import LedgerStore

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ACCOUNT = Account(
    hop="obs/ocm",
    kind=HopKind.SUPPLIER,
    flow=Flow.EVENTS,
    source="obs/ocm",
    incarnation="1",
    taken=3,
    passed=1,
    in_flight=0,
    drops=[Drop(reason="spool", count=2, first=1, last=2)],
)
SEEN = Seen(account=ACCOUNT, at=NOW, changed=NOW, before=ACCOUNT)
MORE = msgspec.structs.replace(SEEN, account=msgspec.structs.replace(ACCOUNT, taken=4, passed=2))


def test_the_newest_of_each_account_is_kept(tmp_path: Path) -> None:
    """Also without a good end."""
    store = LedgerStore(tmp_path / "ledger.sqlite")
    store.write([SEEN])
    store.write([MORE])
    again = LedgerStore(tmp_path / "ledger.sqlite")

    assert again.load() == [MORE]
    store.close()
    again.close()


def test_what_is_forgotten_is_kept_no_longer(tmp_path: Path) -> None:
    """The file is bounded as the memory is."""
    store = LedgerStore(tmp_path / "ledger.sqlite")
    store.write([SEEN])
    store.write([], [key_of(ACCOUNT)])

    assert store.load() == []
    store.close()


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    """The ledger begins with an empty one, and the other can be looked at."""
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(b"this is no database at all" * 100)

    store = LedgerStore(file)

    assert store.load() == []
    assert (tmp_path / "ledger.sqlite.damaged").read_bytes().startswith(b"this is no database")
    store.close()


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    """It stays as it is."""
    file = tmp_path / "ledger.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE theirs (a)")
    db.close()

    with pytest.raises(BadParam, match="another program"):
        LedgerStore(file)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """With what to correct."""
    (tmp_path / "file").touch()

    with pytest.raises(BadParam, match="cannot use"):
        LedgerStore(tmp_path / "file" / "ledger.sqlite")


def test_what_cannot_be_written_is_written_later(tmp_path: Path) -> None:
    """A fault of the disk is told, and over when the disk takes it again."""
    file = tmp_path / "ledger.sqlite"
    store = LedgerStore(file)
    store._db.execute("PRAGMA max_page_count = 1")
    many = [
        msgspec.structs.replace(SEEN, account=msgspec.structs.replace(ACCOUNT, source=f"obs/{at}"))
        for at in range(200)
    ]
    store.write(many)
    problem = store.problem
    store._db.execute("PRAGMA max_page_count = 100000")
    store.write([])

    assert "full" in problem
    assert store.problem == ""
    assert len(store.load()) == 200
    store.close()


def test_an_account_of_another_version_is_left_out(tmp_path: Path) -> None:
    """The others are read."""
    store = LedgerStore(tmp_path / "ledger.sqlite")
    store.write([SEEN])
    store._db.execute("INSERT INTO account VALUES ('other', x'c1')")

    assert store.load() == [SEEN]
    store.close()
