"""The merger is killed at random moments: a product is whole or not there, and the next one is made."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import msgspec
import numpy as np
import pytest
from astropy.io import fits

from objects.products.merge.layout import read_layout
from objects.products.merge.verify import verify_file
from tests.support.fits import write_fits
from tests.support.installation import OBSORB

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

DEADLINE_S = 60.0
FILE_ID = "INSX.kills"
PIXELS = 1 << 20
MESSAGES = 6


def prepare(folder: Path, *, with_target: bool) -> Path:
    """Write three sources of some MiB and a specification over them."""
    sources = []
    for name in ("a", "b", "c"):
        pixels = np.full((2, PIXELS), ord(name), dtype=np.int16)
        write_fits(folder / f"{name}.fits", {"OBJECT": name}, extensions=[fits.ImageHDU(pixels)])
        sources.append({"type": "fitsFile", "sourceName": name, "location": f"{name}.fits"})
    target = {"fileId": FILE_ID} | ({"source": sources.pop(0)} if with_target else {})
    file = folder / "specification.json"
    file.write_bytes(msgspec.json.encode({"id": "d", "sources": sources, "target": target}))
    return file


def kill_after(specification: Path, lines: int, extra_s: float) -> int:
    """Run the merger, and kill it so many seconds after it has said so many lines."""
    process = subprocess.Popen(
        [str(OBSORB), "merge", "--json", str(specification)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout:
        for _ in range(lines):
            process.stdout.readline()
        try:
            return process.wait(extra_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait(DEADLINE_S)


def content_of(folder: Path) -> dict[str, bytes]:
    """Return what the inputs hold."""
    return {name: (folder / f"{name}.fits").read_bytes() for name in ("a", "b", "c")}


@pytest.mark.parametrize("with_target", [False, True], ids=["new", "target"])
@pytest.mark.parametrize(
    "kills", [4, pytest.param(300, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_a_product_cut_short_is_never_visible(
    tmp_path: Path, kills: int, with_target: bool
) -> None:
    """Nothing of the inputs is changed either, and what is left of one is taken over by the next."""
    specification = prepare(tmp_path, with_target=with_target)
    before = content_of(tmp_path)
    product, part = tmp_path / f"{FILE_ID}.fits", tmp_path / f"{FILE_ID}.fits.part"
    moments = random.Random(kills)
    cut_short = 0
    for _ in range(kills):
        lines = moments.randrange(MESSAGES)
        kill_after(specification, lines, moments.random() * 0.05)
        cut_short += part.exists()
        if product.exists():
            check(product)
            product.unlink()
    assert cut_short or kills < MESSAGES
    assert kill_after(specification, 100, DEADLINE_S) == 0
    check(product)
    assert not part.exists()
    assert content_of(tmp_path) == before


def check(product: Path) -> None:
    """Find a whole product."""
    report = verify_file(product)
    assert (report.errors, report.warnings) == (0, 0)
    assert [hdu.unfilled_size for hdu in read_layout(product)][1:] == [4 * PIXELS] * 3
