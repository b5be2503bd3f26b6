"""Configuration files are found over the folders of CFGPATH, in their order."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from idl_like_interfaces.errors import BadParam
from objects.component.config_path import ConfigPath, find, with_found_files


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings with a file, files, and a text that is none."""

    one: ConfigPath = ""
    more: list[ConfigPath] = []
    name: str = "c"


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("it")
    return path


def environment(*folders: Path | str) -> dict[str, str]:
    return {"CFGPATH": ":".join(map(str, folders))}


@pytest.mark.spec("ESO-158")
def test_the_first_folder_that_has_it_wins(tmp_path: Path) -> None:
    """A relative path is tried with each folder in order."""
    second = made(tmp_path / "b" / "config" / "c.yaml")
    folders = environment(tmp_path / "a", tmp_path / "b", tmp_path / "d")
    made(tmp_path / "d" / "config" / "c.yaml")
    assert find("config/c.yaml", environment=folders) == second
    first = made(tmp_path / "a" / "config" / "c.yaml")
    assert find("config/c.yaml", environment=folders) == first


@pytest.mark.spec("ESO-158")
def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    """CFGPATH has no say about it."""
    made(tmp_path / "a" / "c")
    there = made(tmp_path / "c")
    assert find(there, environment=environment(tmp_path / "a")) == there


def test_the_folder_of_the_asking_file_comes_last(tmp_path: Path) -> None:
    """What stands beside is found without CFGPATH, and yields to it."""
    beside = made(tmp_path / "beside" / "c")
    assert find("c", beside=beside.parent, environment={}) == beside
    first = made(tmp_path / "a" / "c")
    assert find("c", beside=beside.parent, environment=environment(tmp_path / "a")) == first


@pytest.mark.usefixtures("in_its_folder")
def test_an_empty_entry_is_not_the_working_directory() -> None:
    """A colon too much must not let a file of chance be read."""
    made(Path("c"))
    with pytest.raises(BadParam, match=r"no configuration file c"):
        find("c", environment=environment("", " "))


@pytest.fixture
def in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", ["c", "/nowhere/c", "x\0y", "a" * 5000])
def test_a_missing_file_is_refused_with_the_places(tmp_path: Path, path: str) -> None:
    """Who asked is named, where was looked, and what to do; a folder is no file."""
    (tmp_path / "c").mkdir()
    with pytest.raises(BadParam) as caught:
        find(path, field="component.ocm.log_properties", environment=environment(tmp_path))
    assert caught.value.field == "component.ocm.log_properties"
    assert caught.value.remedy
    if path == "c":
        assert str(tmp_path / "c") in caught.value.cause


def test_settings_become_absolute(tmp_path: Path) -> None:
    """A path, and each of a list; what is empty or no path stays as it is."""
    made(tmp_path / "p"), made(tmp_path / "q")
    read = with_found_files(Settings(one="p", more=["q", "p"]), tmp_path, "component.ocm")
    assert read.one == str(tmp_path / "p")
    assert read.more == [str(tmp_path / "q"), str(tmp_path / "p")]
    assert read.name == "c"
    assert with_found_files(Settings(), tmp_path, "x") == Settings()


def test_a_missing_one_of_a_list_is_named(tmp_path: Path) -> None:
    """By its place."""
    made(tmp_path / "p")
    with pytest.raises(BadParam) as caught:
        with_found_files(Settings(more=["p", "q"]), tmp_path, "component.ocm")
    assert caught.value.field == "component.ocm.more[1]"
