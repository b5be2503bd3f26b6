"""An installation one of whose parts dies again and again: everybody can see it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from idl_like_interfaces.alarms import Alarm, AlarmFilter, AlarmService, Severity
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.supervision import (
    ComponentObject,
    PartState,
    PartStatus,
    Supervisor,
)
from nameserver.client import Names, parse_address
from tests.support.eventually import eventually
from tests.support.installation import OBSORB, running_installation

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

TEXT = """
[installation]
name = "tested"
data_root = "data"
[name_server]
address = "localhost:0"
[component.events]
kind = "events"
[component.alarms]
kind = "alarms"
[component.host1]
kind = "telemetry"
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("supervision")
    with running_installation(folder, TEXT) as address:
        yield address


@pytest.fixture
def names(address: str) -> Iterator[Names]:
    with Names(parse_address(address)) as names:
        yield names


def part(names: Names, name: str) -> PartStatus:
    """Return how a part stands."""
    status = names.narrow("obs/supervisor", Supervisor).get_status()
    return next(each for each in status.parts if each.name == name)


def crash_loops(names: Names) -> list[Alarm]:
    """Return the alarms of crash loops whose condition holds."""
    service = names.narrow("obs/alarms", AlarmService)
    try:
        found = service.get_alarms(AlarmFilter(names=["crash loop"]))
    except RemoteError:
        return []
    return [each for each in found if each.is_active]


def obsorb(*arguments: str, address: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [OBSORB, "--names", address, *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_every_component_is_ready_by_its_name(names: Names, address: str) -> None:
    """Also the supervisor itself."""
    for name in ("events", "alarms", "host1", "supervisor"):
        itself = names.narrow(f"obs/components/{name}", ComponentObject)
        eventually(lambda itself=itself: itself.get_health().is_ready, f"{name} is ready")  # type: ignore[misc]
    shown = obsorb("names", "ping", "--all", address=address)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert [line.split()[:2] for line in shown.stdout.splitlines()] == [
        [name, "ready"] for name in ("alarms", "events", "host1", "supervisor")
    ]


def test_a_crash_loop_raises_an_alarm_and_is_seen_by_name(names: Names, address: str) -> None:
    """Killed five times within a minute: an alarm with remedy, and nobody calls it well."""

    def has_died_again() -> bool:
        now = part(names, "host1")
        if now.state is PartState.RUNNING and not now.is_alarming:
            with suppress(ProcessLookupError):  # it was quicker
                os.kill(now.pid, signal.SIGKILL)
        return now.is_alarming

    eventually(has_died_again, "it has died again and again")
    eventually(lambda: crash_loops(names), "the alarm is there")
    (alarm,) = crash_loops(names)
    assert (alarm.report.object, alarm.source) == ("obs/host1", "obs/supervisor")
    assert alarm.report.severity is Severity.MAJOR
    assert "signal SIGKILL" in alarm.report.text
    assert "obsorb supervisor restart host1" in alarm.report.remedy
    health = names.narrow("obs/components/supervisor", ComponentObject).get_health()
    assert (health.is_ready, "host1" in health.reason) == (False, True)
    shown = obsorb("names", "ping", "supervisor", address=address)
    assert shown.returncode == 1
    assert "these die again and again: host1" in shown.stdout


def test_a_part_is_restarted_by_command(names: Names, address: str) -> None:
    """One that waits at once, one that runs in good order; deaths are not counted for it."""
    before = part(names, "host1")
    assert obsorb("supervisor", "restart", "host1", address=address).returncode == 0

    def runs_again() -> bool:
        now = part(names, "host1")
        return now.state is PartState.RUNNING and now.pid != before.pid

    eventually(runs_again, "it runs again")
    assert part(names, "host1").deaths == before.deaths
    refused = obsorb("supervisor", "restart", "nobody", address=address)
    assert refused.returncode == 1
    assert "host1" in refused.stderr


def test_the_supervisor_outlives_the_name_server(names: Names, address: str) -> None:
    """It starts it again and is found by its name afterwards."""
    os.kill(part(names, "name server").pid, signal.SIGKILL)

    def is_back() -> bool:
        try:
            return part(names, "name server").deaths == 1
        except RemoteError:
            return False

    eventually(is_back, "the name server is back and the supervisor is found")
