"""What many event streams of one run cost: threads, memory, processor."""

from __future__ import annotations

import tempfile

from benchmarks.counts import Counts
from benchmarks.figures import Figure, figure
from benchmarks.processes import busy, memory, seconds_used, threads
from benchmarks.programs import Child

_KIB = 1024.0
_MS = 1000.0


def measure_streams(counts: Counts) -> list[Figure]:
    """Begin them, let them rest, let each write ten events of 1 KiB a second, end them."""
    count = counts.streams
    with (
        tempfile.TemporaryDirectory(prefix="obsorb-bench-") as folder,
        Child("benchmarks.streams_obsorb:Streams", folder, str(count)) as child,
    ):
        before = memory(child.pid)["RSS"]
        begun: float = child.do("begin")
        grown = memory(child.pid)["RSS"] - before
        alone = threads(child.pid) - 1
        idle = busy({"it": child.pid}, counts.rest_s)["it"]
        opened: float = child.do("write", rounds=1)
        open_idle = busy({"it": child.pid}, counts.rest_s)["it"]
        used = seconds_used(child.pid)
        rounds = counts.stream_rounds
        child.order("write", rounds=rounds)
        of_round: float = child.result(deadline_s=600.0)
        each = (seconds_used(child.pid) - used) / (rounds * count)
        full = memory(child.pid)["RSS"] - before
        child.order("end")
        ended: float = child.result(deadline_s=600.0)
    group = f"{count} streams of a run"
    return [
        figure(group, "until all have begun", "s", [begun]),
        figure(group, "threads", "", [float(alone)]),
        figure(group, "memory for each, without events", "KiB", [grown * _KIB / count]),
        figure(group, "processor at rest, without events", "% of a core", [idle]),
        figure(group, "until each has a file", "s", [opened]),
        figure(group, "processor at rest, with a file each", "% of a core", [open_idle]),
        figure(group, "ten events to each: a round", "s", [of_round], note="1 s is wanted"),
        figure(group, "processor time for each of these", "ms", [each * _MS]),
        figure(group, "memory for each, with a file", "KiB", [full * _KIB / count]),
        figure(group, "until all files are closed", "s", [ended]),
    ]
