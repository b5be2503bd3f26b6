"""The event server, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typing_extensions import override

from idl_like_interfaces.event_server import EventServer
from objects.logger_stream.event_server import EventServerServant
from objects.logger_stream.intake import Intake
from tests.contract.event_server import EventServerContract
from tests.support.held_streams import HeldRuns
from tests.support.wire import MODES, wired


@pytest.mark.parametrize("mode", MODES)
class TestEventServer(EventServerContract):
    """The servant."""

    @pytest.fixture
    @override
    def server(self, mode: str) -> Iterator[EventServer]:
        """Yield a client of a server of a logger with one run."""
        held = HeldRuns()
        held.start(1)
        servant = EventServerServant(Intake(held.runs, held.clock))
        with wired(servant, EventServer, mode) as client:
            yield client
