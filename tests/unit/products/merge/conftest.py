"""Fixtures of the merger's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.merging import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return an empty folder with a merger over it."""
    return Bench(tmp_path)


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """Return an empty folder in memory where there is one: for many small products."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    with TemporaryDirectory(dir=place, prefix="merge-") as folder:
        yield Path(folder)
