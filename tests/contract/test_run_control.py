"""Run control, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.run_configuration import RunConfiguration
from idl_like_interfaces.run_control import Phase, RunControl
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


@pytest.mark.parametrize("mode", [each for each in MODES if each != "in-process"])
@pytest.mark.parametrize("command", ["abort", "pause"])
def test_a_reason_has_a_bound(tmp_path: Path, mode: str, command: str) -> None:
    """Else one text would be in each telling of the run, in the logbook and in the report."""
    with (
        runs.hall(tmp_path) as room,
        wired(room.service, RunControl, mode) as service,
    ):
        room.configure()
        begun = room.start()
        with pytest.raises(BadParam) as refused:
            getattr(service, command)(room.token, begun.run, 4097 * "x")
        assert refused.value.field == "reason"
        assert service.get_run(begun.run).phase is Phase.ACTIVE
