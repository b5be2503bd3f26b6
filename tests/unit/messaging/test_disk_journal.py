"""The journal on disk: what it keeps, and what it does when the disk is full."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.errors import BadParam, PersistStore
from objects.messaging.disk_journal import DiskJournal
from objects.messaging.segments import Kind, scan
from tests.support.journals import EPOCH, Keeper, durable, same, segments

SMALL = 4096


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """Give a journal that has just begun."""
    keeper = Keeper(tmp_path / "events", segment_bytes=SMALL)
    assert keeper.recover() is None
    yield keeper
    keeper.journal.close()


class TestRestart:
    """What a channel finds that was ended or killed."""

    def test_every_acknowledged_event_survives_a_kill(self, keeper: Keeper) -> None:
        """Without an end in good order, in the same epoch, with all that is told of it."""
        keeper.fill(200)
        after = keeper.left()
        found = after.recover()
        assert found is not None
        assert same(found.chunks, keeper.chunks)
        assert (found.checkpoint.epoch, found.last, found.forgotten) == (EPOCH, 600, 0)
        assert after.journal.stats().damaged == []
        after.journal.close()

    def test_the_newest_checkpoint_is_given(self, keeper: Keeper) -> None:
        """With the newest event of each topic; only what came behind it must be counted again."""
        keeper.fill(200)
        after = keeper.left()
        found = after.recover()
        assert found is not None
        point = found.checkpoint
        assert 300 < point.last <= 600
        assert point.topics == {"a": point.last}
        assert point.suppliers[0].next == point.last + 1
        assert [each.last for each in point.latest] == [point.last]
        after.journal.close()

    def test_who_ended_in_good_order_goes_on(self, tmp_path: Path) -> None:
        """Again and again; each start begins a file."""
        for start in range(4):
            keeper = Keeper(tmp_path / "events")
            found = keeper.recover()
            assert (found.last if found else 0) == start * 6
            keeper.fill(2)
            keeper.journal.close()
        assert len(segments(tmp_path / "events")) == 4

    def test_the_time_of_arrival_is_kept(self, keeper: Keeper) -> None:
        """In the monotonic seconds of the new process, by the clock of the host."""
        keeper.append("a")
        after = keeper.left()
        after.clock.advance(50.0)
        after.clock._monotonic = 7.0
        found = after.recover()
        assert found is not None
        assert found.chunks[0].came == pytest.approx(7.0 - 50.0)
        after.journal.close()

    def test_a_clock_that_was_set_back_makes_nothing_come_in_the_future(
        self, keeper: Keeper
    ) -> None:
        """It came now at the latest."""
        keeper.append("a")
        after = keeper.left()
        after.clock.advance(-3600.0)
        found = after.recover()
        assert found is not None
        assert found.chunks[0].came == after.clock.monotonic()
        after.journal.close()

    def test_bodies_come_back_as_they_were(self, keeper: Keeper) -> None:
        """Batches of any form, never opened."""
        keeper.append("a")
        keeper.append("b", "c", "b")
        after = keeper.left()
        found = after.recover()
        assert found is not None
        assert [each.batch for each in found.chunks] == [each.batch for each in keeper.chunks]
        after.journal.close()

    def test_two_channels_cannot_have_one_journal(self, keeper: Keeper) -> None:
        """The second one is refused, and told what to do."""
        with pytest.raises(BadParam, match="in use") as caught:
            DiskJournal(keeper.folder).recover()
        assert "end that one" in caught.value.remedy

    @pytest.mark.parametrize("below", ["", "deeper"])
    def test_a_file_in_place_of_the_folder_is_refused(self, tmp_path: Path, below: str) -> None:
        """That is a mistake in the settings, and no disk that may get better."""
        (tmp_path / "events").touch()
        with pytest.raises(BadParam) as caught:
            DiskJournal(tmp_path / "events" / below).recover()
        assert caught.value.field == "journal"

    def test_an_end_that_cannot_be_noted_is_like_a_kill(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The journal goes on."""
        keeper = Keeper(tmp_path / "events")
        keeper.recover()
        keeper.fill(3)
        (keeper.folder / "state.part").mkdir()
        keeper.journal.close()
        assert "cannot be ended in good order" in caplog.text
        (keeper.folder / "state.part").rmdir()
        after = Keeper(tmp_path / "events")
        found = after.recover()
        assert found is not None
        assert found.last == 9
        after.journal.close()

    def test_nothing_is_taken_any_more_when_it_has_ended(self, tmp_path: Path) -> None:
        """Whoever publishes then is refused, and does so again later."""
        keeper = Keeper(tmp_path / "events")
        keeper.recover()
        keeper.journal.close()
        with pytest.raises(PersistStore):
            keeper.append("a")


class TestFiles:
    """Segments begin and go."""

    def test_a_new_file_is_begun_by_size(self, keeper: Keeper) -> None:
        """Events count, the checkpoint does not; the stats tell number and size."""
        keeper.fill(200)
        files = segments(keeper.folder)
        stats = keeper.journal.stats()
        assert len(files) > 5
        assert stats.segments == len(files)
        assert stats.bytes == sum(each.stat().st_size for each in files)
        assert (stats.is_writable, stats.problem) == (True, "")

    def test_files_whose_events_are_held_no_longer_are_removed(self, keeper: Keeper) -> None:
        """Whole ones; the rest is still read, and what went is not called missing."""
        keeper.fill(200)
        before = segments(keeper.folder)
        keeper.journal.trim(400)
        assert set(segments(keeper.folder)) < set(before)
        after = keeper.left()
        found = after.recover()
        assert found is not None
        assert found.chunks[0].first == found.forgotten + 1 <= 400
        assert found.last == 600
        after.journal.close()

    def test_the_newest_file_stays(self, keeper: Keeper) -> None:
        """It tells the epoch and what the channel knows."""
        keeper.fill(200)
        keeper.journal.trim(601)
        assert len(segments(keeper.folder)) == 1
        after = keeper.left()
        found = after.recover()
        assert found is not None
        assert found.last == 600
        after.journal.close()

    def test_a_folder_that_somebody_removed_is_made_again(self, keeper: Keeper) -> None:
        """What was in it is gone; what the channel knows, and what comes, is in it."""
        keeper.fill(20)
        shutil.rmtree(keeper.folder)
        keeper.fill(200)
        assert keeper.journal.stats().problem == ""
        after = keeper.left()
        found = after.recover()
        assert found is not None
        assert same(found.chunks, keeper.chunks[-len(found.chunks) :])
        assert (found.forgotten, found.last) == (found.chunks[0].first - 1, 660)
        after.journal.close()

    def test_a_file_that_cannot_be_removed_is_told(self, keeper: Keeper) -> None:
        """And removed as soon as that is possible."""
        keeper.fill(200)
        oldest = segments(keeper.folder)[0]
        oldest.unlink()
        oldest.mkdir()
        keeper.journal.trim(300)
        assert "cannot be removed" in keeper.journal.stats().problem
        oldest.rmdir()
        keeper.journal.trim(300)
        assert keeper.journal.stats().problem == ""


class TestDurables:
    """The cursors of durable subscriptions."""

    def test_they_are_written_once_a_second_at_most(self, keeper: Keeper) -> None:
        """And asked for only then."""
        asked = []

        def kept() -> list[object]:
            asked.append(1)
            return [durable("archive", len(asked))]

        for _ in range(100):
            keeper.journal.keep(kept)  # type: ignore[arg-type]
        assert len(asked) == 1
        keeper.clock.advance(1.0)
        keeper.journal.attend(keeper.point)
        assert len(asked) == 2
        keeper.clock.advance(1.0)
        keeper.journal.attend(keeper.point)
        assert len(asked) == 2

    def test_they_come_back(self, keeper: Keeper) -> None:
        """As they were when they were written last."""
        keeper.fill(3)
        keeper.journal.keep(lambda: [durable("archive", 5), durable("logger", 7)])
        after = keeper.left()
        found = after.recover()
        assert found is not None
        assert found.durables == [durable("archive", 5), durable("logger", 7)]
        after.journal.close()

    def test_the_last_ones_are_written_at_the_end(self, tmp_path: Path) -> None:
        """However little time has passed."""
        keeper = Keeper(tmp_path / "events")
        keeper.recover()
        keeper.fill(3)
        keeper.journal.keep(lambda: [durable("archive", 5)])
        keeper.journal.keep(lambda: [durable("archive", 9)])
        keeper.journal.close()
        after = Keeper(tmp_path / "events")
        found = after.recover()
        assert found is not None
        assert found.durables == [durable("archive", 9)]
        after.journal.close()

    def test_those_of_the_checkpoint_are_better_than_none(self, keeper: Keeper) -> None:
        """When their own file is damaged or gone."""
        keeper.durables = [durable("archive", 5)]
        keeper.fill(200)
        (keeper.folder / "cursors").write_bytes(b"spoilt")
        after = keeper.left()
        found = after.recover()
        assert found is not None
        assert found.durables == [durable("archive", 5)]
        assert after.journal.stats().damaged == ["cursors.damaged"]
        after.journal.close()

    def test_that_they_cannot_be_written_is_told(self, keeper: Keeper) -> None:
        """Events are kept all the same."""
        (keeper.folder / "cursors.part").mkdir()
        keeper.journal.keep(lambda: [durable("archive", 5)])
        stats = keeper.journal.stats()
        assert stats.problem == "durable subscriptions cannot be kept: Is a directory"
        assert stats.is_writable
        (keeper.folder / "cursors.part").rmdir()
        keeper.clock.advance(1.0)
        keeper.journal.attend(keeper.point)
        assert keeper.journal.stats().problem == ""


class TestSync:
    """What is acknowledged survives the end of the host, if that is asked for."""

    def other_boot(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
        """Return who finds the folder after the host was started again."""
        monkeypatch.setattr("objects.messaging.disk_journal.boot_id", lambda: "another")
        monkeypatch.setattr("objects.messaging.disk_start.boot_id", lambda: "another")
        return Keeper(folder, sync=True)

    @pytest.mark.parametrize("sync", [True, False])
    def test_after_the_end_of_the_host_only_a_synced_journal_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, sync: bool
    ) -> None:
        """Of one that was not nobody knows how much of it is missing at its end."""
        keeper = Keeper(tmp_path / "events", sync=sync)
        keeper.recover()
        keeper.fill(3)
        left = keeper.left().folder
        keeper.journal.close()
        after = self.other_boot(left, monkeypatch)
        assert (after.recover() is not None) is sync
        after.journal.close()

    def test_one_that_was_ended_in_good_order_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It says how far it must reach."""
        keeper = Keeper(tmp_path / "events")
        keeper.recover()
        keeper.fill(3)
        keeper.journal.close()
        after = self.other_boot(keeper.folder, monkeypatch)
        found = after.recover()
        assert found is not None
        assert found.last == 9
        after.journal.close()

    def test_a_checkpoint_with_many_topics_is_synced_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Suppliers wait while it is written."""
        keeper = Keeper(tmp_path / "events")
        keeper.recover()
        for number in range(300):
            keeper.append(f"topic/{number}")
        keeper.journal.close()
        synced: list[int] = []
        monkeypatch.setattr(os, "fdatasync", synced.append)
        after = Keeper(tmp_path / "events", sync=True)
        after.recover()
        records = scan(segments(keeper.folder)[-1].read_bytes()).records
        assert [each.label.kind for each in records] == [Kind.CHECKPOINT] + 300 * [Kind.LATEST]
        assert len(synced) == 1
        after.journal.close()

    def test_a_failed_sync_counts_as_a_failed_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody knows what of that file is on the medium: what is held goes into another."""
        keeper = Keeper(tmp_path / "events", sync=True)
        keeper.recover()
        keeper.fill(3)

        def fails(descriptor: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as broken:
            broken.setattr(os, "fdatasync", fails)
            keeper.append("a")
        assert "Input/output error" in keeper.journal.stats().problem
        keeper.clock.advance(1.0)
        keeper.append("a")
        assert keeper.journal.stats().is_writable
        after = keeper.left()
        found = after.recover()
        assert found is not None
        assert same(found.chunks, keeper.chunks)
        after.journal.close()
        keeper.journal.close()
