"""Memory of mergers: flat over the size of data, and what a very long header takes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, figure
from benchmarks.installation import OBSORB
from benchmarks.merge_files import specify, write_fits, write_header
from benchmarks.processes import peak_mib
from benchmarks.programs import Child, Program

GOAL = Goal(of=Measure.VALUE, at_most=150.0)

_LOOK_S = 0.005
_PATIENCE_S = 900.0
"""Gigabytes on a busy disk, hundreds of thousands of cards on a busy processor."""


def measure_memory(counts: Counts, folder: Path) -> list[Figure]:
    """Measure each in a merger of its own: a peak stays until its process ends."""
    ways: dict[str, tuple[Callable[[Counts, Path], float], Goal | None]] = {
        f"the same, one extension of {counts.large_mib} MiB": (_new, GOAL),
        f"into a target of {counts.large_mib} MiB itself, as much behind it": (_in_place, GOAL),
        f"of the command, one extension of {counts.large_mib} MiB": (_command, GOAL),
        f"a header of {counts.long_cards * 80 / 1e6:.1f} MB": (_header, None),
    }
    return [
        figure("memory", name, "MiB", [measure(counts, folder)], goal=goal)
        for name, (measure, goal) in ways.items()
    ]


def _new(counts: Counts, folder: Path) -> float:
    source = write_fits(folder / "large.fits", [counts.large_mib], is_sparse=True)
    peak = _merged(folder, specify(folder / "large.json", [source]))
    source.unlink()
    return peak


def _in_place(counts: Counts, folder: Path) -> float:
    source = write_fits(folder / "large.fits", [counts.large_mib], is_sparse=True)
    target = write_fits(folder / "own.fits", [counts.large_mib], room=40, is_sparse=True)
    peak = _merged(folder, specify(folder / "own.json", [source], target), in_place=True)
    if target.exists():
        raise RuntimeError("the target did not become the product: it was copied")
    source.unlink()
    return peak


def _header(counts: Counts, folder: Path) -> float:
    source = write_header(folder / "long.fits", counts.long_cards)
    return _merged(folder, specify(folder / "long.json", [source]))


def _merged(folder: Path, specification: Path, *, in_place: bool = False) -> float:
    """Merge, and return the peak of the process."""
    with Child("benchmarks.merge_process:Merger") as merger:
        product = folder / "large-product.fits"
        how = {"specification": str(specification), "product": product.name, "in_place": in_place}
        merger.order("merge", **how)
        merger.result(_PATIENCE_S)
        product.unlink()
        return float(merger.do("peak_mib"))


def _command(counts: Counts, folder: Path) -> float:
    source = write_fits(folder / "large.fits", [counts.large_mib], is_sparse=True)
    specification = specify(folder / "large.json", [source])
    command = [OBSORB, "merge", "-o", "large-product.fits", str(specification)]
    peak = 0.0
    with Program(command, cwd=folder) as program:
        # Nothing tells it after the end; the peak only grows until then.
        while (found := peak_mib(program.pid)) is not None:
            peak = max(peak, found)
            threading.Event().wait(_LOOK_S)
        code = program.wait(_PATIENCE_S)
    if code:
        raise RuntimeError(f"obsorb merge ended with {code}")
    (folder / "large-product.fits").unlink()
    source.unlink()
    return peak
