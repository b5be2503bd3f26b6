"""The DPM's acquisition control, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.daqif import DaqStatus, DaqSubstate, DpmDaqControl
from objects.products.component import DpmSettings
from tests.contract.dpm_daq_control import DpmDaqControlContract, WaitFor
from tests.support.products import Dpm, MergerControl, make_source, running
from tests.support.wire import MODES, wired


@pytest.fixture
def dpm(tmp_path: Path) -> Iterator[Dpm]:
    """Yield a running DPM with the stand-in merger."""
    merger = MergerControl(tmp_path / "merger")
    (tmp_path / "data").mkdir()
    with running(tmp_path / "data", DpmSettings(bin_merge=merger.command)) as dpm:
        yield dpm
    merger.close()


class TestDpmDaqServant(DpmDaqControlContract):
    """The servant of the DPM."""

    @pytest.fixture(params=MODES)
    @override
    def daq(self, request: pytest.FixtureRequest, dpm: Dpm) -> Iterator[DpmDaqControl]:
        with wired(dpm.daq, DpmDaqControl, request.param) as client:
            yield client

    @pytest.fixture
    @override
    def wait_for(self, dpm: Dpm) -> WaitFor:
        def wait(id: str, substate: DaqSubstate, error: bool) -> DaqStatus:
            return dpm.wait(id, substate, error=error)

        return wait

    @pytest.fixture
    @override
    def source(self, tmp_path: Path) -> Path:
        return make_source(tmp_path / "source.fits")
