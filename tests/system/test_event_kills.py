"""Logger, senders, run control and channel are killed under load: no durable event is lost, none twice."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.system.event_kill_arena import VICTIMS, arena
from tests.system.event_kill_judge import Judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SEED = 20261122
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
_SHOWN = 20


@pytest.mark.spec("D33", "D34", "D47", "D48", "D49", "D50", "D68")
@pytest.mark.parametrize(
    "kills", [1, pytest.param(40, marks=[pytest.mark.soak, pytest.mark.timeout(7200)])]
)
def test_kills_cost_time_and_nothing_else(tmp_path: Path, kills: int) -> None:
    """What was acknowledged as durable is on the disk once, in whole files; all counts agree."""
    chance = random.Random(SEED + kills)
    plan = [*VICTIMS] * kills
    chance.shuffle(plan)
    with arena(tmp_path, SEED) as ready:
        for victim in plan:
            ready.kill(victim)
        judge = Judge(ready)
        faults = judge.faults()
        text = judge.page()
    print("\n" + text)  # noqa: T201 (shown with -rP or -s)
    assert not faults, "\n".join([f"{len(faults)} faults", *faults[:_SHOWN]])
    if len(plan) >= 200:
        head = f"make soak, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores\n\n"
        (RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-event-kills.txt").write_text(head + text)
