"""What several pages share: an installation that runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import running_installation


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the installation that pages share."""
    return tmp_path_factory.mktemp("installation")


@pytest.fixture(scope="session")
def names(place: Path) -> Iterator[str]:
    """Run one installation for all pages that need one: the address of its name server."""
    with running_installation(place) as address:
        yield address
