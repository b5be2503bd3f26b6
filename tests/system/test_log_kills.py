"""The log service is killed under load, and its disk is full: no record is lost in silence."""

from __future__ import annotations

import logging
import random
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.cli.log_pages import pages
from idl_like_interfaces.clients import LogForwarder
from idl_like_interfaces.clients.folding import Folding
from idl_like_interfaces.logs import LogQuery, LogService, LogStats
from idl_like_interfaces.mapping import make_incarnation
from nameserver.client import Names
from tests.support.eventually import eventually
from tests.support.installation import OBSORB, Running, start
from tests.support.nameserver import name_server

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

DEADLINE_S = 60.0
PAUSE_S = 0.002

INSTALLATION = """
[installation]
name = "logged"
data_root = "data"

[name_server]
address = "localhost:0"

[component.log]
kind = "log"
"""


class Service:
    """The log service as a process that can be killed and started again."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address
        (folder / "installation.toml").write_text(INSTALLATION)
        self.running = self._start()

    def _start(self) -> Running:
        file = str(self._folder / "installation.toml")
        running = start(
            str(OBSORB), "serve", file, "log", "--names", self._address, cwd=self._folder
        )
        running.await_line("ready log")
        return running

    def kill(self) -> None:
        """Kill it as nothing can catch, and start it again."""
        self.running.process.kill()
        self.running.end()
        self.running = self._start()


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Service, Names]]:
    """Run a name server and the log service."""
    with name_server("--port", "0") as server, Names((server.host, server.port)) as names:
        service = Service(folder, f"{server.host}:{server.port}")
        try:
            yield service, names
        finally:
            service.running.end()


class Writer:
    """A thread that logs all the time, as a component of its own."""

    def __init__(self, names: Names, name: str, spool_records: int, folding: Folding) -> None:
        self.name = name
        self.made = 0
        self.forwarder = LogForwarder(
            names.narrow("obs/log", LogService),
            name,
            make_incarnation(),
            spool_records=spool_records,
            folding=folding,
        )
        self._logger = logging.getLogger(f"kills.{name}")
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        self._logger.addHandler(self.forwarder)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(PAUSE_S):
            self._logger.info("number %d", self.made)
            self.made += 1

    def finish(self) -> None:
        """Log no more, and wait until the service has all that was not dropped."""
        self._stop.set()
        self._thread.join(DEADLINE_S)
        assert self.forwarder.drain(DEADLINE_S)

    def close(self) -> None:
        """Let the logger be as it was."""
        self._stop.set()
        self._thread.join(DEADLINE_S)
        self._logger.removeHandler(self.forwarder)
        self.forwarder.close()


def stored(service: LogService, component: str) -> tuple[list[int], int]:
    """Return the numbers in the texts of a component, and for how many records they stand."""
    numbers: list[int] = []
    stands_for = 0
    for page in pages(service, LogQuery(components=[component])):
        numbers += [int(each.record.text.rpartition(" ")[2]) for each in page]
        stands_for += sum(each.record.count for each in page)
    return numbers, stands_for


@pytest.mark.parametrize(
    "kills", [2, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_every_record_is_stored_once_or_counted(tmp_path: Path, kills: int) -> None:
    """Of a component with room for all, of one with too little, and of one in a flood."""
    moments = random.Random(kills)
    with serving(tmp_path) as (service, names):
        unfolded = Folding(beyond=0)
        patient = Writer(names, "patient", 1_000_000, unfolded)
        small = Writer(names, "small", 100, unfolded)
        flood = Writer(names, "flood", 1_000_000, Folding(beyond=20, window_s=0.5))
        writers = (patient, small, flood)
        log = names.narrow("obs/log", LogService)
        try:
            for _ in range(kills):
                before = patient.forwarder.counters.acknowledged
                enough = before + moments.randrange(50, 500)
                eventually(lambda: patient.forwarder.counters.acknowledged >= enough)  # noqa: B023
                service.kill()
            for writer in writers:
                writer.finish()
            check(log, patient, small, flood)
        finally:
            for writer in writers:
                writer.close()


def check(log: LogService, patient: Writer, small: Writer, flood: Writer) -> None:
    """Compare what was made with what is there."""
    numbers, _ = stored(log, "patient")
    assert numbers == list(range(patient.made))
    numbers, _ = stored(log, "small")
    assert len(set(numbers)) == len(numbers)
    stats = log.get_stats()
    assert stats.lost == small.forwarder.counters.dropped > 0
    assert len(numbers) + stats.lost == small.made
    assert said_lost(log) == stats.lost
    _, stands_for = stored(log, "flood")
    assert stands_for == flood.made
    account = flood.forwarder.account()
    assert (account.taken, account.in_flight) == (flood.made, 0)


def said_lost(log: LogService) -> int:
    """Return how many lost records the log service's own records speak of."""
    told = log.query(LogQuery(loggers=["log.losses"]))
    return sum(int(each.record.text.split()[0]) for each in told)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a disk of 3 MiB there."""
    folder.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this machine does not let a test mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_delays_and_loses_nothing(tmp_path: Path) -> None:
    """The service says so, its senders keep their records, and all is there when there is room."""
    with small_disk(tmp_path / "data" / "log"):
        ballast = tmp_path / "data" / "log" / "ballast"
        ballast.write_bytes(b"x" * (2 << 20))
        with serving(tmp_path) as (_, names):
            log = names.narrow("obs/log", LogService)
            writer = Writer(names, "patient", 1_000_000, Folding(beyond=0))
            try:
                fill(log, writer)
                assert "full" in problem_of(log)
                there = log.get_stats().by_component.get("patient", 0)
                assert stored(log, "patient")[0] == list(range(there))
                ballast.unlink()
                eventually(lambda: not problem_of(log))
                writer.finish()
                assert stored(log, "patient")[0] == list(range(writer.made))
            finally:
                writer.close()


def fill(log: LogService, writer: Writer) -> None:
    """Log until the disk is full."""
    logger = logging.getLogger(f"kills.{writer.name}")
    writer._stop.set()
    writer._thread.join(DEADLINE_S)
    for _ in range(200):
        logger.info("%s %d", "x" * 10_000, writer.made)
        writer.made += 1
    eventually(lambda: problem_of(log), "the disk is full")


def problem_of(log: LogService) -> str:
    """Return why the service cannot store."""
    stats: LogStats = log.get_stats()
    return stats.problem
