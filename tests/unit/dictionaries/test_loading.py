"""Dictionaries of a component are loaded, and what they both have is told."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from objects.dictionaries.flaws import BadDictionary
from objects.dictionaries.loading import load_dictionaries
from tests.support.dictionaries import CLASSIC


def _write(folder: Path, name: str, text: str = CLASSIC) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_duplicates_that_differ_are_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A line for each pair of files; those that say the same are not worth one."""
    first = _write(tmp_path, "ESO-VLT-DIC.TEST")
    other = CLASSIC.replace("ESO-VLT-DIC.TEST", "ESO-VLT-DIC.OTHER").replace("%.3f", "%.5f")
    second = _write(tmp_path, "ESO-VLT-DIC.OTHER", other)
    with caplog.at_level(logging.INFO):
        known = load_dictionaries([first, second])
    (warned,) = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert warned == f"{first} and {second} differ in EXPTIME: the first one counts"
    assert "dictionary ESO-VLT-DIC.TEST: 5 keywords" in caplog.text
    assert known.names == ["ESO-VLT-DIC.TEST", "ESO-VLT-DIC.OTHER"]


def test_a_file_that_is_listed_twice_counts_once(tmp_path: Path) -> None:
    """It does not differ from itself."""
    path = _write(tmp_path, "ESO-VLT-DIC.TEST")
    known = load_dictionaries([path, tmp_path / "." / path.name])
    assert known.duplicates == []
    assert len(known) == 5


def test_one_faulty_file_refuses_all(tmp_path: Path) -> None:
    """With its name and line."""
    good = _write(tmp_path, "ESO-VLT-DIC.TEST")
    bad = _write(tmp_path, "bad", CLASSIC.replace("%d", "%z"))
    with pytest.raises(BadDictionary) as refused:
        load_dictionaries([good, bad])
    assert refused.value.message.startswith(f"{bad}:")
    assert refused.value.line > 1
