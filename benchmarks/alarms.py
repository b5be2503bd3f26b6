"""A flood of alarms: until all of them are known, and what an operator has to read then."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import Any

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, figure
from benchmarks.processes import seconds_used
from benchmarks.programs import Child

KNOWN_GOAL = Goal(of=Measure.VALUE, at_most=5.0)
LINES_GOAL = Goal(of=Measure.VALUE, at_most=10.0)
ALL_GOAL = Goal(of=Measure.RATIO, at_least=1.0)

LINES = "lines of the operator's list"

_MS = 1000.0
_MS_OF_ALARM = 1000.0


def measure_alarms(counts: Counts) -> list[Figure]:
    """Let floods come, each to a service that knows nothing yet."""
    floods = [_flood(counts.alarms, counts.rounds) for _ in range(counts.alarm_rounds)]

    def values(name: str) -> list[float]:
        return [value for flood in floods for value in flood[name]]

    group, raised = f"a flood of {counts.alarms} alarms", [float(counts.alarms)] * len(floods)
    return [
        figure(group, "until the service has all, on disk", "s", values("taken"), goal=KNOWN_GOAL),
        figure(group, "until the operator has heard of all", "s", values("told"), goal=KNOWN_GOAL),
        figure(
            group, "alarms heard of", "", values("heard"), peer="raised", theirs=raised, goal=ALL_GOAL
        ),
        figure(group, LINES, "", values("lines"), goal=LINES_GOAL),
        figure(
            group, "alarms that it stands for", "", values("alarms"),
            peer="raised", theirs=raised, goal=ALL_GOAL,
        ),
        figure(group, "to read the list", "ms", values("list_ms")),
        figure(group, "processor time of the service for each alarm", "ms", values("each_ms")),
    ]  # fmt: skip


def _flood(alarms: int, looks: int) -> dict[str, list[float]]:
    part = "benchmarks.alarms_obsorb"
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="obsorb-bench-"))
        server = stack.enter_context(Child(f"{part}:Server", folder))
        where: dict[str, str] = server.hello
        operator = stack.enter_context(Child(f"{part}:Operator", where["alarms"], where["events"]))
        crates = stack.enter_context(Child(f"{part}:Crates", where["alarms"]))
        before = seconds_used(server.pid)
        operator.order("hear", count=alarms)
        sent: dict[str, float] = crates.do("fail", count=alarms)
        heard: dict[str, float] = operator.result()
        used = seconds_used(server.pid) - before
        seen: list[dict[str, Any]] = [operator.do("look") for _ in range(looks)]
    return {
        "taken": [sent["taken"] - sent["began"]],
        "told": [heard["ended"] - sent["began"]],
        "heard": [heard["heard"]],
        "lines": [seen[-1]["lines"]],
        "alarms": [seen[-1]["alarms"]],
        "list_ms": [_MS * each["seconds"] for each in seen],
        "each_ms": [_MS_OF_ALARM * used / alarms],
    }
