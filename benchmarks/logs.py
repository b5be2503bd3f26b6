"""A steady rate of log records: what it costs program and service, and that all are stored."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, figure
from benchmarks.processes import watched
from benchmarks.programs import Child

CALL_GOAL = Goal(of=Measure.RATIO, at_most=5.0)
BUSY_GOAL = Goal(of=Measure.VALUE, at_most=50.0)
SPOOL_GOAL = Goal(of=Measure.VALUE, at_most=1000.0)
DRAIN_GOAL = Goal(of=Measure.VALUE, at_most=1.0)
NONE_GOAL = Goal(of=Measure.VALUE, at_most=0.0)
RATE_GOAL = Goal(of=Measure.RATIO, at_least=0.98)

PEER = "logging.FileHandler"

_MINUTE_S = 60.0
_PART_FOR_FILE = 3


def measure_logs(counts: Counts) -> list[Figure]:
    """Log to the service, and then for a shorter time to a file."""
    rate = counts.log_records_per_min / _MINUTE_S
    records = round(rate * counts.log_s)
    part = "benchmarks.logs_obsorb"
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="obsorb-bench-"))
        service = stack.enter_context(Child(f"{part}:Server", folder))
        program = stack.enter_context(Child(f"{part}:Forwarding", service.hello))
        with watched({"log service": service.pid, "program that logs": program.pid}) as percent:
            ours = program.do("log", rate=rate, records=records)
        drain_s = program.do("drain")
        lost = records - service.do("stored")
        file = stack.enter_context(Child(f"{part}:Writing", folder))
        theirs = file.do("log", rate=rate, records=records // _PART_FOR_FILE)
    group = f"{counts.log_records_per_min:g} log records/min for {counts.log_s:g} s"
    return [
        figure(
            group, "a record costs its program", "us", [ours["call_us"]],
            peer=PEER, theirs=[theirs["call_us"]], goal=CALL_GOAL,
        ),
        figure(
            group, "records", "1/s", [ours["rate"]], peer="wanted", theirs=[rate], goal=RATE_GOAL
        ),
        figure(group, "in the spool, at most", "", [ours["waiting"]], goal=SPOOL_GOAL),
        figure(group, "until the spool is empty", "s", [drain_s], goal=DRAIN_GOAL),
        figure(group, "lost", "", [lost], goal=NONE_GOAL),
        *(
            figure(group, f"processor, {who}", "% of a core", [used], goal=BUSY_GOAL)
            for who, used in percent.items()
        ),
    ]  # fmt: skip
