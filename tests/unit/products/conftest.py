"""Fixtures: a merger under control, and settings that use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from objects.products.component import DpmSettings
from tests.support.products import MergerControl


@pytest.fixture
def merger(tmp_path: Path) -> Iterator[MergerControl]:
    """Yield the control of the stand-in merger."""
    control = MergerControl(tmp_path / "merger")
    yield control
    control.close()


@pytest.fixture
def settings(merger: MergerControl) -> DpmSettings:
    """Return default settings with the stand-in merger."""
    return DpmSettings(bin_merge=merger.command)


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """Return an empty data root."""
    root = tmp_path / "data"
    root.mkdir()
    return root
