"""Fixtures of the merger's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.merging import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return an empty folder with a merger over it."""
    return Bench(tmp_path)
