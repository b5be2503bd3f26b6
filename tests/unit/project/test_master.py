"""Presets: the last session, the master file of the site, the defaults."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from idl_like_interfaces.errors import BadParam
from objects.project.master import Master, MasterFile, Values, read_master

TEXT = """
[project]
project = "VORTEX"
operator = "shift leader"

[project.context]
iop = "7"

[configuration."archiver/0"]
directory = "/data/archive0"
"""


def written(folder: Path, text: str = TEXT) -> Path:
    file = folder / "master.toml"
    file.write_text(text)
    return file


def test_a_master_file_has_values_and_documents(tmp_path: Path) -> None:
    """Both may be missing."""
    read = read_master(written(tmp_path))
    assert read.project.by_field() == {
        "project": "VORTEX",
        "operator": "shift leader",
        "context.iop": "7",
    }
    assert read.configuration == {"archiver/0": {"directory": "/data/archive0"}}
    assert read_master(written(tmp_path, "")) == Master()


@pytest.mark.parametrize(
    "text",
    [
        "[project",
        '[project]\nproject = "two\\nlines"',
        '[project]\nprojekt = "x"',
        "[project]\nproject = 7",
        '[configuration."a b"]\nx = 1',
        "[configuration.a]\nx = 2026-03-01T22:00:00Z",
    ],
)
def test_a_wrong_master_file_is_refused(tmp_path: Path, text: str) -> None:
    """With what is wrong."""
    with pytest.raises(BadParam) as refused:
        read_master(written(tmp_path, text))
    assert refused.value.field


def test_one_that_is_away_for_a_while_is_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """That is logged once, and it is read again when it is back."""
    file = written(tmp_path)
    master = MasterFile(file)
    assert master.read().project.project == "VORTEX"
    file.unlink()
    with caplog.at_level(logging.WARNING):
        assert [master.read(), master.read()] == [Master(), Master()]
    assert len(caplog.records) == 1
    assert str(file) in master.problem
    written(tmp_path)
    assert master.read().project.project == "VORTEX"
    assert master.problem == ""


def test_no_master_file_is_no_problem() -> None:
    """It need not be configured."""
    master = MasterFile(None)
    assert master.read() == Master()
    assert master.problem == ""


def test_defaults_may_have_no_control_characters() -> None:
    """They would stand in files."""
    with pytest.raises(BadParam):
        Values(operator="an\tna").by_field()
