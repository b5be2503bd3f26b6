"""Merges of large extensions, beside the same bytes from file to file."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.counts import Counts
from benchmarks.figures import Figure, Goal, Measure, alternate, figure
from benchmarks.installation import OBSORB
from benchmarks.merge_sides import appended, copied, rewritten
from benchmarks.programs import Child, Program
from objects.data_source.cards import header_octets, value_cards

NEW_GOAL = Goal(of=Measure.RATIO, at_most=1.5)
IN_PLACE_GOAL = Goal(of=Measure.RATIO, at_most=1.2)
MEMORY_GOAL = Goal(of=Measure.VALUE, at_most=150.0)

EXTENSIONS = 8

_MIB = 1 << 20
_BLOCK = 2880
_ROW = 4096


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
        peak = _peak("peak memory of the merger", merger)
        for file in bench.sources:
            file.unlink()
        merger.do("merge", **bench.large(counts.large_mib))
        return [*rows, peak, _peak(f"the same, one extension of {counts.large_mib} MiB", merger)]


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
        self.specification = _specify(folder / "specification.json", self.sources)
        self._in_place = _specify(folder / "in_place.json", self.sources, self.place)

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

    def large(self, mib: int) -> dict[str, str]:
        """Make a file of holes; return the order to merge it."""
        file = write_fits(self.folder / "large.fits", [mib], is_sparse=True)
        specification = _specify(self.folder / "large.json", [file])
        return {"specification": str(specification), "product": "large-product.fits"}

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


def _peak(name: str, merger: Child) -> Figure:
    return figure("memory", name, "MiB", [merger.do("peak_mib")], goal=MEMORY_GOAL)


def write_fits(path: Path, mib: Sequence[int], *, room: int = 0, is_sparse: bool = False) -> Path:
    """Write a file with an image for each size.

    Args:
        path: The file.
        mib: Sizes of the images in MiB.
        room: Blank cards in the primary header.
        is_sparse: The images are holes; else noise, which no disk makes smaller.
    """
    with path.open("xb") as file:
        primary = (
            value_cards("SIMPLE", value=True) + value_cards("BITPIX", 8) + value_cards("NAXIS", 0)
        )
        file.write(header_octets([*primary, *[" " * 80] * room]))
        for size in mib:
            rows = size * _MIB // _ROW // 2
            cards = value_cards("XTENSION", "IMAGE") + value_cards("BITPIX", 16)
            for name, value in (("NAXIS", 2), ("NAXIS1", _ROW), ("NAXIS2", rows)):
                cards += value_cards(name, value)
            cards += value_cards("PCOUNT", 0) + value_cards("GCOUNT", 1)
            file.write(header_octets(cards))
            if is_sparse:
                file.seek(size * _MIB, os.SEEK_CUR)
            else:
                for _ in range(size):
                    file.write(os.urandom(_MIB))
            file.seek(-(size * _MIB) % _BLOCK, os.SEEK_CUR)
            file.truncate()
        file.flush()
        os.fsync(file.fileno())
    return path


def _specify(path: Path, sources: Sequence[Path], target: Path | None = None) -> Path:
    files = [
        {"type": "fitsFile", "sourceName": file.stem, "location": str(file)} for file in sources
    ]
    own = {"type": "fitsFile", "sourceName": "target", "location": str(target)}
    document = {
        "id": "bench",
        "sources": files,
        "target": {"fileId": "bench", **({"source": own} if target else {})},
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
