"""The report as text, and on a terminal."""

from __future__ import annotations

import pytest

from benchmarks.figures import figure
from benchmarks.table import number, plain, show_rich
from tests.unit.benchmarks.rows import CHEAPER, IN_TIME, rate, report


def _line(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(name))


def test_a_row_stands_beside_its_peer() -> None:
    """With spread, ratio, goal, verdict and what was lost."""
    line = _line(plain(report(rate())), "events to 1 consumer")
    assert "120 (100..126)" in line
    assert "other 1.0" in line
    assert "50 (40..60)" in line
    assert "2.40x" in line
    assert ">= 2x" in line
    assert line.endswith("met lost 0, the peer 3")


def test_a_peer_that_is_not_installed_is_told() -> None:
    """In the place of its value; there is no verdict."""
    line = _line(plain(report(rate(theirs=()))), "events to 1 consumer")
    assert "not installed" in line
    assert "met" not in line
    assert "MISSED" not in line


def test_a_missed_goal_is_loud() -> None:
    """For ratios and limits."""
    text = plain(
        report(
            figure("calls", "add", "us", [2.0], peer="bare", theirs=[1.0], goal=CHEAPER),
            figure("start", "up", "s", [6.0], goal=IN_TIME),
        )
    )
    assert _line(text, "add").endswith("<= 1.3x  MISSED")
    assert _line(text, "up").endswith("<= 5     MISSED")


def test_the_text_says_when_how_and_where() -> None:
    """First of all; and each group once."""
    lines = plain(report(rate(), rate())).splitlines()
    assert lines[0] == "benchmarks/run.py, 2026-03-01 12:00 UTC"
    assert lines[1] == "cores 2, Python 3.11"
    assert lines.count("channel") == 1


def test_columns_stand_below_each_other() -> None:
    """The text is read without any tool."""
    text = plain(report(rate(), figure("start", "up", "s", [6.0], goal=IN_TIME)))
    columns = {_line(text, name).index(what) for name, what in (("events", "1/s"), ("up", "s  "))}
    assert columns == {_line(text, "what").index("unit")}


@pytest.mark.parametrize(
    ("value", "text"), [(0.0123, "0.0123"), (7.0, "7"), (99.96, "100"), (123_456.7, "123 457")]
)
def test_numbers_have_about_three_digits(value: float, text: str) -> None:
    """More would be noise."""
    assert number(value) == text


def test_a_terminal_gets_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """With the same content."""
    show_rich(report(rate()))
    printed = capsys.readouterr().out
    assert "channel" in printed
    assert "2.40x" in printed
