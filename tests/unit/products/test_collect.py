"""Collecting source files."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.daqif import DaqAlert
from objects.products.cancel import Cancel, Cancelled
from objects.products.collect import REST_S, Collector
from objects.products.remote import Network, NetworkSettings, RsyncSettings
from objects.products.sources import SourceFile
from objects.products.workspace import MERGE_LOG
from tests.support.clock import ManualClock
from tests.support.products import HEADER, make_source

STOPPED = datetime(2026, 1, 2, tzinfo=UTC)
HERE = frozenset({"", "localhost"})

Collect = Callable[..., list[DaqAlert]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of an acquisition."""
    (tmp_path / "job" / "sources").mkdir(parents=True)
    return tmp_path / "job"


@pytest.fixture
def collector() -> Collector:
    """Return one that reaches no other host."""
    settings = RsyncSettings(program="no-such-rsync")
    return Collector(HERE, Network(NetworkSettings(rsync=settings)), ManualClock(STOPPED))


@pytest.fixture
def collected(folder: Path, collector: Collector) -> Collect:
    """Return a function that collects one file as ``sources/0_s_a.fits``."""

    def run(
        origin: Path | str, *, is_target: bool = False, cancel: Cancel | None = None
    ) -> list[DaqAlert]:
        file = SourceFile(
            source_name="s", origin=str(origin), path="sources/0_s_a.fits", is_target=is_target
        )
        found = collector.collect([file], folder, STOPPED, cancel or Cancel())
        return found.alerts

    return run


def test_a_source_is_linked_the_target_is_not(
    tmp_path: Path, folder: Path, collected: Collect
) -> None:
    """What the merger would change is never the original."""
    origin = make_source(tmp_path / "a.fits")
    copy = folder / "sources" / "0_s_a.fits"
    assert collected(origin) == []
    assert copy.samefile(origin)
    copy.unlink()
    assert collected(origin, is_target=True) == []
    assert not copy.samefile(origin)
    with copy.open("ab") as file:
        file.write(b"changed")
    assert origin.read_bytes() == HEADER + b"frames"


def test_a_symbolic_link_is_followed(tmp_path: Path, folder: Path, collected: Collect) -> None:
    """The copy is the file itself: it stays when the link goes."""
    origin = make_source(tmp_path / "a.fits")
    (tmp_path / "link.fits").symlink_to(origin)
    assert collected(tmp_path / "link.fits") == []
    assert (folder / "sources" / "0_s_a.fits").samefile(origin)


def test_without_links_the_file_is_copied_with_its_time(
    tmp_path: Path, folder: Path, collected: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its time it is seen later whether the original has changed."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    origin = make_source(tmp_path / "a.fits", b"x" * (5 << 20))
    copy = folder / "sources" / "0_s_a.fits"
    assert collected(origin) == []
    assert copy.read_bytes() == origin.read_bytes()
    assert copy.stat().st_mtime_ns == origin.stat().st_mtime_ns
    inode = copy.stat().st_ino
    collected(origin)
    assert copy.stat().st_ino == inode
    assert [p.name for p in (folder / "sources").iterdir()] == ["0_s_a.fits"]


def test_a_reflink_is_preferred_to_a_copy(
    tmp_path: Path, folder: Path, collected: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system clones, no data are copied."""

    def clone(writing: int, request: int, reading: int) -> int:
        assert request == 0x40049409
        os.write(writing, HEADER + b"cloned")
        return 0

    monkeypatch.setattr(fcntl, "ioctl", clone)
    assert collected(make_source(tmp_path / "a.fits"), is_target=True) == []
    assert (folder / "sources" / "0_s_a.fits").read_bytes() == HEADER + b"cloned"


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ("/no/such/a.fits", "No such file"),
        ("/dev/null", "not a regular file"),
        ("/tmp", "not a regular file"),
        ("far:/data/a.fits", "no program 'no-such-rsync'"),
    ],
)
def test_what_cannot_be_collected_is_an_error_with_a_remedy(
    collected: Collect, origin: str, says: str
) -> None:
    """The alert names file and source, cause and remedy."""
    (alert,) = collected(origin)
    assert alert.id == "collect/0_s_a.fits"
    assert says in alert.description
    assert origin in alert.description
    assert alert.cause
    assert alert.remedy


def test_a_request_to_end_is_heard_between_two_blocks(
    tmp_path: Path, folder: Path, collected: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that is under way leaves nothing behind."""
    cancel = Cancel()
    write = os.write

    def ask(descriptor: int, content: bytes) -> int:
        cancel.request()
        return write(descriptor, content)

    monkeypatch.setattr(os, "write", ask)
    with pytest.raises(Cancelled):
        collected(make_source(tmp_path / "a.fits"), is_target=True, cancel=cancel)
    assert list((folder / "sources").iterdir()) == []


def test_a_blocked_step_is_woken_once_and_never_later() -> None:
    """Asked before, within or after: the wake-up comes within only."""
    woken: list[str] = []
    early, late = Cancel(), Cancel()
    early.request()
    with early.waking(lambda: woken.append("early")):
        early.request()
    with late.waking(lambda: woken.append("late")):
        pass
    late.request()
    assert woken == ["early"]


@pytest.mark.parametrize(
    ("content", "says", "cause"),
    [
        (b"", "it is empty", "has not written anything"),
        (b"hello, world", "it begins with b'hello, wo'", "another file"),
        (b"\x1f\x8b\x08more", "no FITS file", "packed (gzip)"),
        (b"\x28\xb5\x2f\xfdmore", "no FITS file", "packed (zstd)"),
    ],
)
def test_what_no_merger_could_use_is_told_before_the_merge(
    tmp_path: Path, collected: Collect, content: bytes, says: str, cause: str
) -> None:
    """By its first bytes."""
    (tmp_path / "a.fits").write_bytes(content)
    os.utime(tmp_path / "a.fits", (0, 0))
    (alert,) = collected(tmp_path / "a.fits")
    assert alert.id == "collect/0_s_a.fits"
    assert says in alert.description
    assert cause in alert.cause
    assert alert.remedy


def test_a_fifo_and_a_file_that_may_not_be_read_hang_nobody(
    tmp_path: Path, collected: Collect
) -> None:
    """They are looked at before they are opened."""
    os.mkfifo(tmp_path / "fifo")
    (alert,) = collected(tmp_path / "fifo")
    assert "not a regular file" in alert.description
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (alert,) = collected(tmp_path / "loop")
    assert "symbolic links" in alert.description


def test_a_file_that_grows_while_it_is_copied_is_not_taken(
    tmp_path: Path, folder: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of what was added would be in the copy; nothing of it stays, and it may pass."""
    origin = make_source(tmp_path / "a.fits", b"x" * (9 << 20))
    write = os.write

    def grow(descriptor: int, content: bytes) -> int:
        writing.write(b"more")
        return write(descriptor, content)

    file = SourceFile(source_name="s", origin=str(origin), path="sources/a", is_target=True)
    with origin.open("ab", buffering=0) as writing:
        monkeypatch.setattr(os, "write", grow)
        found = collector.collect([file], folder, STOPPED, Cancel())
        monkeypatch.undo()
    assert found.passing
    assert "changed while it was copied" in found.alerts[0].description
    assert list((folder / "sources").iterdir()) == []
    os.utime(origin, (0, 0))
    again = collector.collect([file], folder, STOPPED, Cancel())
    assert not again.has_failed
    assert (folder / "sources" / "a").read_bytes() == origin.read_bytes()


def test_a_file_that_is_written_to_after_the_stop_is_waited_for(
    tmp_path: Path, folder: Path
) -> None:
    """Left alone for a while it is taken, with a warning."""
    clock = ManualClock(STOPPED)
    collector = Collector(HERE, Network(NetworkSettings()), clock)
    origin = make_source(tmp_path / "a.fits")
    later = STOPPED.timestamp() + 1
    os.utime(origin, (later, later))
    file = SourceFile(source_name="s", origin=str(origin), path="sources/a")
    clock.advance(2)
    found = collector.collect([file], folder, STOPPED, Cancel())
    assert found.passing
    assert "1.0 s ago, after the stop" in found.alerts[0].description
    clock.advance(REST_S)
    found = collector.collect([file], folder, STOPPED, Cancel())
    assert [alert.id for alert in found.alerts] == ["collect/time/a"]
    assert not found.has_failed


@pytest.mark.parametrize("is_target", [False, True])
def test_a_change_after_collecting_is_seen(
    tmp_path: Path, folder: Path, collector: Collector, is_target: bool
) -> None:
    """Of a link as of a copy; an original that is gone has not changed."""
    origin = make_source(tmp_path / "a.fits")
    file = SourceFile(source_name="s", origin=str(origin), path="sources/a", is_target=is_target)
    collector.collect([file], folder, STOPPED, Cancel())
    marks = collector.marks([file], folder)
    assert not collector.changes(marks).has_failed
    with origin.open("ab") as writing:
        writing.write(b"late frame")
    changed = collector.changes(marks)
    assert changed.passing
    assert "changed while it was merged" in changed.alerts[0].description
    origin.unlink()
    assert not collector.changes(marks).has_failed


def test_a_file_that_was_named_again_is_told(
    tmp_path: Path, folder: Path, collector: Collector
) -> None:
    """With all who named it."""
    origin = make_source(tmp_path / "a.fits")
    file = SourceFile(source_name="s", origin=str(origin), path="sources/a", named_by=("m", "n"))
    (alert,) = collector.collect([file], folder, STOPPED, Cancel()).alerts
    assert (alert.id, alert.severity.value) == ("collect/twice/a", "Warning")
    assert "named again by m, n" in alert.description


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int], None]:
    """Return a function that lets every look at a file fail, as where its server is away."""
    stat = os.stat

    def take_away(lost: Path, number: int) -> None:
        def look(path: Any, *args: Any, **options: Any) -> os.stat_result:
            if path == lost or path == str(lost):
                raise OSError(number, os.strerror(number), str(lost))
            return stat(path, *args, **options)

        monkeypatch.setattr(os, "stat", look)

    return take_away


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("is_target", [False, True])
def test_an_original_that_cannot_be_looked_at_costs_no_good_copy(
    tmp_path: Path,
    folder: Path,
    collected: Collect,
    away: Callable[[Path, int], None],
    number: int,
    is_target: bool,
) -> None:
    """What was collected is taken as it is: it need not be collected again."""
    origin = make_source(tmp_path / "a.fits")
    collected(origin, is_target=is_target)
    inode = (folder / "sources" / "0_s_a.fits").stat().st_ino
    away(origin, number)
    assert collected(origin, is_target=is_target) == []
    assert (folder / "sources" / "0_s_a.fits").stat().st_ino == inode


def test_a_target_that_a_merger_may_have_changed_waits_for_its_original(
    tmp_path: Path, folder: Path, collector: Collector, away: Callable[[Path, int], None]
) -> None:
    """Nobody can tell what it was: it is kept, and tried again by itself."""
    origin = make_source(tmp_path / "a.fits")
    file = SourceFile(source_name="s", origin=str(origin), path="sources/a", is_target=True)
    collector.collect([file], folder, STOPPED, Cancel())
    make_source(folder / MERGE_LOG)
    away(origin, errno.ESTALE)
    found = collector.collect([file], folder, STOPPED, Cancel())
    assert found.passing
    assert "Stale file handle" in found.alerts[0].description
    assert "file server" in found.alerts[0].cause
    assert (folder / "sources" / "a").exists()


def test_an_original_whose_server_is_away_is_tried_again_by_itself(
    tmp_path: Path, folder: Path, collector: Collector, away: Callable[[Path, int], None]
) -> None:
    """As one of another host is."""
    origin = make_source(tmp_path / "a.fits")
    file = SourceFile(source_name="s", origin=str(origin), path="sources/a")
    away(origin, errno.ESTALE)
    found = collector.collect([file], folder, STOPPED, Cancel())
    assert found.has_failed
    assert found.passing
