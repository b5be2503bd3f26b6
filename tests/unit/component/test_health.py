"""How a component says that it stands."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from typing_extensions import override

from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.clients.spooler import Counters
from objects.component.health import (
    STUCK_AFTER_S,
    Absence,
    ComponentServant,
    Delivery,
    heartbeat_of,
)
from objects.component.site import Component
from tests.support.clock import ManualClock
from tests.support.site import FakeSite


class Settings(msgspec.Struct, kw_only=True):
    pass


class Pump(Component):
    """Runs dry when it is told to."""

    kind = "pump"
    Settings: ClassVar[type[msgspec.Struct]] = Settings
    trouble = ""

    @override
    def detail(self) -> str:
        return "pumping"

    @override
    def problem(self) -> str:
        return self.trouble


@pytest.fixture
def pump(tmp_path: Path) -> Pump:
    return Pump(FakeSite(tmp_path, name="pump"), Settings())


def test_it_is_not_ready_before_it_runs(pump: Pump) -> None:
    """It answers already while it boots, and says so."""
    health = ComponentServant(pump, list, []).get_health()
    assert (health.state, health.is_ready) == (ComponentState.STARTED, False)
    assert health.reason == "it is starting"


def test_a_running_component_is_ready(pump: Pump) -> None:
    """With who it is, what it does and since when."""
    servant = ComponentServant(pump, list, [])
    servant.enter(ComponentState.RUNNING)
    pump.site.clock.advance(2.5)  # type: ignore[attr-defined]
    health = servant.get_health()
    assert (health.component, health.kind, health.detail) == ("pump", "pump", "pumping")
    assert (health.state, health.is_ready, health.reason) == (ComponentState.RUNNING, True, "")
    assert health.uptime_s == 2.5


def test_a_problem_takes_its_readiness(pump: Pump) -> None:
    """Its state is Error as long as the problem lasts, also in its heartbeat."""
    servant = ComponentServant(pump, list, [])
    servant.enter(ComponentState.RUNNING)
    pump.trouble = "the well is dry"
    health = servant.get_health()
    assert (health.is_ready, health.reason) == (False, "the well is dry")
    beat = heartbeat_of(health)
    assert (beat.state, beat.detail) == (ComponentState.ERROR, "the well is dry")
    pump.trouble = ""
    assert servant.get_health().is_ready
    assert heartbeat_of(servant.get_health()).detail == "pumping"


def test_what_it_does_without_takes_no_readiness(pump: Pump) -> None:
    """The reason says which service is away, and since when."""
    absence = Absence("event channel away")
    servant = ComponentServant(pump, list, [absence])
    servant.enter(ComponentState.RUNNING)
    absence.note(pump.site.clock.utc(), is_away=True)
    health = servant.get_health()
    assert health.is_ready
    assert health.reason == "event channel away since 03:04:05 UTC"


def test_an_absence_began_when_it_was_noticed_first() -> None:
    """To see it again does not make it younger; when it is over it is forgotten."""
    clock, absence = ManualClock(), Absence("log service away")
    absence.note(clock.utc(), is_away=True)
    clock.advance(60)
    absence.note(clock.utc(), is_away=True)
    assert absence.said() == "log service away since 03:04:05 UTC"
    absence.note(clock.utc(), is_away=False)
    assert absence.said() == ""


class TestDelivery:
    """From the counters of a spool alone one sees whether its peer is there."""

    @pytest.fixture(autouse=True)
    def _made(self) -> None:
        self.clock = ManualClock()
        self.absence = Absence("event channel away")
        self.now = Counters(produced=0, acknowledged=0, dropped=0)
        self.delivery = Delivery(self.absence, lambda: self.now, self.clock)

    def after(self, seconds: float, produced: int, acknowledged: int, dropped: int = 0) -> str:
        """Let time pass and counters change; return what is said then."""
        self.clock.advance(seconds)
        self.now = Counters(produced=produced, acknowledged=acknowledged, dropped=dropped)
        self.delivery.look()
        return self.absence.said()

    def test_nothing_to_send_is_no_absence(self) -> None:
        """However long it lasts."""
        assert self.after(1, 0, 0) == ""
        assert self.after(100, 0, 0) == ""

    def test_a_peer_that_takes_something_is_there(self) -> None:
        """Even when more waits than it has taken."""
        for step in range(1, 10):
            assert self.after(STUCK_AFTER_S, 1000 * step, step) == ""

    def test_a_peer_that_takes_nothing_is_away(self) -> None:
        """Since it took something last."""
        assert self.after(1, 5, 5) == ""
        assert self.after(1, 6, 5) == ""
        assert self.after(STUCK_AFTER_S, 7, 5) == "event channel away since 03:04:06 UTC"
        assert self.after(50, 90, 5, dropped=70) == "event channel away since 03:04:06 UTC"
        assert self.after(1, 91, 20, dropped=70) == ""
