"""A steady rate of events to durable consumers, one of which stands still for a while."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.channel_sides import serve_obsorb
from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, figure
from benchmarks.processes import watched
from benchmarks.programs import Child, together

P99_GOAL = Goal(of=Measure.VALUE, at_most=20.0)
NONE_GOAL = Goal(of=Measure.VALUE, at_most=0.0)
RATE_GOAL = Goal(of=Measure.RATIO, at_least=0.98)

CONSUMERS = 3
STOPPED = "the stopped one"

# The one that stands still wants all that came meanwhile.
_BYTES_OF_EVENT = 256


def measure_steady(counts: Counts) -> list[Figure]:
    """Let three consumers read, and stop one of them for a third of the time."""
    stop_s = counts.steady_s / 3
    with ExitStack() as stack:
        run = stack.enter_context(_run(counts))
        with watched(run.pids) as percent:
            run.begin(counts.steady_rate)
            woken = _stop_for(run.readers[-1].pid, stop_s)
            sent = run.supplier.result()
        read = [reader.result() for reader in run.readers]
    group = (
        f"{counts.steady_rate:g} events/s for {counts.steady_s:g} s to {CONSUMERS} durable "
        f"consumers, one stopped for {stop_s:g} s"
    )
    return [
        *_of_readers(group, read, sent),
        figure(
            group, "events sent", "1/s", [sent["rate"]], peer="wanted",
            theirs=[counts.steady_rate], goal=RATE_GOAL,
        ),
        figure(
            group, f"until {STOPPED} has caught up", "s", [max(0.0, read[-1]["caught_up"] - woken)]
        ),
        *(figure(group, f"processor, {who}", "% of a core", [percent[who]]) for who in percent),
    ]  # fmt: skip


def _of_readers(group: str, read: list[dict[str, Any]], sent: dict[str, float]) -> list[Figure]:
    others = read[:-1]
    lost = round(sent["lost"] + sum(each["lost"] for each in read))
    twice = round(sum(each["strays"] for each in read))

    def age(name: str, which: str, goal: Goal | None = None) -> Figure:
        worst = max(each[which] for each in others)
        return figure(group, f"{name}, the others", "ms", [worst], goal=goal)

    return [
        age("half of the events within", "p50"),
        age("99 % of the events within", "p99", P99_GOAL),
        age("all events within", "worst"),
        figure(group, "lost, all consumers", "events", [lost], goal=NONE_GOAL),
        figure(group, "twice or out of order, all consumers", "events", [twice], goal=NONE_GOAL),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A channel, who publishes and who reads.

    Attributes:
        events: How many there will be.
        supplier: Who publishes.
        readers: Who read; the last one will be stopped.
        pids: Of the processes whose cost is told.
    """

    events: int
    supplier: Child
    readers: list[Child]
    pids: dict[str, int]

    def begin(self, rate: float) -> None:
        """Let all of them begin."""
        for reader in self.readers:
            reader.order("read", events=self.events)
        self.supplier.order("publish", rate=rate, events=self.events)


@contextmanager
def _run(counts: Counts) -> Iterator[_Run]:
    events = round(counts.steady_rate * counts.steady_s)
    with ExitStack() as stack:
        # What comes while the one stands still must be held for it.
        bounds = f"max_events={events}", f"max_bytes={_BYTES_OF_EVENT * events}"
        channel = stack.enter_context(serve_obsorb(*bounds))
        part = "benchmarks.steady_obsorb"
        names = [f"reader {number}" for number in range(CONSUMERS)]
        readers = together(stack, [Child(f"{part}:Consumer", channel.where, n) for n in names])
        supplier = stack.enter_context(Child(f"{part}:Supplier", channel.where))
        pids = {"channel": channel.pid, "supplier": supplier.pid, "a consumer": readers[0].pid}
        yield _Run(events=events, supplier=supplier, readers=readers, pids=pids)


def _stop_for(pid: int, seconds: float) -> float:
    """Let a process stand still after a while, as long as that; return when it went on."""
    pause = threading.Event()
    pause.wait(seconds)
    os.kill(pid, signal.SIGSTOP)
    try:
        pause.wait(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)
    return time.monotonic()
