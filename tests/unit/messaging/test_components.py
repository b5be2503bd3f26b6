"""The event channel as a component."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from idl_like_interfaces.alarms import Severity
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.events import EventChannel, Gap, GapReason
from objects.messaging.channel import EventChannelServant
from objects.messaging.components import DAMAGED, NOT_WRITABLE, EventChannelComponent
from objects.messaging.segments import scan
from tests.support.batches import make_batch, sequences
from tests.support.journals import change
from tests.support.site import FakeSite

OBJECT = "obs/events"


def _component(site: FakeSite, **settings: object) -> EventChannelComponent:
    component = EventChannelComponent(
        site, msgspec.convert(settings, EventChannelComponent.Settings)
    )
    component.recover()
    return component


def _channel(component: EventChannelComponent) -> EventChannelServant:
    (offered,) = component.objects()
    assert isinstance(offered.servant, EventChannelServant)
    return offered.servant


def _site(folder: Path, incarnation: str) -> FakeSite:
    site = FakeSite(folder, name="events")
    site.incarnation = incarnation
    return site


def test_the_channel_is_offered_under_its_known_path(tmp_path: Path) -> None:
    """With an epoch that is the component's incarnation when there was none before."""
    site = FakeSite(tmp_path)
    component = _component(site)
    (offered,) = component.objects()
    assert (offered.path, offered.interface) == ("events", EventChannel)
    assert offered.servant.publish(make_batch(1, ["a"])).epoch == site.incarnation
    assert component.detail() == "1 events, 0 consumers"
    component.stop()


def test_a_restarted_channel_goes_on_in_its_epoch(tmp_path: Path) -> None:
    """An installation that says nothing of it has a journal in its folder of data."""
    for start in range(1, 4):
        component = _component(_site(tmp_path, f"start-{start}"))
        reply = _channel(component).publish(make_batch(start, ["a"]))
        assert (reply.epoch, reply.last) == ("start-1", start)
        component.stop()
    assert list((tmp_path / "events").glob("*.events"))


def test_without_a_journal_each_start_is_an_epoch(tmp_path: Path) -> None:
    """An empty setting asks for that; nothing is on disk."""
    for start in ("one", "two"):
        component = _component(_site(tmp_path, start), journal="")
        channel = _channel(component)
        assert channel.publish(make_batch(1, ["a"])).epoch == start
        assert channel.get_stats().journal is None
        component.stop()
    assert list(tmp_path.iterdir()) == []


def test_the_channel_holds_what_its_settings_say(tmp_path: Path) -> None:
    """The bounds come from the installation file."""
    site = FakeSite(tmp_path)
    component = _component(site, max_events=2, max_age_s=60)
    component.start()
    channel = _channel(component)
    for first in range(1, 6):
        channel.publish(make_batch(first, ["a"]))
    assert channel.get_stats().first == 4
    site.clock.advance(61.0)
    site.tick()
    assert channel.get_stats().first == 6
    component.stop()


def test_a_journal_that_another_channel_has_stops_the_start(tmp_path: Path) -> None:
    """The component does not come up, and can be stopped all the same."""
    component = _component(FakeSite(tmp_path))
    other = EventChannelComponent(FakeSite(tmp_path), EventChannelComponent.Settings())
    with pytest.raises(BadParam, match="in use"):
        other.recover()
    other.stop()
    assert other.detail() == ""
    component.stop()


def test_a_journal_that_cannot_be_written_raises_an_alarm(tmp_path: Path) -> None:
    """It says what to do, and ends by itself when the journal is written again."""
    site = _site(tmp_path, "one")
    component = _component(site, segment_bytes=4096)
    component.start()
    channel = _channel(component)
    site.tick()
    assert (OBJECT, NOT_WRITABLE) not in site.alarms
    folder = (tmp_path / "events").rename(tmp_path / "gone")
    (tmp_path / "events").touch()
    for first in range(1, 1000, 10):
        channel.publish(make_batch(first, ["a"] * 10))
    site.tick()
    alarm = site.alarms[OBJECT, NOT_WRITABLE]
    assert "File exists" in alarm.text
    assert alarm.severity is Severity.MAJOR
    assert "make room" in alarm.remedy
    assert component.problem() == f"events are kept in memory only: {alarm.text}"
    (tmp_path / "events").unlink()
    folder.rename(tmp_path / "events")
    site.clock.advance(1.0)
    site.tick()
    assert (OBJECT, NOT_WRITABLE) not in site.alarms
    assert component.problem() == ""
    component.stop()
    again = _component(_site(tmp_path, "two"))
    reply = _channel(again).publish(make_batch(1001, ["a"]))
    assert (reply.epoch, reply.last) == ("one", 1001)
    again.stop()


def test_a_damaged_journal_raises_an_alarm_until_its_files_are_gone(tmp_path: Path) -> None:
    """Consumers get a gap for what is missing."""
    component = _component(_site(tmp_path, "one"))
    for first in range(1, 4):
        _channel(component).publish(make_batch(first, ["a"]))
    component.stop()
    (file,) = (tmp_path / "events").glob("*.events")
    second = [each for each in scan(file.read_bytes()).records if each.label.kind == 2][1]
    change(file, lambda content: content.__setitem__(second.end - 1, 0))
    site = _site(tmp_path, "two")
    component = _component(site)
    component.start()
    site.tick()
    assert f"{file.name}.damaged" in site.alarms[OBJECT, DAMAGED].text
    reply = _channel(component).pull("oldest")
    assert [each.sequence for each in reply.events] == [1]
    reply = _channel(component).pull(reply.cursor)
    assert reply.gaps == [Gap(reason=GapReason.DAMAGED, count=1, first=2, last=2)]
    assert [each.sequence for each in reply.events] == [3]
    file.with_name(f"{file.name}.damaged").unlink()
    site.clock.advance(1.0)
    site.tick()
    assert (OBJECT, DAMAGED) not in site.alarms
    component.stop()


def test_an_older_value_is_never_told_as_the_latest(tmp_path: Path) -> None:
    """The event is damaged, but the checkpoint behind it has it, too."""
    component = _component(_site(tmp_path, "one"))
    channel = _channel(component)
    channel.publish(make_batch(1, ["status"]))
    channel.publish(make_batch(2, ["status"]))
    channel.publish(make_batch(3, ["other"]))
    component.stop()
    component = _component(_site(tmp_path, "two"))
    component.stop()
    file = min((tmp_path / "events").glob("*.events"))
    second = [each for each in scan(file.read_bytes()).records if each.label.kind == 2][1]
    change(file, lambda content: content.__setitem__(second.end - 1, 0))
    component = _component(_site(tmp_path, "three"))
    reply = _channel(component).pull("latest")
    assert [(each.topic, each.sequence) for each in reply.events] == [("status", 2), ("other", 3)]
    component.stop()


def test_durable_subscriptions_survive_a_restart(tmp_path: Path) -> None:
    """The one who comes back gets exactly what he has not acknowledged."""
    component = _component(_site(tmp_path, "one"))
    channel = _channel(component)
    begun = channel.connect_consumer("archive", ["**"], durable=True)
    channel.publish(make_batch(1, ["a", "a"]))
    first = channel.fetch(begun.subscription_id, begun.cursor, timeout_s=0.0)
    channel.publish(make_batch(3, ["a"]))
    channel.fetch(begun.subscription_id, first.cursor, timeout_s=0.0)
    component.stop()
    component = _component(_site(tmp_path, "two"))
    channel = _channel(component)
    again = channel.connect_consumer("archive", ["**"], durable=True)
    assert again.cursor == first.cursor
    found = channel.fetch(again.subscription_id, again.cursor, timeout_s=0.0)
    assert (sequences(found), found.gaps) == ([3], [])
    component.stop()


def test_what_was_taken_before_a_restart_is_still_a_duplicate(tmp_path: Path) -> None:
    """A supplier that did not hear the answer sends it again; its events are there once."""
    component = _component(_site(tmp_path, "one"))
    _channel(component).publish(make_batch(1, ["a", "b"]))
    component.stop()
    component = _component(_site(tmp_path, "two"))
    reply = _channel(component).publish(make_batch(1, ["a", "b", "c"]))
    assert (reply.accepted, reply.duplicates, reply.last) == (1, 2, 3)
    component.stop()


def test_the_latest_values_survive_a_restart(tmp_path: Path) -> None:
    """Also those whose events are held no longer."""
    component = _component(_site(tmp_path, "one"), max_events=3, segment_bytes=4096)
    channel = _channel(component)
    channel.publish(make_batch(1, ["rare"]))
    for first in range(2, 500):
        channel.publish(make_batch(first, ["often"]))
    component.stop()
    component = _component(_site(tmp_path, "two"), max_events=3, segment_bytes=4096)
    reply = _channel(component).pull("latest")
    assert [(each.topic, each.sequence) for each in reply.events] == [("rare", 1), ("often", 499)]
    component.stop()


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_events": 0},
        {"max_event": 1},
        {"forget_after_s": "x"},
        {"segment_bytes": 1},
        {"max_age_s": -1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    """Values out of range, unknown names and wrong types."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, EventChannelComponent.Settings)


def test_the_processes_start_without_heavy_libraries() -> None:
    """Importing the components loads nothing that costs a start-up."""
    program = (
        "import sys, objects.messaging.components, objects.messaging.log_component, idl_like_interfaces.clients; "
        "print(sorted({'astropy', 'numpy', 'rich', 'typer', 'sqlalchemy', 'Pyro5'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=50
    )
    assert done.stdout.strip() == "[]"
