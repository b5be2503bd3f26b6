"""A small installation in this process, reached over the loopback interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.small import SmallInstallation


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallInstallation]:
    """A name server, an event channel, a log service and an OCM that remembers its calls."""
    monkeypatch.setenv("COLUMNS", "100")
    with SmallInstallation(tmp_path) as installation:
        monkeypatch.setenv("OBSORB_NAMES", installation.address)
        yield installation
