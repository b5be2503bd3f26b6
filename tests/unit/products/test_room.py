"""Room for a product is looked for before it is made: also for a target that is copied."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.daqif import DaqSubstate
from objects.products.component import DpmSettings
from objects.products.room import lack_of_room
from objects.products.sources import SourceFile
from tests.support.disk import fill, small_disk
from tests.support.products import BEFORE, MergerControl, make_source, running, specification

SIZE = 1 << 20
TARGET = SourceFile(source_name="t", origin="/t.fits", path="t.fits", is_target=True)
SOURCE = SourceFile(source_name="s", origin="/s.fits", path="s.fits")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a real disk of 8 MiB."""
    with small_disk(tmp_path / "disk", "8m") as folder:
        yield folder


def test_a_target_that_becomes_the_product_needs_no_second_place(disk: Path) -> None:
    """Only what is added to it does."""
    make_source(disk / "t.fits", bytes(SIZE))
    make_source(disk / "s.fits", bytes(1000))
    fill(disk, but=SIZE // 2)
    assert lack_of_room(disk, [TARGET, SOURCE], in_place=True) is None


@pytest.mark.parametrize(("in_place", "is_linked"), [(False, False), (True, True)])
def test_a_target_that_is_copied_needs_a_place(disk: Path, in_place: bool, is_linked: bool) -> None:
    """For a merger that does not work in place, and where somebody else has the file, too."""
    target = make_source(disk / "t.fits", bytes(SIZE))
    if is_linked:
        (disk / "other.fits").hardlink_to(target)
    fill(disk, but=SIZE // 2)
    found = lack_of_room(disk, [TARGET], in_place=in_place)
    assert found is not None
    assert (found.id, "are needed" in found.description) == ("merge/room", True)


def test_a_merger_of_somebody_else_is_not_started_for_a_target_that_has_no_place(
    disk: Path, tmp_path: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """It would fill the disk for everybody, to fail in the end."""
    source = make_source(tmp_path / "t.fits", bytes(SIZE))
    target = {"source": {"type": "fitsFile", "sourceName": "t", "location": str(source)}}
    with running(disk, settings) as dpm:
        fill(disk, but=SIZE + SIZE // 2)  # the copy has room, the product has not
        dpm.daq.queue_daq(specification("A.1", target=target))
        status = dpm.wait("A.1", DaqSubstate.MERGING, error=True)
        assert [alert.id for alert in status.alerts] == ["merge/room"]
        assert merger.pids == []


@pytest.mark.system
def test_a_private_target_without_room_in_its_header_waits_for_room_on_the_disk(
    disk: Path, tmp_path: Path
) -> None:
    """Only the merger knows that it has to be copied: it looks before it writes."""
    header = fits.Header({f"WORD{number}": number for number in range(28)})
    target = tmp_path / "t.fits"
    fits.PrimaryHDU(np.zeros((1024, 1024), "uint8"), header).writeto(target)
    os.utime(target, (BEFORE, BEFORE))
    text = specification(
        "A.1",
        target={"source": {"type": "fitsFile", "sourceName": "t", "location": str(target)}},
        sources=[{"type": "fitsKeywords", "sourceName": "k", "keywords": _more_words(80)}],
    )
    with running(disk) as dpm:
        ballast = fill(disk, but=SIZE + SIZE // 2)  # the copy has room, the product has not
        dpm.daq.queue_daq(text)
        alerts = dpm.wait("A.1", DaqSubstate.MERGING, error=True).alerts
        assert "bytes are needed" in alerts[-1].description
        ballast.unlink()
        dpm.site.clock.advance(10)
        dpm.site.tick()
        dpm.wait("A.1", DaqSubstate.COMPLETED, error=False)


def _more_words(count: int) -> list[dict[str, object]]:
    return [{"type": "valueKeyword", "name": f"MORE{n}", "value": n} for n in range(count)]
