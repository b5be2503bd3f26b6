"""Installation files: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.security.settings import ABSENT, read_security
from objects.component.installation import Installation
from tests.support.installation import TEMPLATE


def write(folder: Path, text: str) -> Path:
    file = folder / "it.toml"
    file.write_text(text)
    return file


def test_the_template_is_read(tmp_path: Path) -> None:
    """Components, folders and the name server are as written."""
    read = Installation(write(tmp_path, TEMPLATE))
    assert read.data_root == tmp_path / "data"
    services = ["events", "log", "alarms", "oldb", "ledger", "project"]
    assert list(read.components) == [*services, "dpm", "ocm", "dcs1", "host1"]
    assert read.settings("ocm").instrument_id == "STIS"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[installation]\nnam = 'x'", "installation.nam"),
        ("[installation]\nname = 3", "installation.name"),
        ("[installation]\nroot = 'a/b'", "installation.root"),
        ("[name_server]\nstart = 'yes'", "name_server.start"),
        ("[name_server]\naddress = 'here'", "name_server.address"),
        ("[name_server]\nsecond = 'here'", "name_server.second"),
        ("[name_server]\nsecond = 'localhost:9090'", "name_server.second"),
        ("[component.'a b']\nkind = 'log'", "component"),
        ("[component.x]\nkind = 'nonsense'", "component.x.kind"),
        ("[component.x]\na = 1", "component.x.kind"),
        ("[security]\ncert = 'x'", "security.cert"),
        ("[security]\naudit = true", "security.audit"),
        ("[security.roles]\nalice = 'king'", "security.roles[...]"),
        ("[[security.rules]]\nrole = 'king'", "security.rules[0].role"),
        ("[components.x]\nkind = 'log'", "components"),
        ("not toml", "installation"),
    ],
)
def test_a_mistake_names_its_field(tmp_path: Path, text: str, field: str) -> None:
    """A wrong file is refused with the path of what is wrong."""
    with pytest.raises(BadParam) as caught:
        Installation(write(tmp_path, text))
    assert caught.value.field == field
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ("", "component.ocm.instrument_id"),
        ("instrument_id = 3", "component.ocm.instrument_id"),
        ("instrument_id = 'X'\ninstrument = 'Y'", "component.ocm.instrument"),
    ],
)
def test_a_wrong_setting_names_its_field(tmp_path: Path, settings: str, field: str) -> None:
    """Settings are checked by the component's own declaration."""
    read = Installation(write(tmp_path, f"[component.ocm]\nkind = 'ocm'\n{settings}"))
    with pytest.raises(BadParam) as caught:
        read.settings("ocm")
    assert caught.value.field == field


def test_an_unknown_component_is_refused(tmp_path: Path) -> None:
    """The refusal lists the components that there are."""
    read = Installation(write(tmp_path, TEMPLATE))
    for ask in (read.component_class, read.settings):
        with pytest.raises(BadParam, match="no component 'xyz'") as caught:
            ask("xyz")
        assert "dcs1" in caught.value.remedy


def test_security_is_read_from_its_table(tmp_path: Path) -> None:
    """The folder of the certificates is relative to the file; without the table there is none."""
    read = Installation(write(tmp_path, TEMPLATE + "\n[security]\ncerts = 'keys'\n"))
    assert read.security.certs == str(tmp_path / "keys")
    assert read.security == read_security(read.path)
    assert Installation(write(tmp_path, TEMPLATE)).security == ABSENT


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """There is no traceback for a file that is not there."""
    with pytest.raises(BadParam, match="there is no installation file"):
        Installation(tmp_path / "nothing.toml")


def test_a_folder_is_refused_without_talk_of_lines(tmp_path: Path) -> None:
    """What cannot be read has no line to correct."""
    with pytest.raises(BadParam, match="Is a directory") as caught:
        Installation(tmp_path)
    assert "line" not in caught.value.remedy


def test_a_component_without_kind_is_told_the_kinds(tmp_path: Path) -> None:
    """The field is missing, not misspelt."""
    with pytest.raises(BadParam, match=r"component\.a\.kind: the field is missing") as caught:
        Installation(write(tmp_path, "[component.a]\n")).component_class("a")
    assert "detector" in caught.value.remedy


def test_folders_are_relative_to_the_file(tmp_path: Path) -> None:
    """A relative folder in a setting is taken from the folder of the file."""
    read = Installation(write(tmp_path, TEMPLATE))
    assert str(read.settings("dcs1").frames) == str(tmp_path / "frames")
