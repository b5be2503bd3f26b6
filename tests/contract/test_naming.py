"""The name service over each store, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.naming import NamingContext
from nameserver.servant import NamingServant
from nameserver.stores import MemoryStore, SqliteStore
from tests.contract.naming import NamingContract
from tests.contract.watching import WatchingContract
from tests.support.clock import ManualClock
from tests.support.wire import MODES, wired


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """Return each way to call a servant."""
    return str(request.param)


class TestNamesInMemory(NamingContract, WatchingContract):
    """The store that forgets."""

    @pytest.fixture
    @override
    def names(self, clock: ManualClock, mode: str) -> Iterator[NamingContext]:
        servant = NamingServant(MemoryStore(), utc=clock.utc, monotonic=clock.monotonic)
        with wired(servant, NamingContext, mode) as names:
            yield names


class TestNamesInAFile(NamingContract, WatchingContract):
    """The store that remembers."""

    @pytest.fixture
    @override
    def names(self, clock: ManualClock, mode: str, tmp_path: Path) -> Iterator[NamingContext]:
        store = SqliteStore(tmp_path / "names.db")
        servant = NamingServant(store, utc=clock.utc, monotonic=clock.monotonic)
        with wired(servant, NamingContext, mode) as names:
            yield names
        store.close()
