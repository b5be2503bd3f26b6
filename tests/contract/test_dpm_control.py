"""The DPM's own control, each way to call it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.daqif import DpmControl
from tests.contract.dpm_control import DpmControlContract
from tests.support.products import Dpm, running
from tests.support.wire import MODES, wired


@pytest.fixture
def running_dpm(tmp_path: Path) -> Iterator[Dpm]:
    """Yield a running DPM."""
    with running(tmp_path) as dpm:
        yield dpm


class TestDpmServant(DpmControlContract):
    """The servant of the DPM."""

    @pytest.fixture(params=MODES)
    @override
    def dpm(self, request: pytest.FixtureRequest, running_dpm: Dpm) -> Iterator[DpmControl]:
        with wired(running_dpm.dpm, DpmControl, request.param) as client:
            yield client

    @pytest.fixture
    @override
    def ended(self, running_dpm: Dpm) -> threading.Event:
        return running_dpm.site.exit_requested
