"""The standard servant keeps the contract of ``StdCmds`` over every carrier."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.stdif import StdCmds
from objects.component.std import StdServant
from tests.contract.std_cmds import StdCmdsContract
from tests.support.site import FakeSite
from tests.support.wire import MODES, wired


class TestStdServant(StdCmdsContract):
    """In-process, over the typed stub, over a stock proxy."""

    @override
    @pytest.fixture(params=MODES)
    def std(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StdCmds]:
        logger = logging.getLogger("objects")
        before = logger.level
        with wired(StdServant(FakeSite(tmp_path)), StdCmds, request.param) as client:
            yield client
        logger.setLevel(before)
