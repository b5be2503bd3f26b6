"""The online database, each way to call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.oldb import OnlineDatabase
from objects.oldb.database import Database
from objects.oldb.servant import OldbServant
from objects.oldb.store import SqliteOldbStore
from tests.contract.oldb import OnlineDatabaseContract
from tests.support.site import FakeSite
from tests.support.wire import MODES, wired


@pytest.mark.parametrize("mode", MODES)
class TestOnlineDatabase(OnlineDatabaseContract):
    """The servant over its store."""

    @pytest.fixture
    @override
    def database(self, tmp_path: Path, mode: str) -> Iterator[OnlineDatabase]:
        site = FakeSite(tmp_path)
        store = SqliteOldbStore(tmp_path / "oldb.sqlite", site.clock)
        servant = OldbServant(Database(site, store, 100_000))
        with wired(servant, OnlineDatabase, mode) as database:
            yield database
        store.close()
