"""The alarm service as a component: what it hears, tells, and does without its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idl_like_interfaces.alarms import AlarmFilter, Change, HistoryQuery
from idl_like_interfaces.announcements import HEARTBEAT_TOPIC, ComponentState
from idl_like_interfaces.clients import AlarmReporter, EventSupplier
from idl_like_interfaces.errors import BadParam
from objects.alarms import own
from objects.alarms.component import AlarmComponent, AlarmSettings
from objects.alarms.servant import AlarmServiceServant
from objects.messaging.channel import EventChannelServant
from tests.support.alarms import heart, report
from tests.support.eventually import eventually
from tests.support.peers import PATIENCE_S
from tests.support.site import FakeSite
from tests.unit.alarms.test_store import FullDisk


@contextmanager
def running(site: FakeSite, **settings: Any) -> Iterator[AlarmServiceServant]:
    """Run the component as its process does; yield its servant."""
    component = AlarmComponent(site, msgspec.convert(settings, AlarmSettings))
    try:
        component.recover()
        (active,) = component.objects()
        component.start()
        yield active.servant
    finally:
        component.stop()


@pytest.fixture
def site(tmp_path: Path) -> FakeSite:
    return FakeSite(tmp_path, name="alarms")


@pytest.fixture
def channel(site: FakeSite) -> Iterator[EventChannelServant]:
    channel = EventChannelServant("e1")
    site.bind("obs/events", channel)
    yield channel
    channel.close()


def noted(servant: AlarmServiceServant) -> list[str]:
    """Return the notes of the history."""
    query = HistoryQuery(changes=[Change.NOTED])
    return [entry.text for entry in servant.history(query)]


@pytest.mark.spec("D60")
def test_it_hears_the_hearts_on_the_channel(site: FakeSite, channel: EventChannelServant) -> None:
    """And what is no heartbeat ends nothing."""
    with running(site) as servant:
        eventually(lambda: channel.get_stats().consumers, "it listens")
        supplier = EventSupplier(channel, "obs/dpm", "i1")
        supplier.publish(HEARTBEAT_TOPIC, "no heartbeat")
        for state in (ComponentState.STARTED, ComponentState.RUNNING):
            supplier.publish(HEARTBEAT_TOPIC, heart(state))
        assert supplier.flush(PATIENCE_S)
        supplier.close()
        eventually(lambda: len(noted(servant)) == 2, "it has heard them")
        assert noted(servant)[1] == "obs/dpm is running (it was started)"


def test_changes_are_told_urgently(site: FakeSite, channel: EventChannelServant) -> None:
    """On their topic, once the condition has held for a moment."""
    with running(site) as servant, AlarmReporter(servant, "obs/dpm", "i1") as reporter:
        reporter.raise_alarm(report())
        assert reporter.flush(PATIENCE_S)
        site.tick()
        assert [topic for topic, _ in site.events] == []
        site.clock.advance(1.0)
        site.tick()
        assert [topic for topic, _ in site.events] == ["alarms/changed"]
        assert servant.get_stats().columns["bad"] == 1


def test_it_works_without_an_event_channel(site: FakeSite) -> None:
    """Alarms are taken and shown; that nobody can be heard is one of them."""
    with running(site) as servant, AlarmReporter(servant, "obs/dpm", "i1") as reporter:
        reporter.raise_alarm(report())
        assert reporter.flush(PATIENCE_S)

        def is_said() -> bool:
            site.clock.advance(1.0)
            site.tick()
            return own.DEAF in {each.report.name for each in servant.get_alarms()}

        eventually(is_said, "it says that it hears nothing")
        assert {each.report.name for each in servant.get_alarms()} == {own.DEAF, "disk full"}
        assert servant.get_stats().silent == []


def test_settings_reach_the_decisions(site: FakeSite, channel: EventChannelServant) -> None:
    """Who is supervised, what pauses a run, what a glitch is."""
    settings = {
        "supervised": [{"component": "ocm", "period_s": 5.0}],
        "pause_conditions": [{"names": ["disk*"]}],
        "glitch_s": 0.0,
    }
    with running(site, **settings) as servant:
        with AlarmReporter(servant, "obs/dpm", "i1") as reporter:
            reporter.raise_alarm(report())
            assert reporter.flush(PATIENCE_S)
        (pause,) = servant.pause_conditions()
        assert pause.alarm.report.name == "disk full"
        for _ in range(7):
            site.clock.advance(1.0)
            servant.beat("obs/alarms", heart(component="alarms"))
            site.tick()
        assert servant.get_stats().silent == ["obs/ocm"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"supervised": [{"component": "ocm", "period_s": 1.0}]},
        {"supervised": [{"component": ""}]},
        {"glitch_s": -1.0},
        {"kept_files": 0},
        {"unknown": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    """A period that heartbeats cannot keep, above all."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, AlarmSettings)


def test_a_wrong_filter_in_the_settings_is_refused(site: FakeSite) -> None:
    """At the start, with its place."""
    with pytest.raises(BadParam) as refusal, running(site, pause_conditions=[{"objects": [""]}]):
        pass
    assert refusal.value.field == "pause_conditions[0].objects[0]"


def test_a_folder_that_cannot_be_used_is_refused(site: FakeSite) -> None:
    """With what was found and what to do."""
    (site.data_root / "alarms").write_text("a file")
    with pytest.raises(BadParam, match="cannot use") as refusal, running(site):
        pass
    assert (refusal.value.field, bool(refusal.value.remedy)) == ("folder", True)


@pytest.mark.parametrize("forgets", [True, False])
def test_a_reporter_and_a_restarted_service_agree(
    site: FakeSite, channel: EventChannelServant, *, forgets: bool
) -> None:
    """With its store and without it; what was over in between is over."""
    with running(site) as servant:
        site.bind("obs/alarms", servant)
        reporter = AlarmReporter(
            site.narrow("obs/alarms", AlarmServiceServant), "obs/dpm", "i1", check_s=0.05
        )
        for name in ("a", "b", "c"):
            reporter.raise_alarm(report(name, latch=True))
        assert reporter.flush(PATIENCE_S)
    site.unbind("obs/alarms")
    reporter.clear_alarm("b", "obs/dpm")
    reporter.raise_alarm(report("d", latch=True))
    if forgets:
        for file in (site.data_root / "alarms").iterdir():
            file.unlink()
    with running(site) as servant:
        site.bind("obs/alarms", servant)

        def active() -> set[str]:
            return {each.report.name for each in servant.get_alarms() if each.is_active}

        eventually(lambda: active() == {"a", "c", "d"}, "they agree")
        assert {each.source for each in servant.get_alarms()} == {"obs/dpm"}
        reporter.close()
        assert servant.get_alarms(AlarmFilter(names=["b"])) == [] or not forgets


def test_what_it_does_is_said_with_its_heartbeat(site: FakeSite) -> None:
    """In a few words; nothing before it has a store."""
    component = AlarmComponent(site, AlarmSettings())
    assert component.detail() == ""
    component.recover()
    assert component.detail() == "0 bad, 0 acknowledged, 0 good"
    component.stop()


def test_with_a_full_disk_it_is_not_ready(
    site: FakeSite, channel: EventChannelServant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why, until all is written that waits."""
    component = AlarmComponent(site, AlarmSettings())
    try:
        component.recover()
        component.start()
        (active,) = component.objects()
        disk = FullDisk(monkeypatch)
        with AlarmReporter(active.servant, "obs/dpm", "i1") as reporter:
            reporter.raise_alarm(report())
            assert reporter.flush(PATIENCE_S)
        assert "No space left" in component.problem()
        disk.is_full = False

        def is_well() -> bool:
            site.clock.advance(1.0)
            site.tick()
            return not component.problem()

        eventually(is_well, "all is written")
    finally:
        component.stop()
