"""What the command line says of components and their supervisor."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from typing_extensions import override

from controller.cli.supervisor import part_line, trouble_of
from controller.health.components import examine_components, examine_supervisor, standings
from controller.health.finding import Verdict
from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.supervision import (
    ComponentObject,
    Health,
    PartState,
    PartStatus,
    Supervisor,
    SupervisorStatus,
)
from objects.component.health import ComponentServant
from objects.component.site import Component
from objects.component.supervisor_servant import SupervisorServant
from tests.support.site import FakeSite
from tests.support.small import SmallInstallation
from tests.unit.controller.running import document, obsorb, ok, refused

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Pump(Component):
    """May run dry."""

    kind = "pump"
    Settings: ClassVar[type[msgspec.Struct]] = msgspec.Struct
    trouble = ""

    @override
    def detail(self) -> str:
        return "pumping"

    @override
    def problem(self) -> str:
        return self.trouble


def health(name: str = "pump", reason: str = "", *, is_ready: bool = True) -> Health:
    return Health(
        component=name,
        kind="pump",
        incarnation="1",
        state=ComponentState.RUNNING,
        is_ready=is_ready,
        reason=reason,
        detail="pumping",
    )


def part(
    name: str = "pump",
    state: PartState = PartState.RUNNING,
    deaths: int = 0,
    last_death: str = "",
    restart_in_s: float = 0.0,
    *,
    is_alarming: bool = False,
) -> PartStatus:
    return PartStatus(
        name=name,
        kind="pump",
        state=state,
        pid=7 if state is PartState.RUNNING else 0,
        since=NOON,
        deaths=deaths,
        last_death=last_death,
        restart_in_s=restart_in_s,
        is_alarming=is_alarming,
    )


def bind(small: SmallInstallation, name: str, servant: object, interface: type) -> None:
    uri = small.adapter.activate(servant, interface, name)
    small.names.context.rebind(name, uri, interface_of(interface).repository_id)


@pytest.fixture
def pump(small: SmallInstallation, tmp_path: Path) -> Pump:
    """A component that is bound as every component is."""
    small.names.context.bind_new_context("obs/components")
    pump = Pump(FakeSite(tmp_path, name="pump"), None)
    servant = ComponentServant(pump, list, [])
    servant.enter(ComponentState.RUNNING)
    bind(small, "obs/components/pump", servant, ComponentObject)
    return pump


def supervised(small: SmallInstallation, *parts: PartStatus) -> list[str]:
    """Bind a supervisor; return where it notes what is to be restarted."""
    restarted: list[str] = []

    def restart(name: str) -> bool:
        restarted.append(name)
        return any(each.name == name for each in parts)

    status: Callable[[], SupervisorStatus] = lambda: SupervisorStatus(  # noqa: E731 (a servant's argument)
        installation="tested", file="/t.toml", host="here", started=NOON, parts=list(parts)
    )
    bind(small, "obs/supervisor", SupervisorServant(status, restart), Supervisor)
    return restarted


class TestPing:
    """``obsorb names ping`` of components."""

    def test_a_component_is_ready(self, small: SmallInstallation, pump: Pump) -> None:
        """By its name alone, by its full name, among all."""
        for name in ("pump", "obs/components/pump", "--all"):
            (line,) = ok("names", "ping", name).splitlines()
            assert line.split()[:3] == ["pump", "ready", "pump"]
            assert line.endswith("pumping")

    def test_one_that_is_not_ready_says_why(self, small: SmallInstallation, pump: Pump) -> None:
        """Exit code 1: a script can wait for readiness."""
        pump.trouble = "the well is dry"
        result = obsorb("names", "ping", "--all", "--json")
        assert result.exit_code == 1
        (found,) = json.loads(result.stdout)
        assert (found["alive"], found["ready"], found["text"]) == (True, False, "the well is dry")

    def test_one_that_has_died_is_known_by_its_supervisor(
        self, small: SmallInstallation, pump: Pump
    ) -> None:
        """Its name is not bound any more; how it died is told all the same."""
        supervised(small, part("dryer", PartState.WAITING, 3, "signal SIGSEGV", 4.0))
        result = obsorb("names", "ping", "--all")
        assert result.exit_code == 1
        dead, ready = result.stdout.splitlines()
        assert dead.split()[:3] == ["dryer", "NOT", "ALIVE"]
        assert dead.endswith("died (signal SIGSEGV), 3 times in all; starts again in 4.0 s")
        assert ready.split()[:2] == ["pump", "ready"]

    def test_an_unknown_component_is_refused(self, small: SmallInstallation, pump: Pump) -> None:
        """With those that there are."""
        said = refused("names", "ping", "obs/components/dryer")
        assert "pump" in said

    def test_an_object_at_the_root_is_no_component(self, small: SmallInstallation) -> None:
        """A name that is bound is what it is."""
        small.names.context.bind("guest", small.names.context.resolve("obs/log").uri)
        assert "guest" in ok("names", "ping", "guest")


class TestSupervisorCommand:
    """``obsorb supervisor``."""

    def test_the_parts_are_listed(self, small: SmallInstallation) -> None:
        """With state, process and what was wrong."""
        supervised(small, part(), part("dryer", PartState.WAITING, 1, "exit code 1", 0.5))
        head, first, second = ok("supervisor", "status").splitlines()
        assert head.startswith("tested on here, up ")
        assert first.split()[:3] == ["pump", "pump", "running"]
        assert second.endswith("died once, last: exit code 1, starts in 0.5s")
        assert [each["name"] for each in document("supervisor", "status")["parts"]] == [
            "pump",
            "dryer",
        ]

    def test_a_part_is_restarted(self, small: SmallInstallation) -> None:
        """One that there is; another one is refused."""
        restarted = supervised(small, part())
        assert "pump" in ok("supervisor", "restart", "pump")
        assert "choose one of pump" in refused("supervisor", "restart", "dryer")
        assert restarted == ["pump", "dryer"]

    def test_a_crash_loop_stands_out(self) -> None:
        """Before all else."""
        looping = part(state=PartState.WAITING, deaths=6, last_death="x", is_alarming=True)
        assert trouble_of(looping).startswith("CRASH LOOP, died 6 times")
        assert trouble_of(part()) == ""
        assert part_line(part(), NOON + timedelta(minutes=1)).endswith("pid 7")


class TestDoctor:
    """What the doctor makes of it."""

    def test_a_component_that_is_well_is_good(self) -> None:
        """With what it does."""
        (found,) = examine_components(standings({"pump": health()}, [part()]))
        assert (found.verdict, found.found) == (Verdict.GOOD, "ready, pumping")

    def test_one_that_does_without_something_is_noted(self) -> None:
        """It works on."""
        well = health(reason="event channel away since 12:00:00 UTC")
        (found,) = examine_components(standings({"pump": well}, []))
        assert (found.verdict, found.found) == (Verdict.NOTE, f"ready, {well.reason}")

    def test_one_that_is_not_ready_is_bad(self) -> None:
        """Its own reason is the cause."""
        (found,) = examine_components(
            standings({"pump": health(reason="the well is dry", is_ready=False)}, [])
        )
        assert (found.verdict, found.cause) == (Verdict.BAD, "the well is dry")

    @pytest.mark.parametrize(
        ("state", "text"),
        [
            (PartState.WAITING, "starts again in"),
            (PartState.ENDED, "ended on request"),
            (PartState.STARTING, "is starting"),
            (PartState.RUNNING, "nobody listens"),
        ],
    )
    def test_one_that_does_not_answer_is_bad(self, state: PartState, text: str) -> None:
        """What its supervisor knows is told, and how to start it again."""
        found = standings({"pump": Transient("nobody listens")}, [part(state=state)])
        (finding,) = examine_components(found)
        assert finding.verdict is Verdict.BAD
        assert text in finding.found
        assert "obsorb supervisor restart pump" in finding.remedy

    def test_one_that_dies_again_and_again_is_noted_while_it_runs(self) -> None:
        """The next death is near."""
        dying = part(deaths=5, last_death="signal SIGSEGV", is_alarming=True)
        (found,) = examine_components(standings({"pump": health()}, [dying]))
        assert found.verdict is Verdict.NOTE
        assert "signal SIGSEGV" in found.found

    def test_an_installation_may_run_without_supervisor(self) -> None:
        """That is noted."""
        (found,) = examine_supervisor(Transient("nobody"))
        assert found.verdict is Verdict.NOTE

    def test_a_name_server_that_has_died_is_bad(self) -> None:
        """It is a part without a name of its own."""
        dead = msgspec.structs.replace(
            part("name server", PartState.WAITING, 1, "signal SIGKILL", 0.5), kind="name server"
        )
        status = SupervisorStatus(
            installation="t", file="/t", host="here", started=NOON, parts=[dead, part()]
        )
        first, second = examine_supervisor(status)
        assert (first.verdict, first.found) == (Verdict.GOOD, "t on here, 1 of 2 parts run")
        assert (second.verdict, second.cause) == (Verdict.BAD, "it died: signal SIGKILL")
