"""Files that are still written to: no byte of theirs is lost."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from idl_like_interfaces.daqif import DaqSubstate
from objects.products.component import DpmSettings
from tests.support.products import MergerControl, make_source, running, specification


@pytest.mark.parametrize("as_target", [False, True])
def test_a_file_that_grows_while_it_is_merged_is_merged_again(
    data_root: Path, settings: DpmSettings, merger: MergerControl, as_target: bool
) -> None:
    """The product that lacks its last frame is never seen; the whole one comes by itself."""
    merger.hold()
    source = make_source(data_root / "a.fits", b"one,")
    entry = {"type": "fitsFile", "sourceName": "t", "location": str(source)}
    text = (
        specification("A.1", target={"source": entry})
        if as_target
        else specification("A.1", source)
    )
    results = data_root / "dpm" / "result"
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(text)
        merger.await_started()
        with source.open("ab") as writing:
            writing.write(b"two")
        merger.release()
        (alert,) = dpm.wait("A.1", DaqSubstate.MERGING, error=True).alerts
        assert "changed while it was merged" in alert.description
        assert alert.cause == "it is still written to"
        assert list(results.iterdir()) == []
        dpm.wait_until(lambda: dpm.job("A.1").stuck)
        merger.release()
        dpm.site.clock.advance(10)
        dpm.site.tick()
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert Path(status.result).read_bytes() == b"merged:one,two"


@pytest.mark.spec("ESO-107")
@pytest.mark.parametrize(("after_s", "warned"), [(-1, False), (1, True)])
def test_the_time_of_the_stop_decides_what_is_suspicious(
    data_root: Path, settings: DpmSettings, after_s: float, warned: bool
) -> None:
    """Not that of the queueing, which may be hours later when the DPM was away."""
    source = make_source(data_root / "a.fits")
    with running(data_root, settings) as dpm:
        stopped_at = dpm.site.clock.utc() - timedelta(hours=2)
        modified = stopped_at.timestamp() + after_s
        os.utime(source, (modified, modified))
        dpm.daq.queue_daq(specification("A.1", source, stoppedAt=stopped_at.isoformat()))
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert [alert.id for alert in status.alerts] == (["collect/time/0_s0_a.fits"] if warned else [])
    assert status.error is False
