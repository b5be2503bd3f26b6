"""The journal on a disk that is full: what is held, when it is written, what is told."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.journals import Disk, Keeper, durable, same

SMALL = 4096


class TestFullDisk:
    """What cannot be written is held, and written later."""

    def test_nothing_is_refused_and_all_is_written_when_there_is_room(self, tmp_path: Path) -> None:
        """In a new file, which begins with a checkpoint."""
        disk = Disk()
        keeper = Keeper(tmp_path / "events", create=disk.create)
        keeper.recover()
        keeper.fill(5)
        disk.room = 300
        keeper.fill(50)
        stats = keeper.journal.stats()
        assert not stats.is_writable
        assert stats.problem == "events are kept in memory only: No space left on device"
        disk.room = None
        keeper.clock.advance(1.0)
        keeper.journal.attend(keeper.point)
        stats = keeper.journal.stats()
        assert (stats.is_writable, stats.problem, stats.segments) == (True, "", 2)
        after = keeper.left()
        found = after.recover()
        assert found is not None
        assert same(found.chunks, keeper.chunks)
        assert after.journal.stats().damaged == []
        after.journal.close()
        keeper.journal.close()

    def test_an_event_that_comes_makes_it_try_again(self, tmp_path: Path) -> None:
        """But not each one: a broken disk must not cost the time of every supplier."""
        disk = Disk(room=0)
        keeper = Keeper(tmp_path / "events", create=disk.create)
        keeper.recover()
        keeper.fill(10)
        assert disk.files == []
        disk.room = None
        keeper.fill(10)
        assert not keeper.journal.stats().is_writable
        keeper.clock.advance(1.0)
        keeper.append("a")
        assert keeper.journal.stats().is_writable
        keeper.journal.close()
        after = Keeper(tmp_path / "events")
        found = after.recover()
        assert found is not None
        assert same(found.chunks, keeper.chunks)
        after.journal.close()

    def test_only_what_is_held_is_kept_for_later(self, tmp_path: Path) -> None:
        """Memory stays bounded as that of the channel; what went is not called missing."""
        disk = Disk()
        keeper = Keeper(tmp_path / "events", create=disk.create, segment_bytes=SMALL)
        keeper.recover()
        keeper.fill(5)
        disk.room = 0
        keeper.fill(50)
        keeper.journal.trim(100)
        disk.room = None
        keeper.clock.advance(1.0)
        keeper.journal.attend(keeper.point)
        after = keeper.left()
        found = after.recover()
        assert found is not None
        assert same(found.chunks, [each for each in keeper.chunks if each.last >= 100])
        assert found.forgotten == found.chunks[0].first - 1
        after.journal.close()
        keeper.journal.close()

    def test_a_kill_while_the_disk_is_full_begins_a_new_epoch(self, tmp_path: Path) -> None:
        """Numbers of events that are nowhere any more must not be given to others."""
        disk = Disk()
        keeper = Keeper(tmp_path / "events", create=disk.create)
        keeper.recover()
        keeper.fill(5)
        disk.room = 100
        keeper.fill(1)
        after = keeper.left()
        assert after.recover() is None
        assert [each.name for each in after.folder.glob("*.old")] == ["00000001.events.old"]
        after.journal.close()
        keeper.journal.close()

    def test_what_came_before_the_next_trial_is_not_on_disk_either(self, tmp_path: Path) -> None:
        """Only the next file cannot be begun: the event before is on disk, the next one not."""
        disk = Disk()
        keeper = Keeper(tmp_path / "events", create=disk.create, segment_bytes=SMALL)
        keeper.recover()
        disk.may_create = False
        while keeper.journal.stats().is_writable:
            keeper.append("a")
        before = keeper.left("before")
        found = before.recover()
        assert found is not None
        assert same(found.chunks, keeper.chunks)
        before.journal.close()
        keeper.append("a")
        after = keeper.left("after")
        assert after.recover() is None
        after.journal.close()
        keeper.journal.close()

    def test_an_end_while_the_disk_is_full_says_what_is_lost(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """And a new epoch begins."""
        disk = Disk(room=0)
        keeper = Keeper(tmp_path / "events", create=disk.create)
        keeper.recover()
        keeper.fill(2)
        keeper.journal.close()
        assert "the newest 2 batches are lost" in caplog.text
        assert Keeper(tmp_path / "events").journal.recover() is None

    def test_it_is_logged_once(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """When it begins, and when it is over."""
        caplog.set_level(logging.INFO)
        disk = Disk(room=0)
        keeper = Keeper(tmp_path / "events", create=disk.create)
        keeper.recover()
        for _ in range(5):
            keeper.clock.advance(1.0)
            keeper.append("a")
        disk.room = None
        keeper.clock.advance(1.0)
        keeper.append("a")
        assert caplog.text.count("No space left") == 1
        assert caplog.text.count("is written again") == 1
        keeper.journal.close()

    def test_a_real_disk_that_is_full(self, tmp_path: Path) -> None:
        """A small file system in memory; room is made, and all is on it."""
        with mounted(tmp_path / "disk", "size=256k") as folder:
            self.fill_and_free(folder)

    def test_a_disk_that_takes_no_folder_takes_it_later(self, tmp_path: Path) -> None:
        """The channel begins all the same."""
        with mounted(tmp_path / "disk", "nr_inodes=3,size=1m") as disk:
            (disk / "one").touch()
            (disk / "two").touch()
            keeper = Keeper(disk / "events")
            assert keeper.recover() is None
            keeper.fill(3)
            assert "No space left on device" in keeper.journal.stats().problem
            subprocess.run(["mount", "-o", "remount,nr_inodes=100", str(disk)], check=True)
            keeper.clock.advance(1.0)
            keeper.append("a")
            assert keeper.journal.stats().is_writable
            keeper.journal.close()
            after = Keeper(disk / "events")
            found = after.recover()
            assert found is not None
            assert same(found.chunks, keeper.chunks)
            after.journal.close()

    def test_a_disk_that_nothing_can_be_written_to_begins_a_new_epoch(self, tmp_path: Path) -> None:
        """It could not be noted that events are in memory only."""
        with mounted(tmp_path / "disk", "size=1m") as disk:
            before = Keeper(disk / "events")
            before.recover()
            before.fill(3)
            before.journal.close()
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            keeper = Keeper(disk / "events")
            keeper.epoch = "another epoch"
            assert keeper.recover() is None
            keeper.fill(1)
            assert "Read-only file system" in keeper.journal.stats().problem
            subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
            keeper.clock.advance(1.0)
            keeper.append("a")
            assert keeper.journal.stats().problem == ""
            keeper.journal.close()
            after = Keeper(disk / "events")
            found = after.recover()
            assert found is not None
            assert (found.checkpoint.epoch, found.last) == ("another epoch", 4)
            after.journal.close()

    def fill_and_free(self, folder: Path) -> None:
        """Let the journal and the rest of a disk take all its room, and make some again."""
        keeper = Keeper(folder, segment_bytes=SMALL)
        keeper.recover()
        keeper.fill(20)
        fill_up(folder / "ballast")
        keeper.fill(100)
        stats = keeper.journal.stats()
        assert not stats.is_writable
        assert "No space left on device" in stats.problem
        (folder / "ballast").unlink()
        keeper.clock.advance(1.0)
        keeper.journal.keep(lambda: [durable("archive", 5)])
        keeper.journal.attend(keeper.point)
        assert keeper.journal.stats().is_writable
        keeper.journal.close()
        after = Keeper(folder)
        found = after.recover()
        assert found is not None
        assert same(found.chunks, keeper.chunks)
        assert found.durables == [durable("archive", 5)]
        after.journal.close()


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Mount a small file system in memory."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this machine does not let a test mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill_up(file: Path) -> None:
    """Take all the room of a file system."""
    with file.open("wb", buffering=0) as ballast, suppress(OSError):
        while ballast.write(bytes(512)):
            pass
