"""A coordinator among scripted sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from objects.messaging.channel import EventChannelServant
from tests.support.daq import Bench
from tests.support.site import FakeSite


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Yield a running coordinator."""
    running = Bench(tmp_path)
    yield running
    running.close()


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Bench]:
    """Yield a coordinator that asks the DPM only when it must: it hears, and tries it every hour."""
    site, channel = FakeSite(tmp_path, name="ocm"), EventChannelServant("e1")
    site.bind("obs/events", channel)
    running = Bench(tmp_path, dpm_retry_s=3600, site=site)
    yield running
    running.close()
    channel.close()
