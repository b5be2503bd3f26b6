"""Acquisitions end to end, by real servers: how many, how soon, and what many at once cost."""

from __future__ import annotations

import random
import shutil
import statistics
import threading
import time
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.acquisitions_site import COLD, SERVERS, WARM, Place, at_once, place, timed
from benchmarks.acquisitions_sources import DetectorSettings
from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from benchmarks.latency import percentiles_ms
from benchmarks.merge_sides import copied
from benchmarks.processes import busy, children_seconds, memory, seconds_used, threads

RATE_GOAL = Goal(of=Measure.VALUE, at_least=100.0)
START_GOAL = Goal(of=Measure.RATIO, at_most=1.5)
STATUS_GOAL = Goal(of=Measure.VALUE, at_most=200.0)
REST_GOAL = Goal(of=Measure.VALUE, at_most=25.0)
MEMORY_GOAL = Goal(of=Measure.VALUE, at_most=256.0)

GROUP = "acquisitions"

_SIDE = 5793  # squared, two bytes each: 64 MiB
_HOUR_S = 3600.0
_KIB = 1024.0


def measure_acquisitions(counts: Counts) -> list[Figure]:
    """Measure all in one installation, one thing after the other."""
    with place() as here:
        here.detectors("small", DetectorSettings(count=1))
        return [
            *_rate(here, counts),
            *_frame(here, counts),
            *_start(here, counts),
            *_many(here, counts),
        ]


def _rate(here: Place, counts: Counts) -> list[Figure]:
    """Let one client make small acquisitions, each from its start to its released product."""
    # A start takes so much longer that fewer of them say as much.
    sizes = {WARM: counts.acquisitions, COLD: max(1, counts.acquisitions // 5)}
    sides = {name: _series(here, name, size) for name, size in sizes.items()}
    alternate(1, [_series(here, name, 1) for name in sides])
    spent = {name: _spent(here, name) for name in sides}
    warm, cold = alternate(counts.acquisition_rounds, [*sides.values()])
    costs = {
        name: 1000 * (_spent(here, name) - spent[name]) / (size * counts.acquisition_rounds)
        for name, size in sizes.items()
    }
    peer = "a merger started for each"
    return [
        figure(GROUP, "small ones, one after the other", "1/min", warm, peer=peer,
               theirs=cold, goal=RATE_GOAL),
        figure(GROUP, "processor time of each, OCM, DPM and merger", "ms", [costs[WARM]], peer=peer,
               theirs=[costs[COLD]]),
    ]  # fmt: skip


def _series(here: Place, name: str, count: int) -> Callable[[], float]:
    ocm = here.ocm(name)

    def run() -> float:
        def one() -> None:
            for _ in range(count):
                here.complete(ocm, here.start(ocm, "small0"))

        return 60 * count / timed(one)

    return run


def _spent(here: Place, ocm: str) -> float:
    """Return the processor time of a coordinator, its DPM and the mergers of that."""
    dpm = here.pids[SERVERS[ocm]]
    return seconds_used(here.pids[ocm]) + seconds_used(dpm) + children_seconds(dpm)


def _frame(here: Place, counts: Counts) -> list[Figure]:
    """Measure the way of one large frame, beside a mere copy of it into the receiver's folder."""
    side = _SIDE if counts.frame_rounds > 1 else _SIDE // 8
    sources = here.detectors("large", DetectorSettings(count=1, side=side))
    ocm = here.ocm()
    product = here.folder / "product.fits"

    def acquire() -> float:
        status = here.complete(ocm, here.start(ocm, "large0"))
        took = time.time() - float(sources.do("last_frame"))
        shutil.copyfile(status.result, product)
        return took

    acquire()
    ours, theirs = alternate(
        counts.frame_rounds, [acquire, lambda: 2 * copied([product], here.folder / "copy")]
    )
    size_mib = product.stat().st_size / 1024**2
    name = f"from the last frame to the released product, {size_mib:.0f} MiB"
    return [figure(GROUP, name, "s", ours, peer="two copies, on disk", theirs=theirs)]


def _start(here: Place, counts: Counts) -> list[Figure]:
    """Start sources of which one is the slowest, beside that one alone."""
    settings = DetectorSettings(
        count=counts.started, period_s=_HOUR_S, frames=0, prepare_s=counts.prepare_s
    )
    here.detectors("slow", settings)
    ocm = here.ocm()
    names = [f"slow{index}" for index in range(counts.started)]

    def start(*sources: str) -> float:
        began = time.perf_counter()
        id = here.start(ocm, *sources)
        took = time.perf_counter() - began
        ocm.abort_daq(id)
        return took

    start(*names)
    together, slowest = alternate(
        counts.acquisition_rounds, [lambda: start(*names), lambda: start(names[-1])]
    )
    name = f"start of {counts.started} sources"
    return [
        figure(
            GROUP, name, "s", together, peer="the slowest alone", theirs=slowest, goal=START_GOAL
        )
    ]


def _many(here: Place, counts: Counts) -> list[Figure]:
    """Let many be active, and ask, and make small ones beside them."""
    settings = DetectorSettings(count=counts.most_active, period_s=_HOUR_S, frames=0)
    here.detectors("idle", settings)
    ocm, pid = here.ocm(), here.pids[WARM]
    alone = _latencies(here, [here.start(ocm, "idle0")], counts.active_s)
    empty, ids = memory(pid), []

    def begin(index: int) -> None:
        ids.append(here.start(ocm, f"idle{index}"))

    at_once(counts.active - 1, lambda index: begin(index + 1))
    crowded = _latencies(here, ids, counts.active_s)
    rest = busy({"OCM": pid}, counts.active_s)["OCM"]
    more = counts.most_active - counts.active
    at_once(more, lambda index: begin(index + counts.active))
    full = memory(pid)
    each_kib = _KIB * (full["RSS"] - empty["RSS"]) / (counts.most_active - 1)
    group = f"{counts.active} acquisitions active, small ones made beside them"
    peer = "1 active"
    return [
        *(
            figure(group, f"{name} of the status calls within", "ms", [crowded[which]], peer=peer,
                   theirs=[alone[which]], goal=goal)
            for name, which, goal in (("half", "p50", None), ("99 %", "p99", STATUS_GOAL))
        ),
        figure(group, "small ones, one after the other", "1/min", [crowded["made"]], peer=peer,
               theirs=[alone["made"]], goal=RATE_GOAL),
        figure(group, "processor of the OCM, nothing made beside", "% of a core", [rest],
               goal=REST_GOAL),
        figure(group, f"memory of the OCM for each of {counts.most_active}", "KiB", [each_kib],
               goal=MEMORY_GOAL),
        figure(group, f"threads of the OCM for {counts.most_active}", "", [threads(pid)]),
    ]  # fmt: skip


def _latencies(here: Place, ids: list[str], seconds: float) -> dict[str, float]:
    """Ask for the status of one after the other while another client makes small acquisitions.

    Returns:
        Percentiles of the calls in ms, and ``made``: small ones in a minute.
    """
    ocm = here.ocm()
    latencies, ended = array("q"), threading.Event()
    one = _series(here, WARM, 1)

    def make() -> list[float]:
        took_s = []
        while not ended.is_set():
            took_s.append(60 / one())
        return took_s

    with ThreadPoolExecutor(1) as maker:
        made = maker.submit(make)
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                began = time.perf_counter_ns()
                ocm.get_status(random.choice(ids))
                latencies.append((time.perf_counter_ns() - began) // 1000)
        finally:
            ended.set()
    return {**percentiles_ms(latencies), "made": 60 / statistics.mean(made.result())}
