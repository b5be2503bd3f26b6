"""Run control, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.run_configuration import RunConfiguration
from idl_like_interfaces.run_control import RunControl
from tests.contract.run_control import RunControlContract
from tests.support import runs
from tests.support.wire import MODES, wired


@pytest.mark.parametrize("mode", MODES)
class TestRunControl(RunControlContract):
    """The servant over its store, with loggers."""

    @pytest.fixture
    @override
    def service(self, tmp_path: Path, mode: str) -> Iterator[RunControl]:
        with (
            runs.hall(tmp_path, takes_control=False) as room,
            wired(room.service, RunControl, mode) as service,
        ):
            yield service

    @pytest.fixture
    @override
    def configuration(self) -> RunConfiguration:
        return runs.configuration(
            runs.logger_writer("a", 1), runs.logger_writer("b", 2, after=["a"])
        )
