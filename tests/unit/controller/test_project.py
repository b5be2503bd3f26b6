"""``obsorb project``: what an operator sees and sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.cli.project import history_line
from controller.cli.who import who
from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.project import ConfigurationService, ProjectService
from objects.project.component import ProjectComponent, ProjectSettings
from objects.project.master import Values
from tests.support.site import FakeSite
from tests.support.small import SmallInstallation
from tests.unit.controller.running import document, ok, refused


@pytest.fixture(autouse=True)
def _served(
    small: SmallInstallation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Both services, in an installation of this process."""
    monkeypatch.setenv("OBSORB_OPERATOR", "anna")
    settings = ProjectSettings(defaults=Values(project="idle"))
    component = ProjectComponent(FakeSite(tmp_path, name="project"), settings)
    component.recover()
    for each in component.objects():
        name = f"obs/{each.path}"
        uri = small.adapter.activate(each.servant, each.interface, name)
        small.names.context.bind(name, uri, interface_of(each.interface).repository_id)
    yield
    component.stop()


def test_a_change_is_shown(tmp_path: Path) -> None:
    """Each value on a line, then the version, who made it and why."""
    ok("project", "set", "--project", "VORTEX", "--context", "iop=7", "--comment", "IOP 7 begins")
    lines = ok("project", "show").splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["project", "VORTEX"],
        ["operator", "-"],
        ["flight", "-"],
        ["context.iop", "7"],
    ]
    assert lines[4].startswith("version 2, ")
    assert lines[4].endswith("by anna: IOP 7 begins")


def test_an_entry_of_the_context_is_removed() -> None:
    """With an empty text; other texts may contain the sign."""
    ok("project", "set", "--context", "a=1=2", "--context", "b=2")
    assert document("project", "show")["context"] == {"a": "1=2", "b": "2"}
    ok("project", "set", "--context", "a=")
    assert document("project", "show")["context"] == {"b": "2"}


def test_the_history_says_what_each_version_changed() -> None:
    """The newest first; the oldest that is shown as well."""
    for flight in ("1", "2", "3"):
        ok("project", "set", "--flight", flight, "--by", "bert")
    lines = ok("project", "history", "--limit", "2").splitlines()
    assert [(line.split()[0], "flight=" in line, "project=" in line) for line in lines] == [
        ("4", True, False),
        ("3", True, False),
    ]
    assert "bert" in lines[0]
    assert [each["version"] for each in document("project", "history", "--before", "3")] == [2, 1]
    assert ok("project", "history").splitlines()[-1].endswith("project=idle")


def test_a_removed_entry_is_told_in_the_history() -> None:
    """As nothing."""
    ok("project", "set", "--context", "iop=7")
    ok("project", "set", "--context", "iop=")
    assert "context.iop=-" in ok("project", "history", "--limit", "1")


def test_presets_are_listed_with_their_origin() -> None:
    """What is taken first stands first."""
    ok("project", "set", "--project", "VORTEX")
    lines = [line.split() for line in ok("project", "presets").splitlines()]
    assert [line[:4] for line in lines] == [
        ["project", "VORTEX", "last", "session,"],
        ["project", "idle", "default"],
    ]


def test_who_was_too_slow_is_refused() -> None:
    """With what to do."""
    ok("project", "set", "--operator", "Bert")
    said = refused("project", "set", "--operator", "Anna", "--expect", "1")
    assert "has version 2 by now" in said
    assert "remedy:" in said


@pytest.mark.parametrize("arguments", [(), ("--context", "no sign"), ("--expect", "1")])
def test_a_change_of_nothing_is_a_wrong_usage(arguments: tuple[str, ...]) -> None:
    """Also an entry without a value."""
    assert refused("project", "set", *arguments, code=2)


def test_a_document_is_stored_and_read_again(tmp_path: Path) -> None:
    """From the command line, a JSON file, a TOML file."""
    ok("project", "config", "put", "archiver/0", '{"limit": 1}', "--comment", "small")
    (tmp_path / "two.json").write_text('{"limit": 2}')
    (tmp_path / "three.toml").write_text("limit = 3\n[nested]\nx = true\n")
    ok("project", "config", "put", "archiver/0", f"@{tmp_path}/two.json")
    ok("project", "config", "put", "archiver/0", f"@{tmp_path}/three.toml", "--by", "bert")
    assert json.loads(ok("project", "config", "get", "archiver/0")) == {
        "limit": 3,
        "nested": {"x": True},
    }
    first = document("project", "config", "get", "archiver/0", "--version", "1")
    assert (first["document"], first["comment"], first["changed_by"]) == (
        {"limit": 1},
        "small",
        "anna",
    )
    assert ok("project", "config", "list").split() == ["archiver/0"]
    lines = ok("project", "config", "history", "archiver/0").splitlines()
    assert ["version 3" in lines[0], "bert" in lines[0], "(small)" in lines[2]] == [True] * 3


@pytest.mark.parametrize("text", ["", "{", "[]", "@nowhere.json", "7"])
def test_what_is_no_document_is_refused(text: str) -> None:
    """Nothing is stored."""
    assert "remedy:" in refused("project", "config", "put", "archiver/0", text)
    assert document("project", "config", "list") == []


def test_what_is_not_there_is_refused() -> None:
    """With where to look."""
    assert "config list" in refused("project", "config", "get", "nothing")
    assert "no version 9" in refused("project", "show", "--version", "9")


def test_somebody_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, the environment, the login name, in this order."""
    assert who("Bert") == "Bert"
    assert who("") == "anna"
    monkeypatch.delenv("OBSORB_OPERATOR")
    assert who("")


def test_both_services_are_those_of_the_interfaces(small: SmallInstallation) -> None:
    """A stub of either can be had by name."""
    names: Any = small.names
    assert names.narrow("obs/project", ProjectService).get().version == 1
    assert names.narrow("obs/configuration", ConfigurationService).names() == []


def test_a_history_line_without_a_version_before_shows_all(small: SmallInstallation) -> None:
    """What is set in it is what has changed."""
    found = small.names.narrow("obs/project", ProjectService).get()
    assert history_line(found, None).endswith("project=idle")
