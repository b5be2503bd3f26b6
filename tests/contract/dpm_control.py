"""What every implementation of ``DpmControl`` does."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from idl_like_interfaces.daqif import DpmControl


class DpmControlContract:
    """Inherit it and give the two fixtures."""

    @pytest.fixture
    def dpm(self) -> Iterator[DpmControl]:
        """Yield a client of a DPM."""
        raise NotImplementedError

    @pytest.fixture
    def ended(self) -> threading.Event:
        """Return what is set when the server was asked to end."""
        raise NotImplementedError

    @pytest.mark.spec("ESO-100")
    def test_the_space_is_in_order(self, dpm: DpmControl) -> None:
        """Capacity is no less than free, free no less than available; all in bytes."""
        storage = dpm.query_storage_status()
        assert storage.capacity >= storage.free >= storage.available > 0
        assert storage.capacity > 1 << 20

    @pytest.mark.spec("ESO-102")
    def test_exit_answers_then_ends(self, dpm: DpmControl, ended: threading.Event) -> None:
        """The answer comes although the server goes."""
        assert not ended.is_set()
        assert dpm.exit() == "OK"
        assert ended.wait(10)
