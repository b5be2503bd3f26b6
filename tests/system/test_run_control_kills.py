"""Run control is killed at each step of starts and ends: every run ends well, with one number."""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.event_logger import LoggerControl, RunState
from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.run_configuration import Quality, RunBegin, RunEnd
from idl_like_interfaces.run_control import LogbookMoment, Phase, Run, RunControl, Verdict
from nameserver.client import Names
from tests.support.eventually import eventually
from tests.support.file_logger import FileLogger
from tests.support.installation import OBSORB, Running, start
from tests.support.nameserver import name_server
from tests.support.runs import configuration, logger_writer

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SEED = 20261122
PATIENCE_S = 60.0
FULL = 200
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
LOGGERS = "ab"

T = TypeVar("T")

INSTALLATION = """
[installation]
name = "runs"
data_root = "data"

[name_server]
address = "localhost:0"

[component.run]
kind = "run_control"
"""

STEPS = [
    *((command, name, "before") for command in ("start_run", "end_run") for name in LOGGERS),
    *((command, name, "after") for command in ("start_run", "end_run") for name in LOGGERS),
    ("start", "", "soon"),
    ("end", "", "soon"),
    ("abort_run", "a", "before"),
    ("abort_run", "b", "after"),
]
"""At which command, of which logger, before or after it is done there; or soon after its begin."""


class Arena:
    """A run control that is killed, and two loggers that live."""

    def __init__(self, folder: Path, address: str, names: Names, adapter: ObjectAdapter) -> None:
        self._folder = folder
        self._address = address
        (folder / "installation.toml").write_text(INSTALLATION)
        self.service = names.narrow("obs/run", RunControl, 30.0)
        self.loggers = {name: FileLogger(name, folder / name) for name in LOGGERS}
        uris = {
            name: adapter.activate(each, LoggerControl, name) for name, each in self.loggers.items()
        }
        self.configuration = configuration(
            logger_writer("a", 1, reference=uris["a"]),
            logger_writer("b", 2, reference=uris["b"], after=["a"]),
            start_timeout_s=30.0,
            end_timeout_s=30.0,
        )
        self.kills = 0
        self._turn = threading.Lock()
        self._pause = threading.Event()
        self._killers: list[threading.Thread] = []
        self.running = self._start()
        self.token = self.patiently(
            lambda: self.service.take_control("anna", "", 3600.0, True)
        ).token
        self.patiently(lambda: self.service.configure(self.token, self.configuration))

    def _start(self) -> Running:
        running = start(
            str(OBSORB),
            *("serve", str(self._folder / "installation.toml"), "run"),
            *("--names", self._address),
            cwd=self._folder,
        )
        running.await_line("ready run")
        return running

    def kill(self) -> None:
        """Kill it as nothing can catch, and start it again."""
        with self._turn:
            self.running.process.kill()
            self.running.end()
            self.kills += 1
            self.running = self._start()

    def patiently(self, command: Callable[[], T]) -> T:
        """Repeat a command until it is answered, as an operator would."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return command()
            except RemoteError:
                if time.monotonic() > until:
                    raise
                self._pause.wait(0.1)

    def arm(self, step: tuple[str, str, str], chance: random.Random) -> None:
        """Have it killed once at a step."""
        command, name, when = step
        if when == "soon":
            self._kill_in(chance.uniform(0.0, 0.15))
            return
        self.loggers[name].on_command = self._once(command, name, is_after=when == "after")

    def _kill_in(self, delay_s: float) -> None:
        killer = threading.Timer(delay_s, self.kill)
        self._killers.append(killer)
        killer.start()

    def _once(self, wanted: str, name: str, *, is_after: bool) -> Callable[[str], None]:
        def hear(command: str) -> None:
            if command != wanted:
                return
            self.loggers[name].on_command = lambda _: None
            if is_after:
                # It is done at once, and the answer finds nobody.
                self._kill_in(0.02)
            else:
                self.kill()

        return hear

    def disarm(self) -> None:
        """Kill no more."""
        for each in self.loggers.values():
            each.on_command = lambda _: None
        while self._killers:
            self._killers.pop().join()
        self.await_killer()

    def await_killer(self) -> None:
        """Wait until one that is just killed is there again."""
        with self._turn:
            assert self.running.process.poll() is None

    def take_run(self, step: tuple[str, str, str], chance: random.Random) -> Run:
        """Take a run, killing run control at a step of its start or of its end."""
        begin = RunBegin(shifter="anna", comment=" ".join(step))
        request = uuid.uuid4().hex
        is_start = step[0] in {"start_run", "start"}
        if is_start:
            self.arm(step, chance)
        begun = self.patiently(lambda: self.service.start(self.token, begin, request))
        self.disarm()
        begun = self._until(begun.run, {Phase.ACTIVE, Phase.ABORTED})
        if begun.phase is Phase.ABORTED:
            return self._until(begun.run, {Phase.ABORTED})
        for each in self.loggers.values():
            assert each.feed(begun.run, 10)
        if not is_start:
            self.arm(step, chance)
        ended = self.patiently(self._ender(step, begun.run))
        self.disarm()
        return self._until(ended.run, {Phase.ENDED, Phase.ABORTED})

    def _ender(self, step: tuple[str, str, str], run: int) -> Callable[[], Run]:
        if step[0] == "abort_run":
            return lambda: self.service.abort(self.token, run, "test")
        end = RunEnd(quality=Quality.GOOD)
        return lambda: self.service.end(self.token, run, end)

    def _until(self, run: int, phases: set[Phase]) -> Run:
        def is_there() -> bool:
            with suppress(RemoteError):
                found = self.service.get_run(run)
                return found.phase in phases and bool(found.ended is None or found.report)
            return False

        eventually(is_there, f"run {run} in {phases}")
        return self.patiently(lambda: self.service.get_run(run))


@contextmanager
def arena(folder: Path) -> Iterator[Arena]:
    """Run a name server, run control and the loggers."""
    with (
        name_server("--port", "0") as server,
        Names((server.host, server.port)) as names,
        ObjectAdapter() as adapter,
    ):
        made = Arena(folder, f"{server.host}:{server.port}", names, adapter)
        try:
            yield made
        finally:
            made.running.end()


def check(ready: Arena, run: Run, step: tuple[str, str, str]) -> None:
    """See that a run ended as it had to, at run control, at the loggers and on disk."""
    states = {each.run(run.run).state for each in ready.loggers.values() if run.run in each.known}
    if step[0] == "abort_run" or run.phase is Phase.ABORTED:
        assert run.verdict is Verdict.FLAGGED
        assert states <= {RunState.ABORTED}
    else:
        assert (run.verdict, run.missing) == (Verdict.GOOD, []), step
        assert run.events == 20
        assert states == {RunState.ENDED}
    assert Path(run.report).exists()


@pytest.mark.spec("D51", "D62", "D63")
@pytest.mark.parametrize(
    "count", [5, pytest.param(FULL, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_a_kill_at_any_step_leaves_no_run_half_done(tmp_path: Path, count: int) -> None:
    """Numbers without gaps, one run for each request, each with both logbook entries and a report."""
    chance = random.Random(SEED + count)
    steps = chance.sample(STEPS * (count // len(STEPS) + 1), count)
    became: Counter[tuple[str, str]] = Counter()
    begun = time.monotonic()
    with arena(tmp_path) as ready:
        for number, step in enumerate(steps, 1):
            run = ready.take_run(step, chance)
            became[" ".join(step), f"{run.phase.value}, {run.verdict.value}"] += 1
            assert run.run == number
            check(ready, run, step)
        assert ready.kills == count
        assert [each.run for each in ready.service.list_runs(1000)] == list(range(count, 0, -1))
        entries = [(each.run, each.moment) for each in ready.service.get_logbook(1000)]
        assert ready.service.get_status().active == []
    moments = [LogbookMoment.BEGIN, LogbookMoment.END]
    assert sorted(entries) == [(run, each) for run in range(1, count + 1) for each in moments]
    if count >= FULL:
        keep_page(became, time.monotonic() - begun)


def keep_page(became: Counter[tuple[str, str]], took_s: float) -> None:
    """Keep what became of the runs of a full count."""
    now = datetime.now(UTC)
    lines = [
        (
            f"OBSORB_SOAK=1 pytest tests/system/test_run_control_kills.py, {now:%Y-%m-%d %H:%M} UTC, "
            f"{os.cpu_count()} cores"
        ),
        "",
        (
            f"{became.total()} kills of run control (kill -9), one in each run, in {took_s:.0f} s; "
            "no number missing, no run twice, none half done, two logbook entries and a report each"
        ),
        "",
        f"{'killed at':<24}{'became':<20}{'runs':>6}",
        *(f"{step:<24}{phase:<20}{n:>6}" for (step, phase), n in sorted(became.items())),
    ]
    (RESULTS / f"{now:%Y-%m-%d}-run-control-kills.txt").write_text("\n".join(lines) + "\n")
