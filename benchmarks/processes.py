"""What processes weigh and do, as the system tells it."""

from __future__ import annotations

import threading
import time

import psutil

_MIB = 1024 * 1024


def memory(pid: int) -> dict[str, float]:
    """Return resident memory (RSS), and that with shared pages divided (PSS), MiB."""
    whole = psutil.Process(pid).memory_full_info()
    return {"RSS": whole.rss / _MIB, "PSS": whole.pss / _MIB}


def threads(pid: int) -> int:
    """Return how many threads a process has."""
    return psutil.Process(pid).num_threads()


def busy(pids: dict[str, int], rest_s: float) -> dict[str, float]:
    """Watch processes for a while; return percent of a core."""
    before = {name: _seconds(pid) for name, pid in pids.items()}
    began = time.monotonic()
    # Nothing is awaited: the time itself is what is measured over.
    threading.Event().wait(rest_s)
    took = time.monotonic() - began
    return {name: 100 * (_seconds(pid) - before[name]) / took for name, pid in pids.items()}


def _seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
