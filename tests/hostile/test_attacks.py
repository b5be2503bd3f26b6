"""What an ordinary client notices while somebody attacks the daemon: next to nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.hostile.arena import Arena, Outcome, arena, best_of
from tests.hostile.attacks import ATTACKS
from tests.hostile.table import text_of

pytestmark = [pytest.mark.system, pytest.mark.alone, pytest.mark.timeout(180)]

RATIO = 2.0
FLOOR_MS = 10.0
"""Below it a ratio says more about the machine than about the daemon."""

CONNECT_S = 1.0
GROWN_MB = 500.0
"""Peak; one call of 16 MiB takes three times as much while it is executed."""

SECONDS = 0.3
SOAK_SECONDS = 10.0
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


class _Ground:
    """One victim for all attacks: it must survive each of them. A new one after a failure."""

    def __init__(self, folders: pytest.TempPathFactory, limits: str) -> None:
        self._folders, self._limits = folders, limits
        self._open = ExitStack()
        self._ready: Arena | None = self._new()
        self.outcomes: list[Outcome] = []

    def look(self, name: str, seconds: float) -> Outcome:
        """Try one attack."""
        ready, self._ready = self._ready or self._new(), None
        outcome = best_of(3, lambda: ready.look(ATTACKS[name], seconds), _is_good)
        self.outcomes.append(outcome)
        self._ready = ready
        return outcome

    def _new(self) -> Arena:
        folder = self._folders.mktemp("hostile")
        return self._open.enter_context(arena(folder, self._limits))

    def close(self) -> None:
        self._ready = None
        self._open.close()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Ground]:
    """Victim with short deadlines, attackers, client."""
    with closing(_Ground(tmp_path_factory, "short")) as ready:
        yield ready
    print("\n" + text_of(ready.outcomes))  # noqa: T201 (shown with -rP or -s)


@pytest.fixture(scope="module")
def long_ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Ground]:
    """The same with the default limits; its results are kept."""
    with closing(_Ground(tmp_path_factory, "default")) as ready:
        yield ready
    head = f"make soak, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores\n\n"
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-hostile.txt"
    path.write_text(head + text_of(ready.outcomes))


def _is_good(outcome: Outcome) -> bool:
    return (
        outcome.during_ms <= max(RATIO * outcome.before_ms, FLOOR_MS)
        and outcome.connect_s <= CONNECT_S
    )


def _check(outcome: Outcome) -> None:
    assert outcome.problems == []
    assert _is_good(outcome), outcome
    assert outcome.grown_mb <= GROWN_MB, outcome


@pytest.mark.parametrize("name", ATTACKS)
def test_others_are_served_during(ground: _Ground, name: str) -> None:
    """Latency, new connections, memory, threads, files, log and answers are as they should be."""
    _check(ground.look(name, SECONDS))


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ATTACKS)
def test_others_are_served_for_long_during(long_ground: _Ground, name: str) -> None:
    """The same for minutes, with the limits that an installation has."""
    _check(long_ground.look(name, SOAK_SECONDS))
