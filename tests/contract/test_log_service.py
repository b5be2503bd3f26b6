"""The log service, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.logs import LogService
from objects.messaging.log_service import LogServiceServant
from objects.messaging.log_store import SqliteLogStore
from tests.contract.log_service import LogServiceContract
from tests.support.wire import MODES, wired


@pytest.mark.parametrize("mode", MODES)
class TestLogService(LogServiceContract):
    """The servant over its store."""

    @pytest.fixture
    @override
    def service(self, tmp_path: Path, mode: str) -> Iterator[LogService]:
        store = SqliteLogStore(tmp_path / "log.sqlite")
        servant = LogServiceServant(store)
        with wired(servant, LogService, mode) as service:
            yield service
            servant.close()
        store.close()
