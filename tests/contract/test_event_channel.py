"""The event channel, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typing_extensions import override

from idl_like_interfaces.events import EventChannel
from objects.messaging.channel import EventChannelServant
from objects.messaging.journal import Retention
from tests.contract.event_channel import HELD, EventChannelContract
from tests.support.clock import ManualClock
from tests.support.wire import MODES, wired


@pytest.mark.parametrize("mode", MODES)
class TestEventChannel(EventChannelContract):
    """The servant."""

    @pytest.fixture
    @override
    def channel(self, clock: ManualClock, mode: str) -> Iterator[EventChannel]:
        servant = EventChannelServant("now", retention=Retention(max_events=HELD), clock=clock)
        with wired(servant, EventChannel, mode) as channel:
            yield channel
            servant.close()
