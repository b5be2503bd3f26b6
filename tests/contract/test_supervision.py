"""Components and their supervisor as objects, each way to call them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from typing_extensions import override

from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.supervision import (
    ComponentObject,
    PartState,
    PartStatus,
    Supervisor,
    SupervisorStatus,
)
from objects.component.health import ComponentServant
from objects.component.site import Component
from objects.component.supervisor_servant import SupervisorServant
from tests.contract.component_object import ComponentObjectContract
from tests.contract.supervisor import SupervisorContract
from tests.support.site import FakeSite
from tests.support.wire import MODES, wired

STARTED = datetime(2026, 3, 1, 22, tzinfo=UTC)


class Idle(Component):
    """Does nothing."""

    kind = "idle"
    Settings: ClassVar[type[msgspec.Struct]] = msgspec.Struct


@pytest.mark.parametrize("mode", MODES)
class TestComponentObject(ComponentObjectContract):
    """The servant of a component."""

    @pytest.fixture
    @override
    def itself(self, tmp_path: Path, mode: str) -> Iterator[ComponentObject]:
        servant = ComponentServant(Idle(FakeSite(tmp_path, name="idle"), None), list, [])
        servant.enter(ComponentState.RUNNING)
        with wired(servant, ComponentObject, mode) as itself:
            yield itself


@pytest.mark.parametrize("mode", MODES)
class TestSupervisor(SupervisorContract):
    """The servant of a supervisor whose parts are only noted."""

    @pytest.fixture
    @override
    def supervisor(self, mode: str) -> Iterator[Supervisor]:
        self._restarted: list[str] = []
        with wired(SupervisorServant(self.status, self.restart), Supervisor, mode) as supervisor:
            yield supervisor

    @override
    def restarted(self) -> list[str]:
        return self._restarted

    def status(self) -> SupervisorStatus:
        parts = [
            PartStatus(name=name, kind="idle", state=PartState.RUNNING, pid=pid, since=STARTED)
            for pid, name in enumerate(("first", "second"), start=100)
        ]
        return SupervisorStatus(
            installation="tested", file="/f.toml", host="here", started=STARTED, parts=parts
        )

    def restart(self, name: str) -> bool:
        if name not in ("first", "second"):
            return False
        self._restarted.append(name)
        return True
