"""The monitor: several channels, everything written down, troubles called out."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idl_like_interfaces.alarms import PAUSE_TOPIC, Column, PauseCondition, Severity
from idl_like_interfaces.announcements import HEARTBEAT_TOPIC, ComponentState
from idl_like_interfaces.clients import Blindness, Event, EventSupplier
from idl_like_interfaces.clients.monitor import Monitor
from idl_like_interfaces.clients.troubles import Trouble, Troubles
from idl_like_interfaces.daqif import STATUS_TOPIC, AlertSeverity
from idl_like_interfaces.events import Gap, GapReason
from objects.messaging.channel import EventChannelServant
from tests.support.alarms import AlarmBench, clear, heart, report
from tests.support.eventually import eventually
from tests.support.peers import PATIENCE_S
from tests.support.small import alert, status


class Listener:
    """Keeps what a monitor calls out."""

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []
        self.items: list[tuple[str, Any]] = []

    def take(self, trouble: Trouble) -> None:
        self.troubles.append(trouble)

    def see(self, channel: str, item: Any) -> None:
        self.items.append((channel, item))


def event(topic: str, body: Any, source: str = "obs/dpm") -> Event:
    """An event as a consumer gives it."""
    return Event(
        epoch="e",
        sequence=1,
        topic=topic,
        source=source,
        incarnation="i1",
        source_sequence=1,
        time_ns=0,
        repository_id="",
        body=msgspec.to_builtins(body),
    )


@contextmanager
def two_channels() -> Iterator[dict[str, EventChannelServant]]:
    """Yield two channels by name."""
    channels = {name: EventChannelServant(f"{name}1") for name in ("near", "far")}
    yield channels
    for channel in channels.values():
        channel.close()


@pytest.mark.spec("E37")
def test_several_channels_are_followed_and_all_is_written_down(tmp_path: Path) -> None:
    """Each event of each channel once, in order; errors are called out."""
    listener, file = Listener(), tmp_path / "all.jsonl"
    with (
        two_channels() as channels,
        Monitor(dict(channels), listener.take, on_item=listener.see, file=file) as monitor,
    ):
        eventually(
            lambda: all(each.get_stats().consumers for each in channels.values()), "it listens"
        )
        for name, channel in channels.items():
            with_supplier(channel, f"obs/{name}")
        eventually(lambda: len(listener.items) == 204, "all has come")
        eventually(lambda: len(listener.troubles) == 2, "the errors are called out")
        assert monitor.blind == []
    assert {(each.channel, each.text) for each in listener.troubles} == {
        ("near", "obs/near: exposure 7: the disk is full"),
        ("far", "obs/far: exposure 7: the disk is full"),
    }
    written = [json.loads(line) for line in file.read_text().splitlines()]
    for name in channels:
        bodies = [each["body"] for each in written if each["channel"] == name]
        assert bodies[:100] == list(range(100))
        assert len(bodies) == 102


def with_supplier(channel: EventChannelServant, source: str) -> None:
    """Publish a hundred numbers, an error, and the same error again."""
    supplier = EventSupplier(channel, source, "i1")
    for number in range(100):
        supplier.publish("numbers", number)
    for _ in range(2):
        body = {"id": "exposure 7", "severity": "ERROR", "text": "the disk is full"}
        supplier.publish("archive/error", body)
    assert supplier.flush(PATIENCE_S)
    supplier.close()


def test_a_callback_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What it could not take is logged; the next comes."""
    calls: list[Trouble] = []
    is_done = threading.Event()

    def fail(trouble: Trouble) -> None:
        calls.append(trouble)
        if len(calls) == 2:
            is_done.set()
        raise ValueError(trouble.text)

    channel = EventChannelServant("e")
    with Monitor({"near": channel}, fail):
        eventually(lambda: channel.get_stats().consumers, "it listens")
        for number in range(2):
            channel.push("errors", {"severity": "critical", "text": str(number)})
            eventually(lambda number=number: len(calls) > number, "it is called")  # type: ignore[misc]
        assert is_done.wait(PATIENCE_S)
    channel.close()
    assert "could not take" in caplog.text


def test_the_file_is_followed_by_another(tmp_path: Path) -> None:
    """It does not grow for ever; of the older ones the last is kept."""
    listener, file = Listener(), tmp_path / "all.jsonl"
    channel = EventChannelServant("e")
    with Monitor(
        {"near": channel}, listener.take, on_item=listener.see, file=file, file_bytes=2000
    ):
        eventually(lambda: channel.get_stats().consumers, "it listens")
        for number in range(60):
            channel.push("numbers", number)
        eventually(lambda: len(listener.items) == 60, "all has come")
    channel.close()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    older = [json.loads(line) for line in (tmp_path / "all.jsonl.1").read_text().splitlines()]
    numbers = [each["body"] for each in [*older, *lines]]
    assert numbers == list(range(numbers[0], 60))


def test_a_full_disk_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on calling, says what is wrong, and writes again when it can."""
    listener, file = Listener(), tmp_path / "all.jsonl"
    channel = EventChannelServant("e")
    with Monitor({"near": channel}, listener.take, on_item=listener.see, file=file) as monitor:
        eventually(lambda: channel.get_stats().consumers, "it listens")
        good = monitor._file
        full = open("/dev/full", "ab", buffering=0)  # noqa: SIM115, PTH123 (closed below)
        monkeypatch.setattr(monitor, "_file", full)
        channel.push("errors", {"severity": "error", "text": "while full"})
        eventually(lambda: listener.troubles, "it is called out")
        assert os.strerror(errno.ENOSPC) in monitor.problem
        monkeypatch.setattr(monitor, "_file", good)
        full.close()
        channel.push("numbers", 1)
        eventually(lambda: len(listener.items) == 2, "it goes on")
        assert monitor.problem == ""
    channel.close()
    assert [json.loads(line)["body"] for line in file.read_text().split()] == [1]


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """Before anything is followed."""
    with pytest.raises(OSError, match="absent"):
        Monitor({}, Listener().take, file=tmp_path / "absent" / "all.jsonl")


def test_alarms_are_called_out_while_they_are_bad(tmp_path: Path) -> None:
    """Once each, again when they get worse or come back, with cause and remedy."""
    troubles = Troubles()
    with AlarmBench(tmp_path) as bench:
        bench.say(report(), report("glitch"), clear("glitch"))
        bench.wait(1.0)
        bench.say(report(text="2 MB are left"))
        bench.say(report(severity=Severity.FATAL))
        bench.servant.acknowledge([bench.alarm().alarm_id], "anna")
        bench.say(clear(), report(severity=Severity.FATAL))
        bench.wait(1.0)
        bench.servant.unacknowledge([bench.alarm().alarm_id], "anna")
        found = [
            trouble
            for topic, body in bench.events
            for trouble in troubles.of("near", event(topic, body))
        ]
    assert [each.text.rpartition(": ")[2] for each in found] == 3 * ["3 MB are left"]
    assert [each.severity for each in found] == [Severity.MAJOR, Severity.FATAL, Severity.FATAL]
    assert {(each.cause, each.remedy) for each in found} == {("many products", "remove some")}


def test_pauses_errors_and_alerts_are_called_out(tmp_path: Path) -> None:
    """A run that must pause, a component in error, an acquisition with an alert."""
    troubles = Troubles()
    with AlarmBench(tmp_path) as bench:
        bench.say(report(latch=True))
        alarm = bench.alarm()
    assert alarm.column is Column.BAD
    pause = PauseCondition(alarm=alarm, is_over=False, number=3, since=alarm.raised)
    over = msgspec.structs.replace(pause, is_over=True)
    wrong = status(alerts=[alert("cannot merge")], error=True)
    mild = msgspec.structs.replace(alert("slow"), severity=AlertSeverity.WARNING)
    told = [
        (PAUSE_TOPIC, pause, ["a run must pause (3)"]),
        (PAUSE_TOPIC, over, []),
        (HEARTBEAT_TOPIC, heart(ComponentState.ERROR), ["is in error"]),
        (HEARTBEAT_TOPIC, heart(ComponentState.ERROR), []),
        (HEARTBEAT_TOPIC, heart(), []),
        (HEARTBEAT_TOPIC, heart(ComponentState.ERROR), ["is in error"]),
        (HEARTBEAT_TOPIC, {"odd": 1}, ["is no Heartbeat"]),
        (STATUS_TOPIC, wrong, ["cannot merge"]),
        (STATUS_TOPIC, wrong, []),
        (STATUS_TOPIC, status(alerts=[mild]), []),
        ("any/topic", "plain words", []),
        ("any/topic", {"severity": 5, "alerts": "none"}, []),
    ]
    for topic, body, texts in told:
        found = [each.text for each in troubles.of("near", event(topic, body))]
        assert len(found) == len(texts), (topic, found)
        assert all(text in each for text, each in zip(texts, found, strict=True))


def test_what_is_missing_is_trouble() -> None:
    """Of a channel that lost events, or does not answer; not of one that answers again."""
    troubles = Troubles()
    now = datetime(2026, 3, 1, tzinfo=UTC)
    (lost,) = troubles.of("near", Gap(reason=GapReason.NEW_EPOCH, count=-1))
    assert "an unknown number" in lost.text
    (blind,) = troubles.of("near", Blindness(is_over=False, since=now, lasted_s=3.0))
    assert (blind.channel, blind.severity) == ("near", Severity.MAJOR)
    assert blind.cause
    assert troubles.of("near", Blindness(is_over=True, since=now, lasted_s=9.0)) == []
