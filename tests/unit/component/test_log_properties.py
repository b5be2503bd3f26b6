"""The file that sets levels of named loggers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.errors import BadParam
from objects.component.log_properties import apply_log_properties, read_log_properties

NAMES = ("daq.ocm.controller", "daq.dpm.transfer", "daq.ocm.eventlog")


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """Put the levels back."""
    yield
    for name in NAMES:
        logging.getLogger(name).setLevel(logging.NOTSET)


def written(folder: Path, text: str) -> Path:
    file = folder / "log.properties"
    file.write_text(text)
    return file


def test_named_loggers_get_their_levels(tmp_path: Path) -> None:
    """In the form of log4cplus and in the short one, with ESO's levels."""
    text = (
        "# a remark\n\nlog4cplus.logger.daq.ocm.controller = DEBUG\n"
        "daq.dpm.transfer=trace   # says all\n  log4cplus.logger.daq.ocm.eventlog=STATE\n"
    )
    apply_log_properties(written(tmp_path, text))
    found = [logging.getLogger(name).level for name in NAMES]
    assert found == [logging.DEBUG, 5, 27]


@pytest.mark.parametrize(
    ("value", "level"), [("WARN", 30), ("FATAL", 50), ("ALL", 5), ("INHERIT", 0), ("OFF", 60)]
)
def test_the_other_names_of_levels_are_known(tmp_path: Path, value: str, level: int) -> None:
    """Those that log4cplus has."""
    assert read_log_properties(written(tmp_path, f"a.b = {value}")) == {"a.b": level}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("log4cplus.rootLogger = INFO, console", "rootLogger is not set here"),
        ("log4cplus.appender.console = log4cplus::ConsoleAppender", "appender"),
        ("log4cplus.additivity.daq = false", "additivity"),
        ("daq.ocm = LOUD", "no level 'LOUD'"),
        ("daq.ocm = DEBUG, console", "names an output"),
        ("daq.ocm", "not of the form"),
        ("= DEBUG", "not of the form"),
        ("daq..ocm = DEBUG", "not of the form"),
        ("a = INFO", "has a level already"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    """What was found there, and what to do."""
    with pytest.raises(BadParam, match=said) as caught:
        read_log_properties(written(tmp_path, f"a = DEBUG\n\n{line}\n"))
    assert "line 3" in caught.value.message
    assert caught.value.field == "log_properties"
    assert caught.value.remedy


def test_nothing_is_changed_by_a_faulty_file(tmp_path: Path) -> None:
    """Not even what stands before the fault."""
    with pytest.raises(BadParam):
        apply_log_properties(written(tmp_path, "daq.dpm.transfer = DEBUG\nx"))
    assert logging.getLogger("daq.dpm.transfer").level == logging.NOTSET


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """It is missing, or no text."""
    file = tmp_path / "x"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadParam, match="cannot be read"):
        read_log_properties(file)


def test_a_logger_that_nobody_has_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As a warning: the same file may serve several servers."""
    apply_log_properties(written(tmp_path, "daq.ocm = INHERIT\ndaq.omc.manager = DEBUG"))
    assert "under daq.omc.manager yet: is it mistyped?" in caplog.text
    assert "daq.ocm " not in caplog.text
