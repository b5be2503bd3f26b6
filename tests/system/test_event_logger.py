"""An event logger as a process: killed and started again, and with all its services away."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from idl_like_interfaces.alarms import AlarmFilter
from idl_like_interfaces.clients.event_sender import EventSender
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.event_logger import (
    FileState,
    LoggerControl,
    LoggerInit,
    LoggerRunStart,
    LoggerState,
    RunState,
)
from idl_like_interfaces.event_server import EventServer
from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.run_control import Member, Orders, RunControl
from nameserver.client import Names, Offer, Registration
from nameserver.server import NameServer
from objects.alarms.component import AlarmComponent
from objects.component.host import ComponentHost
from objects.logger_stream.files.reader import EventFile
from tests.support.event_logger import streams
from tests.support.eventually import eventually

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

CONTROL = "obs/logger/0/control"
EVENTS = "obs/logger/0/events"


class LoggerProcess(Closing):
    """A logger in a process of its own, known by its names; a context manager.

    Args:
        folder: Of the installation.
        port: Of the name server.
        settings: Further lines of its table in the installation file.
    """

    def __init__(self, folder: Path, port: int, settings: str = "") -> None:
        file = folder / "installation.toml"
        file.write_text(
            '[installation]\nname = "tested"\ndata_root = "data"\n\n'
            f'[name_server]\naddress = "localhost:{port}"\n\n'
            f'[component.logger0]\nkind = "logger"\n{settings}\n'
        )
        self._command = [sys.executable, "-m", "objects.component.process"]
        self._command += [str(file), "logger0", f"localhost:{port}"]
        self.names = Names(("localhost", port))
        self.control = self.names.narrow(CONTROL, LoggerControl, 20.0)
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("ready"), line

    def kill(self) -> None:
        """End it as a crash does (kill -9)."""
        assert self._process is not None
        self._process.kill()
        self._reap()

    def end(self) -> int:
        """Ask it to end, as a supervisor does; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._reap()

    def sender(self, **more: Any) -> EventSender:
        """Return a sender of events to it."""
        return EventSender(self.names.narrow(EVENTS, EventServer), name="cr1", **more)

    def _reap(self) -> int:
        process, self._process = self._process, None
        assert process is not None
        assert process.stdout is not None
        code = process.wait(30.0)
        process.stdout.close()
        return code

    @override
    def close(self) -> None:
        if self._process is not None:
            self.kill()
        self.names.close()


class Conductor:
    """Run control that gives the orders of the test."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.orders = Orders()

    def enroll(self, member: Member) -> Orders:
        """See ``RunControl.enroll``."""
        self.members.append(member)
        return self.orders


class Offered(Closing):
    """An object of the test under a name."""

    def __init__(self, names: Names, path: str, interface: type, servant: object) -> None:
        self._adapter = ObjectAdapter()
        uri = self._adapter.activate(servant, interface, path)
        self._adapter.start()
        offer = Offer(name=path, uri=uri, interface=interface)
        self._registration = Registration(names, "test", [offer], {}, term_s=600.0)
        self._registration.claim()

    @override
    def close(self) -> None:
        self._registration.release()
        self._adapter.close()


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer("localhost", 0) as server:
        yield server


@pytest.fixture
def logger(server: NameServer, tmp_path: Path) -> Iterator[LoggerProcess]:
    with LoggerProcess(tmp_path, server.port) as logger:
        yield logger


def begin(logger: LoggerProcess, run: int = 1, fence: int = 0) -> None:
    """Bring it to RUNNING."""
    logger.control.init(LoggerInit(), fence)
    logger.control.configure(streams(1, 2), fence)
    logger.control.start_run(LoggerRunStart(run=run, comment="tested"), fence)


def numbers(logger: LoggerProcess, run: int, stream: str) -> list[int]:
    """Return the numbers of the events in the files of a stream of a run that has ended."""
    files = [each for each in logger.control.get_certificate(run).files if each.stream == stream]
    found: list[int] = []
    for each in files:
        assert each.state is FileState.CLOSED
        with EventFile(Path(each.path)) as file:
            found += [event.header.event for event in file]
    return found


@pytest.mark.spec("D47")
@pytest.mark.spec("D38")
def test_it_comes_back_from_a_kill(logger: LoggerProcess) -> None:
    """INIT, CONFIG and the run are restored without run control; no event is lost, none twice."""
    begin(logger)
    with logger.sender() as sender:
        for number in range(1, 501):
            sender.send(1, number, 1, (1, 2), b"x" * 100)
        assert sender.wait_durable(30.0)
        for number in range(501, 1001):
            sender.send(1, number, 2, (1,) if number % 2 else (1, 2), b"x" * 100)
        logger.kill()
        logger.start()
        status = logger.control.get_status()
        (run,) = status.runs
        assert status.state is LoggerState.RUNNING
        assert (run.state, run.is_restored) == (RunState.PAUSED, True)
        assert status.links["run_control"].startswith("disconnected")
        assert [each.name for each in status.streams] == ["s1", "s2"]
        logger.control.resume(1)
        assert sender.wait_durable(60.0)
    certificate = logger.control.end_run(1, timeout_s=30.0)
    assert (certificate.events, certificate.missing) == (1000, [])
    assert numbers(logger, 1, "s1") == list(range(1, 1001))
    assert numbers(logger, 1, "s2") == [*range(1, 501), *range(502, 1001, 2)]


def test_an_orderly_end_leaves_the_run_for_the_next_start(logger: LoggerProcess) -> None:
    """What was accepted is on the disk; the ranges go on in new files."""
    begin(logger)
    with logger.sender() as sender:
        for number in range(1, 101):
            sender.send(1, number, 1, (1,), b"x")
        assert sender.flush(30.0)
        assert logger.end() == 0
        logger.start()
        logger.control.resume(1)
        for number in range(101, 201):
            sender.send(1, number, 1, (1,), b"x")
        assert sender.wait_durable(60.0)
    certificate = logger.control.end_run(1, timeout_s=30.0)
    assert certificate.events == 200
    assert {each.kind for each in certificate.files} == {"events"}
    assert numbers(logger, 1, "s1") == list(range(1, 201))


def test_an_end_that_was_begun_is_finished(logger: LoggerProcess) -> None:
    """A kill in the middle of END_RUN leaves no run behind."""
    begin(logger)
    with logger.sender() as sender:
        for number in range(1, 2001):
            sender.send(1, number, number, (1,), b"x" * 1000)
        assert sender.wait_durable(30.0)
    logger.control.end_run(1, timeout_s=0.0)
    logger.kill()
    logger.start()
    eventually(lambda: logger.control.get_status().state is LoggerState.CONFIGURED, "the end")
    assert numbers(logger, 1, "s1") == list(range(1, 2001))


@pytest.mark.spec("D39")
@pytest.mark.spec("D51")
def test_run_control_decides_of_a_restored_run(server: NameServer, tmp_path: Path) -> None:
    """Found under the name of the settings; it is told of the run, and orders its abort."""
    conductor = Conductor()
    with LoggerProcess(tmp_path, server.port, 'run_control = "obs/other/run"') as logger:
        begin(logger, fence=4)
        logger.kill()
        with Offered(logger.names, "obs/other/run", RunControl, conductor):
            conductor.orders = Orders(active=[1], fence=4)
            logger.start()
            eventually(lambda: conductor.members, "its enrolment")
            first = conductor.members[0]
            assert (first.restored, first.control, first.newest_run) == ([1], CONTROL, 1)
            status = logger.control.get_status

            def state() -> RunState:
                return status().runs[0].state

            eventually(lambda: state() is RunState.ACTIVE, "the run that goes on")
            assert status().links["run_control"] == "connected"
            conductor.orders = Orders(aborted=[1], fence=5)
            eventually(lambda: state() is RunState.ABORTED, "the abort")
            assert status().state is LoggerState.CONFIGURED


@pytest.mark.spec("D05")
@pytest.mark.spec("D35")
@pytest.mark.spec("D36")
@pytest.mark.spec("D37")
def test_alarms_come_when_their_service_does(
    logger: LoggerProcess, server: NameServer, tmp_path: Path
) -> None:
    """INIT works with alarm service and channel away; alarms are delivered later, in order."""
    begin(logger)
    with logger.sender() as sender:
        for run in (71, 72, 73):
            sender.send(run, 1, 1, (1,), b"x")
            assert sender.flush(30.0)
        for number in range(1, 201):
            sender.send(1, number, 1, (1,), b"x")
        assert sender.wait_durable(30.0)
    with ComponentHost(
        AlarmComponent,
        AlarmComponent.Settings(),
        name="alarms",
        names=("localhost", server.port),
        data_root=tmp_path / "alarm data",
    ) as host:
        service = host.component.objects()[0].servant

        def raised() -> list[int]:
            found = service.get_alarms(AlarmFilter(names=["orphan events"]))
            return [
                int(each.report.object.rpartition(" ")[2])
                for each in sorted(found, key=lambda each: each.alarm_id)
            ]

        eventually(lambda: len(raised()) == 3, "the alarms")
        assert raised() == [71, 72, 73]
    assert logger.control.end_run(1, timeout_s=30.0).events == 200
