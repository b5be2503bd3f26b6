"""A source on the bench, and the example that uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from astropy.io import fits

from idl_like_interfaces.errors import Transient
from idl_like_interfaces.recif import RecCmds, RecProperties
from objects.component.timetable import Timetable
from objects.data_source.bench import BenchSite, on_bench
from objects.data_source.components import (
    DetectorComponent,
    DetectorSettings,
    TelemetryComponent,
    TelemetrySettings,
)
from tests.docs.page import Page

EXAMPLE = Path(__file__).parents[3] / "examples" / "own_source.py"
HOW_TO = EXAMPLE.parents[1] / "docs" / "how-to" / "own-data-source.md"


def test_the_own_source_of_the_how_to_has_less_than_forty_lines() -> None:
    """Imports, settings and component included."""
    source = Page.read(HOW_TO).steps()[0].text
    assert "MetadataComponent" in source
    assert len(source.splitlines()) < 40


def test_the_example_records_its_own_frames(tmp_path: Path) -> None:
    """It runs as a script and prints where the file is."""
    done = subprocess.run(
        [sys.executable, EXAMPLE, tmp_path], capture_output=True, text=True, check=True, timeout=50
    )
    text, _, path = done.stdout.strip().rpartition(" ")
    assert text == "Completed: 3 frames in"
    with fits.open(path, checksum=True) as hdus:
        assert [hdu.data.shape[0] for hdu in hdus[1:]] == [3, 3, 3]
        assert hdus[1].header["HIERARCH ESO DET CHIP NX"] == hdus[1].header["NAXIS1"]


def test_a_detector_runs_on_the_bench(tmp_path: Path) -> None:
    """It is stopped at the end, and its data are kept."""
    settings = DetectorSettings(exposure_s=0.0, shape=(4, 4))
    with on_bench(DetectorComponent, settings, tmp_path / "new") as source:
        source.recorder.rec_start(RecProperties(id="s1"))
    assert (tmp_path / "new" / "sources" / "bench" / "s1.fits").exists()


def test_samples_are_taken_in_real_time_on_the_bench(tmp_path: Path) -> None:
    """The timetable is the real one."""
    with on_bench(TelemetryComponent, TelemetrySettings(period_s=0.01), tmp_path) as source:
        source.daq.start_daq("a1")
        series = source.daq._all["a1"].series
        while len(series.rows) < 4:
            source.daq.get_daq_status("a1")
        (file,) = source.daq.stop_daq("a1").files
    assert len(fits.getdata(file, 1)) >= 5


def test_there_are_no_names_on_the_bench(tmp_path: Path) -> None:
    """And a wish to end is only noted."""
    timetable = Timetable()
    site = BenchSite("bench", tmp_path, timetable)
    with pytest.raises(Transient, match="no names on the bench"):
        site.narrow("obs/ocm/daq", RecCmds)
    site.request_exit()
    assert site.exit_requested.is_set()
    timetable.close()
