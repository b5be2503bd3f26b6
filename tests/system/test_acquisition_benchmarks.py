"""Merges and acquisitions are measured, each beside a peer or a limit."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits

from benchmarks import acquisitions
from benchmarks.acquisitions import measure_acquisitions
from benchmarks.counts import QUICK
from benchmarks.merge import measure_merge
from benchmarks.merge_files import write_fits


@pytest.mark.system
@pytest.mark.timeout(240)
def test_merges_are_measured() -> None:
    """Into a new file, into the target, by the command; and their memory, which keeps its bound."""
    measured = measure_merge(QUICK)
    assert {row.name for row in measured if row.ratio is not None} == {
        "into a new file",
        "by the command, its start included",
        "into the target itself",
    }
    peaks = [row for row in measured if row.group == "memory"]
    assert [row.met for row in peaks] == [True, True, True, True, None]
    # Files eight times as large need no more, also in place.
    assert peaks[1].ours.median < 1.1 * peaks[0].ours.median
    assert peaks[2].ours.median < 1.1 * peaks[0].ours.median


@pytest.mark.system
@pytest.mark.timeout(240)
def test_acquisitions_are_measured() -> None:
    """By real servers: rate, one frame's way, starts, and what many at once cost."""
    measured = measure_acquisitions(QUICK)
    names = [row.name for row in measured]
    assert f"start of {QUICK.started} sources" in names
    assert f"memory of the OCM for each of {QUICK.most_active}" in names
    assert sum(row.group == acquisitions.GROUP for row in measured) == 4
    assert sum(row.goal is not None for row in measured) == 6
    assert all(row.ours.low >= 0 for row in measured)


def test_the_files_that_are_merged_are_fits(tmp_path: Path) -> None:
    """Those of noise as those of holes."""
    for is_sparse in (False, True):
        path = write_fits(tmp_path / f"{is_sparse}.fits", [1, 2], room=40, is_sparse=is_sparse)
        with fits.open(path) as hdus:
            assert [hdu.data.nbytes for hdu in hdus[1:]] == [1 << 20, 2 << 20]
            assert bool(hdus[1].data.any()) is not is_sparse
