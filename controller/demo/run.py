"""The run of the demonstration: two loggers share the streams, one of them dies in the middle."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from controller.demo.scratch import ROOT
from controller.failure import CommandFailed
from idl_like_interfaces.clients.event_router import EventRouter, routes_of
from idl_like_interfaces.clients.event_sender import EventSender
from idl_like_interfaces.event_logger import LoggerControl
from idl_like_interfaces.event_server import EventServer
from idl_like_interfaces.mapping import make_incarnation
from idl_like_interfaces.run_configuration import (
    Quality,
    RunBegin,
    RunConfiguration,
    RunEnd,
    Writer,
    WriterKind,
)
from idl_like_interfaces.run_control import Phase, Run, RunControl, Verdict
from idl_like_interfaces.supervision import Supervisor

if TYPE_CHECKING:
    from nameserver.client import Names

OPERATOR = "obsorb demo"

STREAMS = {"0": {"physics": 1, "bhabha": 2}, "1": {"cosmic": 3}}
"""The streams of each logger, with their ids."""

SENDER = "cr1"
VICTIM = "logger0"

EVENTS = 3000
_PER_LBN = 500
_AT_ONCE = 50
_PAUSE_S = 0.05
_SEED = 1995
_SIZES = (200, 2_000, 20_000)
_DEADLINE_S = 60.0

WaitUntil = Callable[[str, Callable[[], bool]], None]


class DemoRun:
    """One run from begin to end; each step returns a line about it.

    Args:
        names: The name service.
        wait_until: Waits for a condition, given what it is in words and how it is asked.
    """

    def __init__(self, names: Names, wait_until: WaitUntil) -> None:
        self._names = names
        self._wait_until = wait_until
        self._control = names.narrow(f"{ROOT}/run", RunControl, _DEADLINE_S)
        self._token = ""
        self._run = 0
        self._sent: Counter[str] = Counter()
        self._messages = 0

    def begin(self) -> str:
        """Take control, configure both loggers, and begin a run."""
        self._token = self._control.take_control(OPERATOR, "the demonstration", 600.0).token
        self._control.configure(self._token, configuration())
        begin = RunBegin(shifter=OPERATOR, comment="show what a run is", data_type="test")
        run = self._control.start(self._token, begin, make_incarnation())
        self._run = run.run
        writers = ", ".join(f"{each.name} {each.phase}" for each in run.writers)
        return f"run {run.run} has begun: {writers}; by {OPERATOR}, who has control"

    def send(self, pause: Callable[[float], None], halfway: Callable[[], None]) -> str:
        """Send events to both loggers, exactly once whatever happens to these.

        Args:
            pause: Waits for a while; raises when it is no use to go on.
            halfway: Called in the middle.
        """
        chance = random.Random(_SEED)  # noqa: S311 (made-up events, the same each time)
        controls = {n: f"{ROOT}/logger/{n}/control" for n in STREAMS}
        found = {n: self._names.narrow(name, LoggerControl) for n, name in controls.items()}
        routes = routes_of({n: each.get_status() for n, each in found.items()})
        with EventRouter({n: self._sender(n) for n in STREAMS}, routes) as router:
            for event in range(1, EVENTS + 1):
                self._send_one(router, event, chance)
                if event % _AT_ONCE == 0:
                    pause(_PAUSE_S)
                if event == EVENTS // 2:
                    halfway()
            began = time.monotonic()
            self._wait_until("all events are durable", lambda: router.wait_durable(0.1))
            waited_s = time.monotonic() - began
            self._messages = sum(each.counters.produced for each in router.senders.values())
        told = ", ".join(f"{count} {stream}" for stream, count in sorted(self._sent.items()))
        return f"{EVENTS} events sent ({told}); all durable {waited_s:.1f} s after the last one"

    def kill_logger(self) -> str:
        """Kill a logger as a crash does; the supervisor starts it again."""
        parts = self._names.narrow(f"{ROOT}/supervisor", Supervisor).get_status().parts
        pid = next(each.pid for each in parts if each.name == VICTIM)
        os.kill(pid, signal.SIGKILL)
        return f"{VICTIM} (pid {pid}) was killed with -9 in the middle of it; nobody restarts it by hand"

    def end(self) -> Run:
        """End the run.

        Raises:
            CommandFailed: Something is missing.
        """
        end = RunEnd(quality=Quality.GOOD, comment="the demonstration is over")
        self._control.end(self._token, self._run, end)

        def is_over() -> bool:
            run = self._control.get_run(self._run)
            return run.phase is Phase.ENDED and bool(run.report)

        self._wait_until("the run ends and has its report", is_over)
        self._control.release_control(self._token)
        run = self._control.get_run(self._run)
        if run.verdict is not Verdict.GOOD or run.events != self._messages:
            raise CommandFailed(
                f"run {run.run} is {run.verdict} with {run.events} messages of {self._messages}",
                cause="; ".join(run.missing),
                remedy="keep the scratch folder and report it",
            )
        return run

    def count(self, files: dict[Path, int]) -> str:
        """Compare what verified files hold with what was sent.

        Args:
            files: With the events of each.

        Raises:
            CommandFailed: They differ.
        """
        found: Counter[str] = Counter()
        for file, events in files.items():
            found[file.name.split("_")[0]] += events
        if found != self._sent:
            raise CommandFailed(
                f"the files hold {dict(found)}, sent were {dict(self._sent)}",
                remedy="keep the scratch folder and report it",
            )
        return f"verified: {len(files)} files, each event in each of its streams, once"

    def _sender(self, number: str) -> EventSender:
        server = self._names.narrow(f"{ROOT}/logger/{number}/events", EventServer)
        return EventSender(server, SENDER)

    def _send_one(self, router: EventRouter, event: int, chance: random.Random) -> None:
        every = {name: id for each in STREAMS.values() for name, id in each.items()}
        wanted = chance.sample(sorted(every), chance.choice((1, 1, 2)))
        payload = chance.randbytes(chance.choice(_SIZES))
        router.send(
            self._run, event, 1 + event // _PER_LBN, [every[each] for each in wanted], payload
        )
        self._sent.update(wanted)


def configuration() -> RunConfiguration:
    """Return what the run is made of."""
    return RunConfiguration(
        writers=[
            Writer(
                name=f"logger{number}",
                kind=WriterKind.LOGGER,
                reference=f"{ROOT}/logger/{number}/control",
                configuration={
                    "streams": [{"name": name, "id": id} for name, id in streams.items()],
                    "defaults": {"maxEvents": EVENTS // 4, "syncPeriodS": 0.5},
                },
            )
            for number, streams in STREAMS.items()
        ],
        start_timeout_s=30.0,
        end_timeout_s=30.0,
        comment="two loggers share three streams",
    )
