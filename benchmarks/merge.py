"""Merges of large extensions, beside the same bytes from file to file."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from benchmarks.installation import OBSORB
from benchmarks.merge_files import specify, write_fits
from benchmarks.merge_memory import GOAL, measure_memory
from benchmarks.merge_sides import appended, copied, rewritten
from benchmarks.programs import Child, Program

NEW_GOAL = Goal(of=Measure.RATIO, at_most=1.5)
IN_PLACE_GOAL = Goal(of=Measure.RATIO, at_most=1.2)

EXTENSIONS = 8


def measure_merge(counts: Counts) -> list[Figure]:
    """Measure into a new file, into the target itself, and how much memory that takes."""
    with ExitStack() as stack:
        # On the disk of the system's temporary files, as the scratch of everything here.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="obsorb-bench-")))
        merger = stack.enter_context(Child("benchmarks.merge_process:Merger"))
        bench = _Bench(folder, merger, counts.merge_mib)
        size = f"{EXTENSIONS} x {counts.merge_mib} MiB"
        rows = [
            *_new(bench, counts, f"merge of {size}"),
            _in_place(bench, counts, f"merge of {size}"),
        ]
        name, peaks = "peak memory of the merger", [merger.do("peak_mib")]
        peak = figure("memory", name, "MiB", peaks, goal=GOAL)
        for file in bench.sources:
            file.unlink()
        return [*rows, peak, *measure_memory(counts, folder)]


class _Bench:
    """Files that are merged, and who merges them."""

    def __init__(self, folder: Path, merger: Child, mib: int) -> None:
        self.folder = folder
        self.product = folder / "product.fits"
        self.place = folder / "copy"
        self._merger = merger
        self.target = write_fits(folder / "target.fits", [mib], room=40)
        self.sources = [
            write_fits(folder / f"source{number}.fits", [mib]) for number in range(EXTENSIONS)
        ]
        self.specification = specify(folder / "specification.json", self.sources)
        self._in_place = specify(folder / "in_place.json", self.sources, self.place)

    def merge(self) -> float:
        """Merge into a new file."""
        took = self._merger.do(
            "merge", specification=str(self.specification), product="product.fits"
        )
        self.product.unlink()
        return float(took)

    def merge_in_place(self) -> float:
        """Merge into a copy of the target."""
        self._copy_target()
        took = self._merger.do(
            "merge", specification=str(self._in_place), product="product.fits", in_place=True
        )
        self.product.unlink()
        (self.folder / f".{self.place.name}.undo").unlink()
        return float(took)

    def append(self) -> float:
        """Append the same to a copy of the target."""
        self._copy_target()
        return appended(self.sources, self.place)

    def command(self) -> float:
        """Merge by the command, its start included."""
        command = [OBSORB, "merge", "-o", "product.fits", str(self.specification)]
        began = time.perf_counter()
        with Program(command, cwd=self.folder) as program:
            code = program.wait()
            took = time.perf_counter() - began
        if code:
            raise RuntimeError(f"obsorb merge ended with {code}")
        self.product.unlink()
        return took

    def _copy_target(self) -> None:
        shutil.copyfile(self.target, self.place)
        # What the disk has still to do for it is no part of what is measured.
        with self.place.open("r+b") as file:
            os.fsync(file.fileno())


def _new(bench: _Bench, counts: Counts, group: str) -> list[Figure]:
    sides = {
        "merge": bench.merge,
        "copy": lambda: copied(bench.sources, bench.place),
        "early": lambda: copied(bench.sources, bench.place, is_early=True),
        "command": bench.command,
        "astropy": lambda: rewritten(bench.sources, bench.place),
    }
    alternate(1, [*sides.values()])
    values = alternate(counts.merge_rounds, [*sides.values()])
    seconds = dict(zip(sides, values, strict=True))
    peers = [
        ("into a new file", "merge", "a copy that the disk begins early", "early"),
        ("into a new file", "merge", "astropy, with checksums", "astropy"),
        ("by the command, its start included", "command", "the kernel's copy", "copy"),
    ]
    return [
        _best(
            group,
            "into a new file",
            seconds["merge"],
            "the kernel's copy",
            seconds["copy"],
            NEW_GOAL,
        ),
        *(
            figure(group, name, "s", seconds[ours], peer=peer, theirs=seconds[theirs])
            for name, ours, peer, theirs in peers
        ),
    ]


def _in_place(bench: _Bench, counts: Counts, group: str) -> Figure:
    sides = [bench.merge_in_place, bench.append]
    alternate(1, sides)
    ours, theirs = alternate(counts.merge_rounds, sides)
    return _best(
        group, "into the target itself", ours, "the kernel appends them", theirs, IN_PLACE_GOAL
    )


def _best(
    group: str, name: str, ours: list[float], peer: str, theirs: list[float], goal: Goal
) -> Figure:
    """Compare the best runs: what a disk does beside it makes a run longer, and none shorter."""
    note = f"the best of {len(ours)} runs each"
    return figure(
        group, name, "s", [min(ours)], peer=peer, theirs=[min(theirs)], goal=goal, note=note
    )
