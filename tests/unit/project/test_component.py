"""The component: what it keeps over a restart, and what it tells."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.context import Caller, serving
from idl_like_interfaces.project import (
    CONFIGURATION_TOPIC,
    PROJECT_TOPIC,
    Configuration,
    ConfigurationService,
    Origin,
    ProjectChange,
    ProjectInformation,
    ProjectService,
)
from objects.project.component import ProjectComponent, ProjectSettings
from objects.project.master import Values
from tests.support.site import FakeSite

MASTER = """
[project]
project = "VORTEX"
[configuration."archiver/0"]
limit = 100
"""


class Running:
    """A component that has started, with its two services."""

    def __init__(self, folder: Path, settings: ProjectSettings) -> None:
        self.site = FakeSite(folder, name="project")
        self.component = ProjectComponent(self.site, settings)
        self.component.recover()
        servants = {each.path: each.servant for each in self.component.objects()}
        self.project = cast("ProjectService", servants["project"])
        self.configurations = cast("ConfigurationService", servants["configuration"])
        self.component.start()

    def told(self, topic: str) -> list[object]:
        return [body for at, body in self.site.events if at == topic]


def settings(folder: Path, text: str = MASTER) -> ProjectSettings:
    master = folder / "master.toml"
    master.write_text(text)
    return ProjectSettings(master=master, defaults=Values(project="idle", operator="nobody"))


def test_the_first_session_begins_with_master_file_and_defaults(tmp_path: Path) -> None:
    """The master file goes before the defaults; its documents are taken."""
    running = Running(tmp_path, settings(tmp_path))
    first = running.project.get()
    assert (first.project, first.operator, first.changed_by) == ("VORTEX", "nobody", "presets")
    assert running.configurations.get("archiver/0").document == {"limit": 100}
    running.component.stop()


def test_the_next_session_begins_with_the_last_one(tmp_path: Path) -> None:
    """Whatever the master file says by then; it stays visible as a preset."""
    running = Running(tmp_path, settings(tmp_path))
    running.project.set(ProjectChange(project="PREDICT", operator="Anna"), "anna")
    running.configurations.put("archiver/0", {"limit": 5})
    running.component.stop()
    again = Running(tmp_path, settings(tmp_path, MASTER.replace("VORTEX", "HAIL")))
    assert (again.project.get().project, again.project.get().version) == ("PREDICT", 2)
    assert again.configurations.get("archiver/0").document == {"limit": 5}
    of_project = [
        (each.value, each.origin) for each in again.project.presets() if each.field == "project"
    ]
    assert of_project == [
        ("PREDICT", Origin.LAST_SESSION),
        ("HAIL", Origin.MASTER),
        ("idle", Origin.DEFAULT),
    ]
    again.component.stop()


def test_each_change_is_told(tmp_path: Path) -> None:
    """On the channel, in order, and in the online database; what does not change is not."""
    running = Running(tmp_path, ProjectSettings())
    running.project.set(ProjectChange(operator="Anna", context={"iop": "7"}))
    running.project.set(ProjectChange(operator="Anna"))
    running.configurations.put("archiver/0", {"limit": 5})
    running.configurations.put("archiver/0", {"limit": 5})
    told = cast("list[ProjectInformation]", running.told(PROJECT_TOPIC))
    assert [(each.version, each.operator) for each in told] == [(1, ""), (2, "Anna")]
    (put,) = cast("list[Configuration]", running.told(CONFIGURATION_TOPIC))
    assert (put.name, put.version) == ("archiver/0", 1)
    assert running.site.recorded["information/operator"] == "Anna"
    assert running.site.recorded["information/context"] == {"iop": "7"}
    assert running.site.recorded["configuration/archiver/0"]["version"] == 1
    running.component.stop()


def test_a_certificate_says_who_has_changed_it(tmp_path: Path) -> None:
    """Before what the caller says of himself."""
    running = Running(tmp_path, ProjectSettings())
    with serving(None, Caller(address="127.0.0.1", identity="console")):
        changed = running.project.set(ProjectChange(flight="night 2"), "Anna")
        again = running.project.set(ProjectChange(flight="night 3"), "console")
    assert (changed.changed_by, again.changed_by) == ("console: Anna", "console")
    running.component.stop()


def test_a_wrong_master_file_refuses_the_start(tmp_path: Path) -> None:
    """It was configured, so somebody wants it."""
    component = ProjectComponent(FakeSite(tmp_path), settings(tmp_path, "[project"))
    with pytest.raises(BadParam, match=r"master\.toml"):
        component.recover()
    component.stop()


def test_it_says_in_few_words_for_whom_it_works(tmp_path: Path) -> None:
    """With its heartbeat; also that the master file is away."""
    running = Running(tmp_path, settings(tmp_path))
    assert running.component.detail() == "VORTEX, nobody"
    (tmp_path / "master.toml").unlink()
    running.project.presets()
    assert running.component.detail().endswith("master file away")
    running.component.stop()
