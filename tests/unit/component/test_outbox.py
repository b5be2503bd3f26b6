"""The durable outbox: announcements that outlive a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.clients.spooler import Counters
from objects.component.outbox import Outbox


class Channel:
    """A supplier whose channel acknowledges, is away, or loses, as the test says."""

    def __init__(self) -> None:
        self.published: list[str] = []
        self.is_there = True
        self.dropped = 0

    @property
    def counters(self) -> Counters:
        return Counters(produced=len(self.published), acknowledged=0, dropped=self.dropped)

    def publish(self, topic: str, body: FileFinished) -> None:
        assert topic == "files/finished"
        self.published.append(body.path)

    def flush(self, timeout_s: float) -> bool:
        return self.is_there


def file(path: str) -> FileFinished:
    return FileFinished(
        path=path, host="here", kind="test", owner="A.1", size_bytes=1, digest="sha256:" + "0" * 64
    )


@pytest.fixture
def channel() -> Channel:
    return Channel()


@pytest.fixture
def outbox(tmp_path: Path, channel: Channel) -> Outbox:
    return Outbox(tmp_path / "outbox", channel, "inc1")


def kept(folder: Path) -> int:
    return len(list((folder / "outbox").glob("*.json")))


def test_an_announcement_is_sent_and_kept(outbox: Outbox, channel: Channel, tmp_path: Path) -> None:
    """It is on disk before anybody has acknowledged it."""
    outbox.add(file("/a"))
    assert (channel.published, kept(tmp_path)) == (["/a"], 1)


def test_what_the_channel_has_is_removed(outbox: Outbox, tmp_path: Path) -> None:
    """After the acknowledgement nothing is left to do."""
    outbox.add(file("/a"))
    outbox.attend()
    assert kept(tmp_path) == 0


def test_it_is_kept_while_the_channel_is_away(
    outbox: Outbox, channel: Channel, tmp_path: Path
) -> None:
    """Without an acknowledgement it stays."""
    channel.is_there = False
    outbox.add(file("/a"))
    outbox.attend()
    assert kept(tmp_path) == 1


def test_what_a_crash_leaves_is_announced_again(
    outbox: Outbox, channel: Channel, tmp_path: Path
) -> None:
    """The next start announces, in order, what nobody had acknowledged."""
    channel.is_there = False
    outbox.add(file("/a"))
    outbox.add(file("/b"))
    after = Channel()
    restarted = Outbox(tmp_path / "outbox", after, "inc2")
    restarted.recover()
    assert after.published == ["/a", "/b"]
    restarted.attend()
    assert kept(tmp_path) == 0


def test_what_the_spool_dropped_is_announced_again(
    outbox: Outbox, channel: Channel, tmp_path: Path
) -> None:
    """An overflow of the supplier's spool does not lose an announcement."""
    outbox.add(file("/a"))
    channel.dropped = 1
    outbox.attend()
    assert (channel.published, kept(tmp_path)) == (["/a", "/a"], 1)
    outbox.attend()
    assert kept(tmp_path) == 0


def test_a_damaged_announcement_is_put_aside(
    outbox: Outbox, channel: Channel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told, and the others go out."""
    outbox.add(file("/a"))
    (tmp_path / "outbox" / "inc0-000001.json").write_text("{")
    after = Channel()
    Outbox(tmp_path / "outbox", after, "inc2").recover()
    assert after.published == ["/a"]
    assert "put aside" in caplog.text


def test_a_disk_that_takes_nothing_does_not_stop_the_announcement(
    channel: Channel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is sent all the same, and the log says that it is not kept."""
    (tmp_path / "outbox").write_text("in the way")
    Outbox(tmp_path / "outbox", channel, "inc1").add(file("/a"))
    assert channel.published == ["/a"]
    assert "is not kept" in caplog.text
