"""The DPM with the merger that is installed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from idl_like_interfaces.daqif import DaqSubstate
from tests.support.products import running


def write_fits(path: Path, value: int) -> Path:
    image = fits.ImageHDU(np.full((4, 6), value, dtype=np.int16), name=f"IMAGE{value}")
    primary = fits.PrimaryHDU()
    primary.header["OBJECT"] = f"object {value}"
    fits.HDUList([primary, image]).writeto(path)
    return path


def document(data_root: Path) -> str:
    keywords = [{"type": "valueKeyword", "name": "INSTRUME", "value": "INSX"}]
    sources = [
        {"type": "fitsKeywords", "sourceName": "ocm", "keywords": keywords},
        {"type": "fitsFile", "sourceName": "b", "location": str(data_root / "b.fits")},
    ]
    target = {"type": "fitsFile", "sourceName": "a", "location": str(data_root / "a.fits")}
    return json.dumps(
        {
            "id": "A.1",
            "sources": sources,
            "target": {"fileId": "A.1", "filePrefix": "sci_", "source": target},
        }
    )


@pytest.mark.system
def test_the_installed_merger_makes_the_product(data_root: Path) -> None:
    """By default settings, from real FITS files; the originals stay as they were."""
    originals = [write_fits(data_root / f"{name}.fits", i) for i, name in enumerate("ab", 1)]
    before = [path.read_bytes() for path in originals]
    with running(data_root) as dpm:
        dpm.daq.queue_daq(document(data_root))
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    with fits.open(status.result, checksum=True) as product:
        assert [hdu.name for hdu in product[1:]] == ["IMAGE1", "IMAGE2"]
        header = product[0].header
        assert (header["OBJECT"], header["INSTRUME"]) == ("object 1", "INSX")
        assert (header["ARCFILE"], header["ORIGFILE"]) == ("A.1.fits", "sci_A.1.fits")
    assert [path.read_bytes() for path in originals] == before


@pytest.mark.system
def test_what_the_installed_merger_refuses_becomes_an_alert(data_root: Path) -> None:
    """A file that only begins as a FITS file: its path, and what to do."""
    write_fits(data_root / "a.fits", 1)
    (data_root / "b.fits").write_text("SIMPLE  =                    T")
    with running(data_root) as dpm:
        dpm.daq.queue_daq(document(data_root))
        status = dpm.wait("A.1", DaqSubstate.MERGING, error=True)
    errors = [alert for alert in status.alerts if alert.id == "merge/failed"]
    assert "1_b_b.fits" in errors[0].description
    assert errors[0].remedy
