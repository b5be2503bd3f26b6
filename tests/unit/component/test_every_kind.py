"""What holds for every kind of component that is installed."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from objects.component.installation import COMPONENTS
from objects.component.site import Component
from tests.support.site import FakeSite

NEEDED: dict[str, dict[str, Any]] = {"ocm": {"instrument_id": "TEST"}}
"""Settings without a default."""

KINDS = sorted(point.name for point in entry_points(group=COMPONENTS))


def make(kind: str, folder: Path) -> Component:
    (point,) = entry_points(group=COMPONENTS, name=kind)
    component: type[Component] = point.load()
    return component(FakeSite(folder, name=kind), component.Settings(**NEEDED.get(kind, {})))


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    """Boots that are given up leave nothing that is in the way of the next."""

    def test_it_can_be_stopped_before_it_was_started(self, kind: str, tmp_path: Path) -> None:
        """What recover opened is released: another one can recover on the same folders."""
        for _ in range(2):
            component = make(kind, tmp_path)
            component.recover()
            component.objects()
            component.stop()

    def test_it_can_be_stopped_before_it_has_recovered(self, kind: str, tmp_path: Path) -> None:
        """A boot that is given up at once does no harm."""
        make(kind, tmp_path).stop()

    def test_its_kind_is_its_entry_point(self, kind: str, tmp_path: Path) -> None:
        """A component calls itself what an installation file calls it."""
        assert make(kind, tmp_path).kind == kind
