"""Victim, attackers and an ordinary client; what the client notices of an attack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.hostile.attack import Attack, Field
from tests.hostile.certificates import write_all
from tests.hostile.child import Child, child

_ANSWER_S = 60.0
_CALM_DEADLINE_S = 45.0
_TICK_S = 0.02

SPARE_THREADS = 8
"""Workers that were needed may stay for a while; this many more are no leak."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What the victim has at one moment."""

    threads: int
    files: int
    memory: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one attack.

    Attributes:
        name: Of the attack.
        answers: How often the attackers got which answer.
        before_ms: Ninety-ninth percentile of the client's calls, beside harmless work.
        during_ms: The same during the attack.
        connect_s: The longest time that a new client took to connect and call.
        grown_mb: How far the victim's memory rose at its peak.
        problems: What must not be.
    """

    name: str
    answers: dict[str, int]
    before_ms: float
    during_ms: float
    connect_s: float
    grown_mb: float
    problems: list[str]

    @property
    def ratio(self) -> float:
        """During to before."""
        return self.during_ms / self.before_ms


class Arena:
    """Everything that is needed for attacks, one after the other on the same victim."""

    def __init__(self, victim: Child, attacker: Child, probe: Child, log: Path) -> None:
        self._victim, self._attacker, self._probe, self._log = victim, attacker, probe, log
        self._process = psutil.Process(victim.pid)
        self._log_read = 0

    def usage(self) -> Usage:
        """Look at the victim."""
        with self._process.oneshot():
            return Usage(
                threads=self._process.num_threads(),
                files=self._process.num_fds(),
                memory=self._process.memory_info().rss,
            )

    def look(self, attack: Attack, seconds: float) -> Outcome:
        """Measure beside harmless work, then during the attack."""
        self._attacker.ask(_ANSWER_S, beside=attack.beside, threads=attack.threads)
        self._probe.ask(_ANSWER_S, warm=seconds / 4)
        before = self._measure(seconds)
        self._end()
        calm = self._wait_for_calm(None)
        self._begin_peak()
        self._attacker.ask(_ANSWER_S, attack=attack.name)
        during = self._measure(seconds)
        connect = self._probe.ask(_ANSWER_S, connect=3)
        said = self._end()
        grown = (self._peak() - calm.memory) / 1e6
        problems = [*during["errors"], *connect["errors"], *said["failures"]]
        problems += self._after(calm) + self._unexpected(attack, said)
        return Outcome(
            name=attack.name, answers=said["answers"], before_ms=before["p99_ms"],
            during_ms=during["p99_ms"], connect_s=connect["longest_s"], grown_mb=grown,
            problems=problems,
        )  # fmt: skip

    def _measure(self, seconds: float) -> dict[str, Any]:
        return self._probe.ask(_ANSWER_S, measure=float(seconds))

    def _end(self) -> dict[str, Any]:
        return self._attacker.ask(_ANSWER_S, end=True)

    def _unexpected(self, attack: Attack, said: dict[str, Any]) -> list[str]:
        got = set(said["answers"])
        problems = [f"{said['stuck']} threads of the attacker hang"] if said["stuck"] else []
        if got - attack.expects:
            problems.append(f"unexpected answers: {sorted(got - attack.expects)}")
        if not got & attack.expects:
            problems.append("no answer at all")
        return problems

    def _after(self, calm: Usage) -> list[str]:
        """What is left behind, and what the log says."""
        problems = []
        now = self._wait_for_calm(calm)
        if now.threads > calm.threads + SPARE_THREADS:
            problems.append(f"threads went from {calm.threads} to {now.threads}")
        if now.files > calm.files:
            problems.append(f"open files went from {calm.files} to {now.files}")
        with self._log.open(errors="replace") as stream:
            stream.seek(self._log_read)
            text = stream.read()
            self._log_read = stream.tell()
        if "Traceback" in text:
            problems.append(f"a traceback in the log: {text[text.index('Traceback') :][:3000]}")
        if len(text) > 200_000:
            problems.append(f"{len(text)} letters in the log, at the end: {text[-500:]}")
        return problems

    def _wait_for_calm(self, goal: Usage | None) -> Usage:
        """Wait until the victim has no more than before, or, without a goal, no less."""
        until = time.monotonic() + _CALM_DEADLINE_S
        last = self.usage()
        while time.monotonic() < until:
            time.sleep(_TICK_S)
            now = self.usage()
            if self._is_calm(now, last, goal):
                return now
            last = now
        return last

    @staticmethod
    def _is_calm(now: Usage, last: Usage, goal: Usage | None) -> bool:
        if goal is None:
            return (now.threads, now.files) == (last.threads, last.files)
        return now.files <= goal.files and now.threads <= goal.threads + SPARE_THREADS

    def _begin_peak(self) -> None:
        Path(f"/proc/{self._victim.pid}/clear_refs").write_text("5")

    def _peak(self) -> int:
        for line in Path(f"/proc/{self._victim.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the kernel tells no peak of memory")


@contextmanager
def arena(folder: Path, limits: str) -> Iterator[Arena]:
    """Start victim, attackers and client.

    Args:
        folder: For certificates and the victim's log.
        limits: ``short`` or ``default``.
    """
    write_all(folder)
    log = folder / "victim.log"
    with ExitStack() as open_:
        stream = open_.enter_context(log.open("w"))
        victim = open_.enter_context(child("victim", str(folder), limits, log=stream))
        place = dict(victim.first)
        probe = open_.enter_context(child("probe", place.pop("uri")))
        attacker = open_.enter_context(child("attacker"))
        attacker.ask(_ANSWER_S, **asdict(Field(**place)))
        yield Arena(victim, attacker, probe, log)


def best_of(count: int, look: Callable[[], Outcome], is_good: Callable[[Outcome], bool]) -> Outcome:
    """Repeat a measurement that others on this machine may have disturbed."""
    outcome = look()
    for _ in range(count - 1):
        if is_good(outcome) or outcome.problems:
            break
        outcome = look()
    return outcome
