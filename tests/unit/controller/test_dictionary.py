"""``obsorb dictionary``: files are checked, keywords shown."""

from __future__ import annotations

from pathlib import Path

import pytest

import controller.demo
from controller.cli.dictionary_text import record_table
from tests.support.dictionaries import CLASSIC, record
from tests.unit.controller.running import document, obsorb, ok, refused

SHIPPED = Path(str(controller.demo.__file__)).with_name("dictionary")
OURS = str(SHIPPED / "ESO-VLT-DIC.OBSORB")


def test_good_files_are_said_to_be_good() -> None:
    """One a line with name, form and number; the same keyword in both is counted."""
    out = ok("dictionary", "check", OURS, str(SHIPPED / "obsorb.yaml"))
    assert f"{OURS}: ESO-VLT-DIC.OBSORB, classic form, 56 keywords" in out
    assert "56 keywords stand in several files and say the same" in out


def test_flaws_are_told_as_compilers_do(tmp_path: Path) -> None:
    """On stderr, all of them; the good file beside is told as well."""
    bad = tmp_path / "bad"
    bad.write_text(CLASSIC.replace("%.3f", "%g").replace("logical", "bool"))
    result = obsorb("dictionary", "check", OURS, str(bad))
    assert result.exit_code == 1
    assert f"{bad}:8: Value Format: '%g': the conversion g is forbidden" in result.stderr
    assert f"{bad}:25: Type: there is no type 'bool' (of INS SHUT ST)" in result.stderr
    assert "1 of 2 dictionaries cannot be used" in result.stderr
    assert "56 keywords" in result.stdout


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """By both commands, with its path."""
    path = str(tmp_path / "none")
    for command in ("check", "show"):
        assert f"{path}: the dictionary cannot be read" in refused("dictionary", command, path)


def test_keywords_that_differ_are_told(tmp_path: Path) -> None:
    """With both places."""
    one, other = tmp_path / "ESO-VLT-DIC.TEST", tmp_path / "ESO-VLT-DIC.OTHER"
    one.write_text(CLASSIC)
    other.write_text(CLASSIC.replace("%.3f", "%.4f"))
    out = ok("dictionary", "check", str(one), str(other))
    assert f"{other}:4: EXPTIME: differs from {one}:4, which counts" in out
    assert "note: the file is named ESO-VLT-DIC.OTHER" in out
    assert "4 keywords stand in several files" in out


def test_a_check_as_json() -> None:
    """The declared report."""
    found = document("dictionary", "check", OURS)
    assert found["files"][0]["keywords"] == 56
    assert found["duplicates"] == []


@pytest.mark.parametrize("name", ["INS FILT12 NO", "HIERARCH ESO INS FILT1 NO", "INS FILT# NO"])
def test_a_keyword_is_shown_with_its_indices(name: str) -> None:
    """Or with the prefix of its cards, or as it stands in the dictionary."""
    out = ok("dictionary", "show", OURS, name)
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["name"] == "INS FILT# NO"
    assert lines["range"] == ">= 1"
    assert lines["type"] == "integer"


def test_an_unknown_keyword_is_refused() -> None:
    """With what may have been meant."""
    assert "did you mean EXPTIME?" in refused("dictionary", "show", OURS, "EXPTIM")


def test_all_keywords_are_listed() -> None:
    """One a line; on 100 columns nothing is broken."""
    lines = ok("dictionary", "show", OURS).splitlines()
    assert len(lines) == 56
    assert max(map(len, lines)) <= 130
    assert any("DPR CATG" in line and "SCIENCE, CALIB" in line for line in lines)
    assert len(document("dictionary", "show", OURS)) == 56
    assert document("dictionary", "show", OURS, "RA")["highest"] == 360


def test_a_list_fits_on_a_narrow_screen() -> None:
    """What has no room is cut off."""
    lines = record_table([record("A" * 60, comment="c" * 60)], 80).splitlines()
    assert [len(line) for line in lines] == [80]
    assert lines[0].endswith("…")


def test_a_relative_file_is_found_over_cfgpath(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is not here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CFGPATH", f"/nowhere:{SHIPPED}")
    assert "56 keywords" in ok("dictionary", "check", "obsorb.yaml")
    monkeypatch.setenv("CFGPATH", "/nowhere")
    assert "cannot be read" in refused("dictionary", "check", "obsorb.yaml")
