"""``obsorb fits verify``: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.fits import image, write_fits
from tests.unit.controller.running import obsorb, ok, refused


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Return a file that keeps the standard."""
    return write_fits(tmp_path / "good.fits", {"OBJECT": "M31"}, extensions=[image("A")])


@pytest.fixture
def bad(good: Path) -> Path:
    """Return a file with a keyword in small letters."""
    path = good.with_name("bad.fits")
    path.write_bytes(good.read_bytes().replace(b"OBJECT  =", b"object  ="))
    return path


def test_a_good_file_is_a_line_and_exit_code_0(good: Path) -> None:
    """With the number of its HDUs."""
    assert ok("fits", "verify", str(good)).splitlines() == [f"{good}: 2 HDUs, good"]


def test_an_error_is_told_with_its_place_and_ends_with_1(good: Path, bad: Path) -> None:
    """Cause and remedy on lines of their own; the other files are examined, too."""
    result = obsorb("fits", "verify", str(bad), str(good))
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == f"{bad}: 2 HDUs, 1 error"
    assert "error: primary HDU: keyword 5, \"object  = 'M31" in lines[1]
    assert lines[-1] == f"{good}: 2 HDUs, good"


def test_reports_are_json_on_demand(bad: Path) -> None:
    """An array, a report for each file."""
    result = obsorb("fits", "verify", "--headers", "--json", str(bad))
    assert result.exit_code == 1
    (report,) = json.loads(result.stdout)
    assert (report["hdus"], report["errors"], report["headers_only"]) == (2, 1, True)
    assert report["findings"][0]["severity"] == "error"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """With its name, and what to do."""
    error = refused("fits", "verify", str(tmp_path / "gone.fits"))
    assert "gone.fits cannot be read" in error
    assert "remedy: " in error
