"""The commands of an event logger, each way to call them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.event_logger import LoggerControl
from tests.contract.logger_control import LoggerControlContract
from tests.support.event_logger import TestedLogger
from tests.support.wire import MODES, wired


@pytest.mark.parametrize("mode", MODES)
class TestLoggerControl(LoggerControlContract):
    """The component's servant."""

    @pytest.fixture
    @override
    def logger(self, mode: str, tmp_path: Path) -> Iterator[LoggerControl]:
        with (
            TestedLogger(tmp_path) as tested,
            wired(tested.control, LoggerControl, mode) as client,
        ):
            yield client
