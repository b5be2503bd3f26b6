"""The coordinator keeps the contract of ``OcmDaqControl`` over every carrier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.daqif import OcmDaqControl
from tests.contract.ocm_daq_control import OcmDaqControlContract, OcmDaqControlOverTheWire
from tests.support.daq import Bench
from tests.support.wire import MODES, wired


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Yield a running coordinator among scripted sources."""
    running = Bench(tmp_path)
    yield running
    running.close()


class TestOcmServant(OcmDaqControlContract):
    """In-process, over the typed stub, over a stock proxy."""

    @override
    @pytest.fixture(params=MODES)
    def daq(self, request: pytest.FixtureRequest, bench: Bench) -> Iterator[OcmDaqControl]:
        with wired(bench.daq, OcmDaqControl, request.param) as client:
            yield client


class TestOcmServantOverTheWire(OcmDaqControlOverTheWire):
    """Over the two carriers that check types."""

    @pytest.fixture(params=MODES[1:])
    def daq(self, request: pytest.FixtureRequest, bench: Bench) -> Iterator[OcmDaqControl]:
        """Yield a client."""
        with wired(bench.daq, OcmDaqControl, request.param) as client:
            yield client
