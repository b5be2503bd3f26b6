"""The rates of the detector for as long as a run: no queue grows, no event is lost."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.processes import memory, seconds_used
from idl_like_interfaces.clients.event_sender import EventSender
from idl_like_interfaces.run_control import Run, Verdict
from tests.system.event_fault_judge import faults_of_run, files_of
from tests.system.event_fault_place import Place, place

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
SIZE = 250_000
STEADY_HZ, BURST_HZ = 50, 100
QUEUE_S = 2.0
"""A queue that holds more than comes in so long has grown."""

SMALL_FILES = 'maxBytes = 536870912\nsyncPeriodS = 0.5\nvolumes = ["runs"]\n'


@dataclass
class Part:
    """Events at one rate.

    Attributes:
        hertz: The rate that is wanted.
        seconds: For so long.
        rate: The rate that was.
        queue: Most events that waited in the logger, each second.
        kept: Most events that the sender kept: they were not durable.
        blocked_s: The longest wait for room in a queue.
        rss_mib: Memory of the logger, each second.
        cpu: Part of a core that the logger used.
    """

    hertz: int
    seconds: float
    rate: float = 0.0
    queue: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    blocked_s: float = 0.0
    rss_mib: list[float] = field(default_factory=list)
    cpu: float = 0.0

    def line(self) -> str:
        """Return it as a line of the page."""
        half = len(self.queue) // 2
        first, second = max(self.queue[:half], default=0), max(self.queue[half:], default=0)
        return (
            f"{self.hertz:>7}{self.seconds:>9.0f}{self.rate:>10.2f}{f'{first} / {second}':>18}"
            f"{max(self.kept):>10}{self.blocked_s:>12.1f}"
            f"{f'{self.rss_mib[0]:.0f} / {max(self.rss_mib):.0f}':>16}{100 * self.cpu:>8.1f}"
        )


def take(ready: Place, sender: EventSender, part: Part, first: int) -> int:
    """Send at a rate; look each second. Return the next number of an event."""
    pause, payload = threading.Event(), os.urandom(SIZE)
    used, began = seconds_used(ready.pid), time.monotonic()
    looked, sent = 0, 0
    total = round(part.hertz * part.seconds)
    while sent < total:
        number = first + sent
        own = number.to_bytes(8, "little") + payload[8:]
        sender.send(ready.run, number, 1 + number // 100, (1,), own)
        sent += 1
        part.kept.append(sender.counters.waiting)
        elapsed = time.monotonic() - began
        if elapsed >= looked + 1 or sent == total:
            looked = int(elapsed)
            _look(ready, part)
        pause.wait(max(0.0, sent / part.hertz - (time.monotonic() - began)))
    took = time.monotonic() - began
    part.rate, part.cpu = sent / took, (seconds_used(ready.pid) - used) / took
    return first + sent


def _look(ready: Place, part: Part) -> None:
    (stream,) = (each for run in ready.status.runs for each in run.streams if each.id == 1)
    part.queue.append(stream.queue_events)
    part.blocked_s = max(part.blocked_s, stream.blocked_s)
    part.rss_mib.append(memory(ready.pid)["RSS"])


@pytest.mark.spec("D67")
@pytest.mark.parametrize(
    ("steady_s", "burst_s"),
    [(3.0, 2.0), pytest.param(600.0, 60.0, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])],
)
def test_the_rates_of_the_detector(tmp_path: Path, steady_s: float, burst_s: float) -> None:
    """50 Hz of 250 kB without a queue that grows, then 100 Hz; each event is there once."""
    steady, burst = Part(STEADY_HZ, steady_s), Part(BURST_HZ, burst_s)
    with place(tmp_path, defaults=SMALL_FILES) as ready:
        ready.begin([{"name": "all", "id": 1}])
        with EventSender(ready.server, "cr1", spool_bytes=256 * 1024 * 1024) as sender:
            following = take(ready, sender, steady, 1)
            following = take(ready, sender, burst, following)
            assert sender.wait_durable(120.0)
            assert sender.counters.dropped == 0
        run = ready.end()
        found, faults = files_of(tmp_path / "data"), ready.died()
        faults += faults_of_run(run, found, set(range(1, following)))
    text = page(steady, burst, run, len(found))
    print("\n" + text)  # noqa: T201 (shown with -rP or -s)
    assert not faults, "\n".join(faults[:20])
    assert run.verdict is Verdict.GOOD
    half = len(steady.queue) // 2
    most = QUEUE_S * STEADY_HZ
    assert max(steady.queue[half:]) <= max(*steady.queue[:half], most), "the queue grows"
    if steady_s >= 600.0:
        head = f"make soak, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores\n\n"
        (RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-event-rates.txt").write_text(head + text)


def page(steady: Part, burst: Part, run: Run, files: int) -> str:
    """Return the figures as a text."""
    return (
        f"Events of {SIZE // 1000} kB from one sender to one stream of a logger, on a disk.\n"
        "queue: most events waiting in the logger, first / second half\n"
        "kept: most events at the sender that were not durable yet; memory: begin / most, MiB\n\n"
        f"{'1/s':>7}{'for s':>9}{'reached':>10}{'queue':>18}{'kept':>10}{'blocked s':>12}"
        f"{'memory':>16}{'core %':>8}\n"
        f"{steady.line()}\n{burst.line()}\n\n"
        f"the run is {run.verdict}: {run.events} events, {run.bytes / 1e9:.2f} GB, "
        f"{files} files; none lost, none twice\n"
    )
