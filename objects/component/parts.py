"""A process of an installation, as its supervisor keeps it in mind."""

from __future__ import annotations

import signal
import subprocess
import threading
from dataclasses import dataclass
from datetime import datetime

from idl_like_interfaces.supervision import PartState, PartStatus
from objects.component.clock import Clock
from objects.component.restarts import RestartPlan, RestartPolicy


class Part:
    """A process of the installation; one thread changes it, ``status`` may come from others.

    Args:
        name: In the installation.
        kind: What it is.
        command: How to start it.
        clock: The time.

    Attributes:
        process: The process, also when it has ended; None before the first start.
        reader: Reads what it prints.
        was_ready: It was ready once: what it refuses from then on is tried again.
        refusal: Why it does not start.
        restart_at: When it is started again, monotonic; None: it is not planned.
        kill_at: When it is killed, because it does not end as it was told to.
        calm_at: When the alarm of a crash loop is over, unless it dies before.
        is_alarming: It dies again and again.
    """

    def __init__(self, name: str, kind: str, command: list[str], clock: Clock) -> None:
        self.name = name
        self.kind = kind
        self.command = command
        self.process: subprocess.Popen[str] | None = None
        self.reader: threading.Thread | None = None
        self.was_ready = False
        self.refusal = ""
        self.restart_at: float | None = None
        self.kill_at: float | None = None
        self.calm_at: float | None = None
        self.is_alarming = False
        self._clock = clock
        self._restarts = RestartPolicy()
        self._life = _Life(PartState.STARTING, clock.utc())

    @property
    def state(self) -> PartState:
        """Where it stands."""
        return self._life.state

    @property
    def pid(self) -> int:
        """Of the process; 0 when it does not run."""
        is_there = self.process is not None and self.state in _WITH_PROCESS
        return self.process.pid if is_there and self.process is not None else 0

    def due_at(self) -> float | None:
        """Return the next moment, monotonic, at which something must be done about it."""
        planned = (self.restart_at, self.kill_at, self.calm_at)
        return min((each for each in planned if each is not None), default=None)

    def enter(self, state: PartState) -> None:
        """Note a step of its life; to be in it already changes nothing."""
        if state is not self.state:
            self._life = _Life(state, self._clock.utc(), self._life.deaths, self._life.last_death)

    def die(self, how: str) -> RestartPlan:
        """Note a death and return what is to be done about it."""
        now = self._clock.monotonic()
        plan = self._restarts.plan(now)
        self._life = _Life(PartState.WAITING, self._clock.utc(), self._life.deaths + 1, how)
        self.restart_at = now + plan.delay_s
        self.calm_at = None
        return plan

    def status(self) -> PartStatus:
        """Return how it stands."""
        now, life, restart_at = self._clock.monotonic(), self._life, self.restart_at
        waits = life.state is PartState.WAITING and restart_at is not None
        return PartStatus(
            name=self.name,
            kind=self.kind,
            state=life.state,
            pid=self.pid,
            since=life.since,
            deaths=life.deaths,
            recent_deaths=self._restarts.recent(now),
            last_death=life.last_death,
            restart_in_s=max(0.0, restart_at - now) if waits and restart_at is not None else 0.0,
            is_alarming=self.is_alarming,
        )


@dataclass(frozen=True, slots=True)
class _Life:
    state: PartState
    since: datetime
    deaths: int = 0
    last_death: str = ""


_WITH_PROCESS = (PartState.STARTING, PartState.RUNNING)


def how_it_died(code: int) -> str:
    """Say an exit code in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
