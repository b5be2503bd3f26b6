"""The alarm service in an installation: killed, stopped, without its event channel."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import psutil
import pytest

from idl_like_interfaces.alarms import (
    AlarmFilter,
    AlarmReport,
    AlarmService,
    Change,
    Column,
    HistoryQuery,
    Severity,
)
from idl_like_interfaces.clients import AlarmReporter
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.mapping import make_incarnation
from nameserver.client import Names, parse_address
from tests.support.eventually import eventually
from tests.support.installation import running_installation

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

INSTALLATION = """
[installation]
name = "tested"
data_root = "data"

[name_server]
address = "localhost:0"

[component.events]
kind = "events"

[component.log]
kind = "log"

[component.alarms]
kind = "alarms"
"""

DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_installation(tmp_path_factory.mktemp("alarms"), INSTALLATION) as address:
        yield address


@pytest.fixture
def names(address: str) -> Iterator[Names]:
    with Names(parse_address(address)) as names:
        yield names


@pytest.fixture
def service(names: Names) -> AlarmService:
    return names.narrow("obs/alarms", AlarmService)


def process_of(names: Names, name: str) -> psutil.Process:
    """Return the process that serves a name."""
    return psutil.Process(int(names.context.resolve(name).metadata["pid"]))


def kill(names: Names, name: str) -> None:
    """Kill what serves a name and wait until another process does."""
    killed = process_of(names, name)
    killed.kill()

    def is_back() -> bool:
        try:
            binding = names.context.resolve(name)
        except RemoteError:
            return False
        return binding.metadata["pid"] != str(killed.pid) and names.is_alive(binding.uri)

    eventually(is_back, f"{name} is back", DEADLINE_S)


def report(name: str, *, latch: bool = False) -> AlarmReport:
    """A condition of a crate."""
    return AlarmReport(
        object="crate 7",
        name=name,
        severity=Severity.MAJOR,
        text="found so",
        cause="age",
        remedy="change it",
        time=datetime.now(UTC),
        latch=latch,
    )


def standing(service: AlarmService, object: str = "crate 7") -> set[str]:
    """Return the names of what is bad."""
    try:
        wanted = AlarmFilter(objects=[object], columns=[Column.BAD])
        return {alarm.report.name for alarm in service.get_alarms(wanted)}
    except RemoteError:
        return set()


@pytest.mark.spec("D61")
@pytest.mark.parametrize(
    "kills", [2, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_a_killed_alarm_service_forgets_nothing(
    names: Names, service: AlarmService, kills: int
) -> None:
    """While a component reports: what holds, what was noted, who acknowledged; each once."""
    chance = random.Random(kills)
    source = f"obs/killed{kills}"
    noted: list[str] = []
    with AlarmReporter(service, source, make_incarnation(), check_s=1.0) as reporter:
        reporter.raise_alarm(report("taken note of"))
        eventually(lambda: "taken note of" in standing(service), "it is told", DEADLINE_S)
        wanted = AlarmFilter(names=["taken note of"], columns=[Column.BAD])
        (alarm,) = service.get_alarms(wanted)
        service.acknowledge([alarm.alarm_id], "anna", "on my way")
        for round_ in range(kills):
            for number in range(50):
                noted.append(f"{source} note {round_}.{number}")
                reporter.note(noted[-1])
                name = f"fan {chance.randrange(20)}"
                if chance.random() < 0.5:
                    reporter.raise_alarm(report(name, latch=True))
                else:
                    reporter.clear_alarm(name, "crate 7")
            kill(names, "obs/alarms")
        assert reporter.flush(DEADLINE_S)
        active = {each.name for each in reporter.active}
    alarms = {alarm.report.name: alarm for alarm in service.get_alarms()}
    assert {name for name, each in alarms.items() if each.source == source and each.is_active} == (
        active
    )
    assert alarms["taken note of"].column is Column.ACKNOWLEDGED
    assert (alarms["taken note of"].by, alarms["taken note of"].comment) == ("anna", "on my way")
    found = service.history(HistoryQuery(changes=[Change.NOTED], text=source, limit=10_000))
    assert [entry.text for entry in found if " note " in entry.text] == noted
    numbers = [entry.number for entry in service.history(HistoryQuery(limit=10_000))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.spec("D59")
def test_a_component_that_hangs_is_missed(names: Names, service: AlarmService) -> None:
    """Until it goes on; the alarm says what to do."""
    # Only who has beaten can be missed.
    eventually(lambda: service.history(HistoryQuery(text="obs/log is")), "it is heard", DEADLINE_S)
    process = process_of(names, "obs/log")
    process.suspend()
    try:
        eventually(lambda: standing(service, "obs/log"), "its silence is told", DEADLINE_S)
    finally:
        process.resume()
    eventually(lambda: not standing(service, "obs/log"), "it is heard again", DEADLINE_S)


def test_nobody_is_blamed_for_a_killed_event_channel(names: Names, service: AlarmService) -> None:
    """Nobody can be heard then; afterwards all are, and the service has said what was wrong."""
    newest = service.history(HistoryQuery(limit=1))[0].number
    kill(names, "obs/events")
    eventually(
        lambda: service.history(HistoryQuery(text="obs/events is", after=newest)),
        "the new channel is heard",
        DEADLINE_S,
    )
    behind = service.history(HistoryQuery(after=newest, filter=AlarmFilter(names=["*silent"])))
    assert {each.alarm.report.object for each in behind if each.alarm} <= {"obs/events"}
    eventually(lambda: not standing(service, "obs/*"), "all is well", DEADLINE_S)
