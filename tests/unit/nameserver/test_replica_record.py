"""What a name server remembers of its part."""

from __future__ import annotations

from pathlib import Path

import pytest

from idl_like_interfaces.errors import PersistStore
from idl_like_interfaces.replication import Standing
from nameserver.replica_record import SUFFIX, RecordKeeper
from nameserver.replica_states import Record

MEMBER = Record(epoch=3, standing=Standing.MEMBER)


def test_it_is_read_again(tmp_path: Path) -> None:
    """The last one that was written."""
    keeper = RecordKeeper(tmp_path / "names.db")
    assert not keeper.is_kept
    keeper.write(Record(epoch=2, standing=Standing.SOLE))
    keeper.write(MEMBER)
    again = RecordKeeper(tmp_path / "names.db", has_names=True)
    assert again.is_kept
    assert again.record == MEMBER
    assert [each.name for each in tmp_path.iterdir()] == ["names.db" + SUFFIX]


def test_names_without_a_record_are_known_to_nobody_else(tmp_path: Path) -> None:
    """A single name server has kept them."""
    assert RecordKeeper(tmp_path / "names.db", has_names=True).record.standing is Standing.SOLE
    assert RecordKeeper(tmp_path / "names.db").record == Record()


def test_who_lost_its_names_is_new(tmp_path: Path) -> None:
    """And still knows the epoch."""
    RecordKeeper(tmp_path / "names.db").write(MEMBER)
    assert RecordKeeper(tmp_path / "names.db").record == Record(epoch=3)


def test_in_memory_it_lasts_as_long_as_the_process() -> None:
    """Nothing is written."""
    keeper = RecordKeeper(None)
    keeper.write(MEMBER)
    assert keeper.record == MEMBER
    assert not keeper.is_kept


def test_a_damaged_one_is_refused(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / ("names.db" + SUFFIX)).write_text("{")
    with pytest.raises(PersistStore) as refused:
        RecordKeeper(tmp_path / "names.db", has_names=True)
    assert "move it and the name store beside it away" in refused.value.remedy


def test_one_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """And the one before stands."""
    folder = tmp_path / "a"
    folder.write_text("in the way")
    keeper = RecordKeeper(folder / "names.db")
    with pytest.raises(PersistStore, match="cannot be written"):
        keeper.write(MEMBER)
    assert keeper.record == Record()
