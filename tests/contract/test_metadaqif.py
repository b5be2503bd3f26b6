"""The metadata servant, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.metadaqif import MetaDaq
from objects.data_source.host_telemetry import HostTelemetry
from objects.data_source.metadata_daq import MetadataDaq
from objects.data_source.output import OutputFolder
from tests.contract.metadaqif import MetaDaqContract
from tests.support.site import FakeSite
from tests.support.wire import MODES, wired


@pytest.mark.parametrize("mode", MODES)
class TestMetadataDaq(MetaDaqContract):
    """The servant, over the telemetry of this host."""

    @pytest.fixture
    @override
    def source(self, tmp_path: Path, mode: str) -> Iterator[MetaDaq]:
        site = FakeSite(tmp_path, name="host")
        telemetry = HostTelemetry(tmp_path, site.clock)
        daq = MetadataDaq(site, telemetry, OutputFolder(tmp_path / "out"))
        with wired(daq, MetaDaq, mode) as client:
            yield client
        daq.close()
