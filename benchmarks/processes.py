"""What processes weigh and do, as the system tells it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_MIB = 1024 * 1024


def memory(pid: int) -> dict[str, float]:
    """Return resident memory (RSS), and that with shared pages divided (PSS), MiB."""
    whole = psutil.Process(pid).memory_full_info()
    return {"RSS": whole.rss / _MIB, "PSS": whole.pss / _MIB}


def peak_mib(pid: int) -> float | None:
    """Return the most memory that a process ever had, in MiB; ``None``: it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return None
    peaks = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")]
    return peaks[0] if peaks else None


def threads(pid: int) -> int:
    """Return how many threads a process has."""
    return psutil.Process(pid).num_threads()


def busy(pids: dict[str, int], rest_s: float) -> dict[str, float]:
    """Watch processes for a while; return percent of a core."""
    with watched(pids) as percent:
        # Nothing is awaited: the time itself is what is measured over.
        threading.Event().wait(rest_s)
    return percent


@contextmanager
def watched(pids: dict[str, int]) -> Iterator[dict[str, float]]:
    """Watch processes while something happens; yield what then has percent of a core of each."""
    before = {name: seconds_used(pid) for name, pid in pids.items()}
    began = time.monotonic()
    percent: dict[str, float] = {}
    yield percent
    took = time.monotonic() - began
    for name, pid in pids.items():
        percent[name] = 100 * (seconds_used(pid) - before[name]) / took


def seconds_used(pid: int) -> float:
    """Return the processor time that a process has used, with all its threads."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def children_seconds(pid: int) -> float:
    """Return the same of what a process has started, those that have ended among them."""
    times = psutil.Process(pid).cpu_times()
    ended = float(times.children_user + times.children_system)
    return ended + sum(seconds_used(child.pid) for child in psutil.Process(pid).children())
