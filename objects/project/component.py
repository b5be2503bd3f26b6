"""Project information and configurations as a component of an installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.project import (
    CONFIGURATION_TOPIC,
    PROJECT_TOPIC,
    Configuration,
    ConfigurationService,
    ProjectInformation,
    ProjectService,
)
from objects.component.site import ActiveObject, Component, Site
from objects.project.configuration_servant import ConfigurationServant
from objects.project.master import MasterFile, Values, read_master
from objects.project.project_servant import ProjectServant
from objects.project.store import ProjectStore


class ProjectSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of the project and configuration services.

    Attributes:
        file: The store; relative to the data root; made when it is missing.
        master: Master file of the site (TOML) with presets; relative to the installation
            file's folder.
        defaults: Presets of this installation, for what neither the last session nor the
            master file has.
    """

    file: Annotated[str, msgspec.Meta(min_length=1)] = "project/project.sqlite"
    master: Path | None = None
    defaults: Values = Values()


class ProjectComponent(Component):
    """Keeps the project information and the configurations of an installation."""

    kind: ClassVar[str] = "project"
    Settings: ClassVar[type[msgspec.Struct]] = ProjectSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self._master = MasterFile(settings.master)
        self._store: ProjectStore | None = None
        self._project: ProjectServant | None = None
        self._configurations: ConfigurationServant | None = None

    @override
    def recover(self) -> None:
        settings, clock = self.settings, self.site.clock
        self._store = ProjectStore(self.site.data_root / settings.file)
        # At the start a master file that is wrong is refused; later one does without.
        master = None if settings.master is None else read_master(settings.master)
        self._project = ProjectServant(
            self._store, self._master, settings.defaults, clock, self._tell_project
        )
        self._configurations = ConfigurationServant(self._store, clock, self._tell_configuration)
        if master is not None:
            self._configurations.take_missing(master.configuration, "master file")

    @override
    def objects(self) -> list[ActiveObject]:
        return [
            ActiveObject(path="project", interface=ProjectService, servant=self._project),
            ActiveObject(
                path="configuration", interface=ConfigurationService, servant=self._configurations
            ),
        ]

    @override
    def start(self) -> None:
        # Who reads the channel from its newest events shall find it there.
        if self._project is not None:
            self._tell_project(self._project.present)

    @override
    def stop(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    @override
    def detail(self) -> str:
        if self._project is None:
            return ""
        present = self._project.present
        said = f"{present.project or 'no project'}, {present.operator or 'nobody'}"
        return f"{said}; master file away" if self._master.problem else said

    def _tell_project(self, information: ProjectInformation) -> None:
        self.site.publish(PROJECT_TOPIC, information)
        for name in ("project", "operator", "flight", "context", "version"):
            self.site.record(f"information/{name}", getattr(information, name))

    def _tell_configuration(self, configuration: Configuration) -> None:
        self.site.publish(CONFIGURATION_TOPIC, configuration)
        told = {"version": configuration.version, "digest": configuration.digest}
        self.site.record(f"configuration/{configuration.name}", told)
