"""The project and the configuration service, each way to call them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from idl_like_interfaces.project import ConfigurationService, ProjectService
from objects.component.clock import SystemClock
from objects.project.configuration_servant import ConfigurationServant
from objects.project.master import MasterFile, Values
from objects.project.project_servant import ProjectServant
from objects.project.store import ProjectStore
from tests.contract.configuration_service import ConfigurationServiceContract
from tests.contract.project_service import DEFAULTS, ProjectServiceContract
from tests.support.wire import MODES, wired


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    store = ProjectStore(tmp_path / "project.sqlite")
    yield store
    store.close()


def forget(_: object) -> None:
    """Tell nobody of a change."""


@pytest.mark.parametrize("mode", MODES)
class TestProjectService(ProjectServiceContract):
    """The servant over its store."""

    @pytest.fixture
    @override
    def service(self, store: ProjectStore, mode: str) -> Iterator[ProjectService]:
        values = Values(**DEFAULTS)  # type: ignore[arg-type]
        servant = ProjectServant(store, MasterFile(None), values, SystemClock(), forget)
        with wired(servant, ProjectService, mode) as service:
            yield service


@pytest.mark.parametrize("mode", MODES)
class TestConfigurationService(ConfigurationServiceContract):
    """The servant over its store."""

    @pytest.fixture
    @override
    def service(self, store: ProjectStore, mode: str) -> Iterator[ConfigurationService]:
        servant = ConfigurationServant(store, SystemClock(), forget)
        with wired(servant, ConfigurationService, mode) as service:
            yield service
