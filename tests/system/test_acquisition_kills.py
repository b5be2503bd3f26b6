"""OCM and DPM are killed at any moment: no acquisition is lost, no product is wrong or made twice."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from tests.system.daq_kill_arena import VICTIMS, arena
from tests.system.daq_kill_judge import Judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SEED = 20261122
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def fits_file(folder: Path) -> Path:
    """Write a FITS file of three extensions."""
    file = folder / "given.fits"
    images = [fits.ImageHDU(np.full((8, 8), number, np.int16)) for number in range(3)]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(file, checksum=True)
    os.utime(file, (1, 1))
    return file


@pytest.mark.spec("ESO-026", "ESO-086", "ESO-096", "ESO-104", "ESO-152")
@pytest.mark.parametrize(
    ("kills", "of_both"),
    [(1, 1), pytest.param(80, 20, marks=[pytest.mark.soak, pytest.mark.timeout(7200)])],
)
def test_kills_cost_time_and_nothing_else(tmp_path: Path, kills: int, of_both: int) -> None:
    """Everything that was accepted ends well, in order, once; the other server goes on."""
    chance = random.Random(SEED + kills)
    plan = [(victim,) for victim in VICTIMS] * kills + [VICTIMS] * of_both
    chance.shuffle(plan)
    with arena(tmp_path, fits_file(tmp_path), SEED) as ready:
        for victims in plan:
            ready.kill(victims)
        ready.finish()
        judge = Judge(ready)
        faults = judge.faults()
        text = judge.page()
    print("\n" + text)  # noqa: T201 (shown with -rP or -s)
    assert not faults, "\n".join(faults)
    assert judge.ended
    if kills + of_both >= 100:
        head = f"make soak, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores\n\n"
        name = f"{datetime.now(UTC):%Y-%m-%d}-acquisition-kills.txt"
        (RESULTS / name).write_text(head + text)
