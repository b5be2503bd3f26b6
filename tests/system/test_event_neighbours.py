"""Faults of connections and neighbours in a run: they cost time and nothing else."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from idl_like_interfaces.alarms import AlarmFilter, AlarmService
from idl_like_interfaces.clients.event_sender import EventSender
from idl_like_interfaces.event_logger import LoggerControl, RunState
from idl_like_interfaces.event_server import EventServer
from idl_like_interfaces.mapping import narrow, release
from idl_like_interfaces.run_control import Verdict
from nameserver.client import Names
from tests.support.eventually import eventually
from tests.support.nameserver import name_server
from tests.support.relay import Relay
from tests.system.event_fault_load import Load
from tests.system.event_fault_place import LOGGER, READY_S, RUN, Place, place
from tests.system.event_fault_run import STREAM, await_more, judged

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]


@pytest.mark.spec("D33")
def test_cut_connections(tmp_path: Path) -> None:
    """Between a sender and the logger, again and again, with answers lost: nothing is lost or twice."""
    with ExitStack() as stack:
        ready = stack.enter_context(place(tmp_path))
        run = ready.begin([STREAM])
        uri = ready.names.resolve("obs/logger/0/events")
        relay = stack.enter_context(Relay(uri))
        stub = narrow(relay.uri, EventServer)
        stack.callback(release, stub)
        load = stack.enter_context(Load(stub, run))
        for _ in range(15):
            relay.lose(2)
            relay.cut()
            await_more(load, 1)
        relay.lose(0)
        load.stop()
        ended = ready.end()
        assert relay.lost >= 15
        assert judged(ready, ended, load, tmp_path / "data") == []
        assert ended.verdict is Verdict.GOOD


@pytest.mark.spec("D36", "D37", "D38")
def test_all_but_the_logger_away(  # noqa: PLR0915 (one fault from begin to end)
    tmp_path: Path,
) -> None:
    """In the middle of a run: data go on, the status says who is away, alarms come later in order."""
    neighbours = ("alarms", "events", RUN)
    with ExitStack() as stack:
        port = free_port()
        store = str(tmp_path / "names.sqlite")
        server = stack.enter_context(ExitStack())
        server.enter_context(name_server("--port", str(port), "--store", store))
        names = stack.enter_context(Names(("localhost", port)))
        ready = stack.enter_context(Place(tmp_path, port, names))
        ready.start(*neighbours, LOGGER)
        run = ready.begin([STREAM])
        events = narrow(names.resolve("obs/logger/0/events"), EventServer)
        logger = narrow(names.resolve("obs/logger/0/control"), LoggerControl)
        stack.callback(release, events)
        stack.callback(release, logger)
        load = stack.enter_context(Load(events, run))
        await_more(load, 100)
        eventually(lambda: away(logger) == set(), "all are connected", READY_S)
        ready.kill(*neighbours)
        server.close()
        eventually(lambda: away(logger) >= {"run_control", "channel"}, "their absence", READY_S)
        eventually(
            lambda: "alarms" in away(logger), "their service is away, without an alarm", READY_S
        )
        strays = (run + 71, run + 70, run + 72)
        with EventSender(events, "stray") as stray:
            for each in strays:
                stray.send(each, 1, 1, (1,), b"x")
                assert stray.flush(READY_S)
                await_orphan(logger, each)
        await_more(load, 500)
        (known,) = (each for each in logger.get_status().runs if each.run == run)
        assert known.state is RunState.ACTIVE
        server.enter_context(name_server("--port", str(port), "--store", store))
        ready.start(*neighbours)
        service = names.narrow("obs/alarms", AlarmService, READY_S)
        eventually(lambda: len(strayed(service)) == len(strays), "the alarms", READY_S)
        assert strayed(service) == list(strays)
        eventually(lambda: away(logger) == set(), "all are connected again", READY_S)
        load.stop()
        ended = ready.end()
        folder = tmp_path / "data" / "lg0" / "runs" / f"{run:09d}"
        assert judged(ready, ended, load, folder) == []
        assert ended.verdict is Verdict.GOOD


def await_orphan(logger: LoggerControl, run: int) -> None:
    """Wait until the logger has an event of a run that there is not."""
    eventually(lambda: str(run) in logger.get_status().orphans, "an event without a run")


def away(logger: LoggerControl) -> set[str]:
    """Return who is away, as the logger says."""
    links = logger.get_status().links
    return {name for name, how in links.items() if how.startswith("disconnected")}


def strayed(service: AlarmService) -> list[int]:
    """Return the runs of the alarms of events without a run, in the order in which they came."""
    found = service.get_alarms(AlarmFilter(names=["orphan events"]))
    ordered = sorted(found, key=lambda each: each.alarm_id)
    return [int(each.report.object.rpartition(" ")[2]) for each in ordered]


def free_port() -> int:
    """Return a port that nobody has now."""
    with socket.create_server(("localhost", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port
