"""Events from a sender through a logger to the disk, beside writing the same bytes plainly."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from benchmarks.installation import OBSORB, Installation
from benchmarks.processes import memory, peak_mib, seconds_used
from benchmarks.programs import Child, Program
from idl_like_interfaces.event_logger import (
    LoggerConfiguration,
    LoggerControl,
    LoggerInit,
    LoggerRunStart,
    StreamConfiguration,
    StreamParameters,
)
from nameserver.client import Names, parse_addresses
from objects.logger_stream.records import WASTE

RATE_GOAL = Goal(of=Measure.VALUE, at_least=100_000.0)
LARGE_GOAL = Goal(of=Measure.RATIO, at_least=0.8)

GOALS: dict[int, Goal | None] = {200: None, 1024: RATE_GOAL, 250_000: LARGE_GOAL}
"""Sizes of events, bytes."""

RUNS = (1, 4, 8)
STREAMS = (1, 4, 16)

SHARES = (1, 4, 16)
"""Of so many events of a batch one is for a stream."""

_QUEUE_MIB = 64
_SYNC_S = 0.1
_CHUNK = 4 * 1024 * 1024
_ROUND = 76
"""Bytes of a message and its frames beside the payload, about."""

_DEADLINE_S = 120.0
_PLAIN = "plain write and fsync"
_US = 1e6

_INSTALLATION = """
[installation]
name = "bench"
data_root = "data"

[name_server]
address = "localhost:0"

[component.events]
kind = "events"

[component.logger1]
kind = "logger"
"""


@dataclass(frozen=True, kw_only=True)
class Burst:
    """Some events, from the first ``send`` until all are durable.

    Attributes:
        rate: Events in a second.
        lag_s: From all accepted to all durable.
        sender_us: Processor time of the sender for each.
        logger_us: Of the logger.
    """

    rate: float
    lag_s: float
    sender_us: float
    logger_us: float


class Place:
    """A logger with runs, and a sender."""

    def __init__(self, folder: Path, running: Installation, sender: Child) -> None:
        self.folder = folder
        self.pid = running.pids["logger1"]
        self._sender = sender

    def burst(self, count: int, size: int, *, runs: int = 1, streams: int = 1) -> Burst:
        """Send events to some runs and streams, and wait until they are durable."""
        used = seconds_used(self.pid)
        numbers = list(range(1, runs + 1))
        self._sender.order("send", runs=numbers, count=count, size=size, streams=streams)
        said: dict[str, Any] = self._sender.result(deadline_s=600.0)
        return Burst(
            rate=count / said["durable_s"],
            lag_s=said["durable_s"] - said["accepted_s"],
            sender_us=_US * said["cpu_s"] / count,
            logger_us=_US * (seconds_used(self.pid) - used) / count,
        )

    def plain(self, count: int, size: int) -> float:
        """Write as many bytes to the same disk, and sync them; return events in a second."""
        chunk, left = os.urandom(_CHUNK), count * (size + _ROUND)
        path = self.folder / "plain"
        began = time.perf_counter()
        with path.open("wb", buffering=0) as file:
            while left > 0:
                left -= file.write(chunk[: min(left, _CHUNK)])
            os.fsync(file.fileno())
        took = time.perf_counter() - began
        path.unlink()
        return count / took


@contextmanager
def place() -> Iterator[Place]:
    """Run a logger with as many runs and streams as any row needs."""
    with tempfile.TemporaryDirectory(prefix="obsorb-bench-") as scratch:
        folder = Path(scratch)
        (folder / "installation.toml").write_text(_INSTALLATION)
        command = [OBSORB, "up", "installation.toml"]
        began = time.monotonic()
        with Program(command, cwd=folder) as program:
            running = Installation(program, began)
            with Names(parse_addresses(running.names)) as names:
                logger = names.narrow("obs/logger/1/control", LoggerControl, _DEADLINE_S)
                _begin(logger)
                part = "benchmarks.event_logger_sender:Sender"
                with Child(part, running.names, "bench") as sender:
                    yield Place(folder, running, sender)
                for run in range(1, max(RUNS) + 1):
                    logger.end_run(run, timeout_s=_DEADLINE_S)


def _begin(logger: LoggerControl) -> None:
    logger.init(LoggerInit())
    streams = [StreamConfiguration(name=f"s{each}", id=each) for each in range(1, 1 + max(STREAMS))]
    defaults = StreamParameters(sync_period_s=_SYNC_S)
    logger.configure(LoggerConfiguration(streams=streams, defaults=defaults))
    for run in range(1, max(RUNS) + 1):
        logger.start_run(LoggerRunStart(run=run))


def measure_event_logger(counts: Counts) -> list[Figure]:
    """Send events of all sizes, then to several runs and streams."""
    octets = counts.logger_mib * 1024 * 1024
    with place() as it:
        it.burst(max(1, octets // 4 // 1024), 1024)
        weighed = memory(it.pid)["RSS"]
        rows = [row for size in GOALS for row in _of_size(it, size, octets, counts.logger_rounds)]
        rows += _of_many(it, octets // (1024 + _ROUND), counts.logger_rounds)
        peak = peak_mib(it.pid)
    assert peak is not None
    note = f"{weighed:.0f} MiB after the first events; 128 queues of 64 MiB"
    rows += _of_back_pressure()
    rows.append(figure(_group(1024), "most memory of the logger", "MiB", [peak], note=note))
    return rows


def _of_back_pressure() -> list[Figure]:
    """Fill the queue of a stream whose disk takes nothing, with all or with shares of batches."""
    rows = []
    for share in SHARES:
        with (
            tempfile.TemporaryDirectory(prefix="obsorb-bench-") as folder,
            Child("benchmarks.event_logger_held:Held", folder, str(_QUEUE_MIB)) as child,
        ):
            ratio: float = child.do("fill", share=share)
        what = "all" if share == 1 else f"1/{share}"
        name = f"memory by its queue's bound, {what} of each batch for it"
        goal = Goal(of=Measure.VALUE, at_most=1.25 * min(share, WASTE))
        rows.append(figure("a stream whose disk takes nothing", name, "", [ratio], goal=goal))
    return rows


def _group(size: int) -> str:
    return f"events of {size} bytes, from sender to disk"


def _of_size(it: Place, size: int, octets: int, rounds: int) -> list[Figure]:
    count = max(1, octets // (size + _ROUND))
    bursts, plain = _alternated(it, count, size, rounds)
    rates = [each.rate for each in bursts]
    megabytes = [each * (size + _ROUND) / 1e6 for each in rates]
    beside = [each * (size + _ROUND) / 1e6 for each in plain]
    group = _group(size)
    return [
        figure(group, "durable", "1/s", rates, peer=_PLAIN, theirs=plain, goal=GOALS[size]),
        figure(group, "durable, bytes", "MB/s", megabytes, peer=_PLAIN, theirs=beside),
        figure(group, "processor time of the sender", "us", [each.sender_us for each in bursts]),
        figure(group, "processor time of the logger", "us", [each.logger_us for each in bursts]),
        figure(
            group, "from all accepted to all durable", "s", [each.lag_s for each in bursts],
            note=f"synced each {_SYNC_S} s",
        ),
    ]  # fmt: skip


def _alternated(it: Place, count: int, size: int, rounds: int) -> tuple[list[Burst], list[float]]:
    bursts: list[Burst] = []
    plain: list[float] = []
    alternate(
        rounds,
        [
            lambda: bursts.append(it.burst(count, size)),
            lambda: plain.append(it.plain(count, size)),
        ],
    )
    return bursts, plain


def _of_many(it: Place, count: int, rounds: int) -> list[Figure]:
    rows = []
    for runs, streams in [(each, 1) for each in RUNS] + [(1, each) for each in STREAMS]:
        bursts = [it.burst(count, 1024, runs=runs, streams=streams) for _ in range(rounds)]
        rates = [each.rate for each in bursts]
        name = f"durable, of {runs} runs at once" if runs > 1 else f"durable, {streams} streams"
        if (runs, streams) != (1, 1):
            rows.append(figure(_group(1024), name, "1/s", rates, at=max(runs, streams)))
    return rows
