"""The event channel with a journal on disk: it behaves as one without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.events import EventChannel
from objects.messaging.channel import EventChannelServant
from objects.messaging.disk_journal import DiskJournal
from objects.messaging.journal import Retention
from tests.contract.event_channel import HELD, EventChannelContract
from tests.support.clock import ManualClock


@pytest.mark.parametrize("starts", [1, 3])
class TestJournaledEventChannel(EventChannelContract):
    """The servant, begun anew and restarted before anything was published."""

    @pytest.fixture
    @override
    def channel(self, clock: ManualClock, starts: int, tmp_path: Path) -> Iterator[EventChannel]:
        servant = _begin(tmp_path, clock)
        for _ in range(starts - 1):
            servant.close()
            servant = _begin(tmp_path, clock)
        yield servant
        servant.close()


def _begin(folder: Path, clock: ManualClock) -> EventChannelServant:
    storage = DiskJournal(folder / "events", segment_bytes=4096, clock=clock)
    retention = Retention(max_events=HELD)
    return EventChannelServant("now", retention=retention, clock=clock, storage=storage)
