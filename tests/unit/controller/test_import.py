"""``obsorb import daq-config``: an installation on stdout or in a file, its history on stderr."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.unit.controller.running import obsorb, ok, refused

CONFIG = "cfg:\n  instrument_id: UNDEF\n  sm_scxml: sm.xml\n"


@pytest.fixture
def config(tmp_path: Path) -> str:
    """The path of a configuration of an OCM."""
    file = tmp_path / "ocm.yaml"
    file.write_text(CONFIG)
    return str(file)


def test_the_installation_goes_to_stdout(config: str) -> None:
    """And nothing else; what became of each key is told beside it."""
    result = obsorb("import", "daq-config", config)
    assert tomllib.loads(result.stdout)["component"]["ocm"]["instrument_id"] == "UNDEF"
    assert result.stderr.splitlines() == [
        "ocm cfg/instrument_id = UNDEF -> component.ocm.instrument_id",
        "ocm cfg/sm_scxml = sm.xml -> (not needed)  (the state machine is part of the program)",
    ]


def test_a_document_has_both(config: str) -> None:
    """For programs."""
    read = json.loads(ok("import", "daq-config", config, "--json"))
    assert [each["key"] for each in read["keys"]] == ["cfg/instrument_id", "cfg/sm_scxml"]
    assert "[component.ocm]" in read["installation"]


def test_a_file_that_exists_is_not_replaced(config: str, tmp_path: Path) -> None:
    """It may be the result of an afternoon."""
    output = tmp_path / "i.toml"
    assert ok("import", "daq-config", config, "-o", str(output)) == ""
    before = output.read_text()
    assert "[component.ocm]" in before
    assert "exists" in refused("import", "daq-config", config, "-o", str(output))
    assert output.read_text() == before
    error = refused("import", "daq-config", config, "-o", str(tmp_path / "none" / "i.toml"))
    assert "cannot be written" in error


def test_a_fault_is_told_with_its_line(tmp_path: Path) -> None:
    """Nothing is printed then."""
    file = tmp_path / "x.yaml"
    file.write_text(CONFIG + "  instrumentid: X\n")
    result = obsorb("import", "daq-config", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "line 4: cfg/instrumentid is no key of the ocm" in result.stderr
    assert "did you mean cfg/instrument_id?" in result.stderr


@pytest.mark.parametrize("arguments", [["--as", "nobody"], ["--as", "ocm", "second.yaml"], []])
def test_wrong_usage_is_said(config: str, arguments: list[str]) -> None:
    """Which server a file is of can be said of one file only."""
    files = [config] if arguments else []
    refused("import", "daq-config", *files, *arguments, code=2)
