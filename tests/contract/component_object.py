"""What every component does as an object, whatever carries it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.supervision import ComponentObject


class ComponentObjectContract:
    """Inherit it and give the fixture ``itself``."""

    @pytest.fixture
    def itself(self) -> Iterator[ComponentObject]:
        """Yield a running component that is well and has no further hops."""
        raise NotImplementedError

    def test_it_says_who_it_is_and_how_it_stands(self, itself: ComponentObject) -> None:
        """All that an operator asks first."""
        health = itself.get_health()
        assert health.component
        assert health.kind
        assert health.incarnation
        assert (health.state, health.is_ready) == (ComponentState.RUNNING, True)
        assert health.pid > 0
        assert health.uptime_s >= 0

    def test_its_uptime_grows(self, itself: ComponentObject) -> None:
        """It is one start that answers, not two."""
        first, second = itself.get_health(), itself.get_health()
        assert second.incarnation == first.incarnation
        assert second.uptime_s >= first.uptime_s

    def test_its_accounts_can_be_asked_for(self, itself: ComponentObject) -> None:
        """Each has its own hop, source and incarnation."""
        accounts = itself.get_accounts()
        keys = [(each.hop, each.kind, each.source, each.incarnation) for each in accounts]
        assert len(set(keys)) == len(keys)
