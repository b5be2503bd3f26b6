"""A desk that is served on the loopback interface, and a stub of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from tests.support.desk import Desk, DeskServant


@pytest.fixture
def servant() -> DeskServant:
    return DeskServant()


@pytest.fixture
def uri(servant: DeskServant) -> Iterator[str]:
    with ObjectAdapter() as adapter:
        yield adapter.activate(servant, Desk, "desk")
        servant.gate.set()


@pytest.fixture
def desk(uri: str) -> Iterator[Desk]:
    desk = narrow(uri, Desk)
    yield desk
    release(desk)
