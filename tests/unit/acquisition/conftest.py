"""A coordinator among scripted sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daq import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Yield a running coordinator."""
    running = Bench(tmp_path)
    yield running
    running.close()
