"""Installation files: what is read, and what is refused."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.security.settings import ABSENT, read_security
from objects.component.common_settings import COMMON
from objects.component.installation import COMPONENTS, Installation
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


class TestEnvironment:
    """What the environment says where the file says nothing."""

    @pytest.mark.spec("ESO-158")
    def test_the_file_goes_before_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DATAROOT is where the data are, unless the file says where."""
        monkeypatch.setenv("DATAROOT", str(tmp_path / "root"))
        assert Installation(write(tmp_path, "")).data_root == tmp_path / "root"
        text = "[installation]\ndata_root = 'mine'"
        assert Installation(write(tmp_path, text)).data_root == tmp_path / "mine"

    def test_without_both_the_data_lie_beside_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In a folder of their own."""
        monkeypatch.delenv("DATAROOT", raising=False)
        assert Installation(write(tmp_path, "")).data_root == tmp_path / "data"

    def test_a_relative_data_root_of_the_environment_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would mean another folder for each process."""
        monkeypatch.setenv("DATAROOT", "here")
        with pytest.raises(BadParam, match="no absolute path") as caught:
            Installation(write(tmp_path, ""))
        assert caught.value.field == "DATAROOT"

    @pytest.mark.spec("ESO-158")
    def test_the_file_is_found_by_cfgpath(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A relative path that is not here is looked for there."""
        (tmp_path / "a" / "config").mkdir(parents=True)
        file = write(tmp_path / "a" / "config", "[installation]\nname = 'found'")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("CFGPATH", f"{tmp_path}/none:{tmp_path}/a")
        assert Installation(Path("config/it.toml")).path == file
        with pytest.raises(BadParam, match="there is no installation file"):
            Installation(Path("config/other.toml"))


class TestCommonSettings:
    """What every component has."""

    def test_they_are_no_settings_of_its_kind(self, tmp_path: Path) -> None:
        """Level, file of levels and port belong to the process."""
        (tmp_path / "log.properties").write_text("daq.ocm = DEBUG")
        text = (
            "[component.log]\nkind = 'log'\nlog_level = 'STATE'\nrequest_port = 12081\n"
            "log_properties = 'log.properties'\n"
        )
        read = Installation(write(tmp_path, text))
        common = read.common("log")
        assert (common.log_level, common.request_port) == ("STATE", 12081)
        assert common.log_properties == str(tmp_path / "log.properties")
        read.settings("log")

    @pytest.mark.parametrize(
        ("line", "field"),
        [
            ("request_port = 70000", "component.log.request_port"),
            ("log_level = 'LOUD'", "component.log.log_level"),
            ("log_properties = 'nowhere'", "component.log.log_properties"),
        ],
    )
    def test_a_wrong_one_names_its_field(self, tmp_path: Path, line: str, field: str) -> None:
        """When the file is read, and not when the component starts."""
        with pytest.raises(BadParam) as caught:
            Installation(write(tmp_path, f"[component.log]\nkind = 'log'\n{line}"))
        assert caught.value.field == field

    @pytest.mark.spec("ESO-158")
    def test_what_is_given_goes_before_the_file(self, tmp_path: Path) -> None:
        """An option of a command is checked as the file is."""
        read = Installation(write(tmp_path, "[component.d]\nkind = 'dpm'\nworkspace = 'file'"))
        assert read.settings("d").workspace == "file"
        assert read.settings("d", {"workspace": "option"}).workspace == "option"
        with pytest.raises(BadParam) as caught:
            read.settings("d", {"nonsense": True})
        assert caught.value.field == "component.d.nonsense"

    @pytest.mark.parametrize("kind", sorted(each.name for each in entry_points(group=COMPONENTS)))
    def test_no_kind_has_a_setting_of_that_name(self, kind: str) -> None:
        """It would never get it."""
        [point] = entry_points(group=COMPONENTS, name=kind)
        assert COMMON.isdisjoint(point.load().Settings.__struct_fields__)
