"""Numbers as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.dashboard.text import bar, chart, duration, size, sparkline, tail


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0s"),
        (-1.0, "0.0s"),
        (9.94, "9.9s"),
        (59.9, "59s"),
        (190.0, "3m10s"),
        (7500.0, "2h05m"),
        (100000.0, "1d03h"),
    ],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    """Two units at most."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 * 1024**4, "3.0 TiB")]
)
def test_sizes_have_units(count: int, text: str) -> None:
    """Powers of 1024."""
    assert size(count) == text


def test_sparkline_shows_the_newest() -> None:
    """The right end is now; the highest value fills the line."""
    assert sparkline([9, 0, 1, 2, 4, 8], 5) == " ▁▂▄█"
    assert sparkline([], 5) == ""
    assert sparkline([0, 0], 5) == "  "


@given(st.lists(st.floats(0, 1e6), max_size=40), st.integers(1, 6))
def test_chart_has_its_size(values: list[float], height: int) -> None:
    """As many lines as asked for, each as wide as there are values."""
    lines = chart(values, 30, height)
    assert len(lines) == height
    assert {len(line) for line in lines} == {min(len(values), 30)}


def test_chart_grows_from_the_bottom() -> None:
    """The highest value fills all lines, half of it half of them."""
    assert chart([4, 8], 10, 2) == [" █", "██"]


def test_bar_is_filled_from_the_left() -> None:
    """And never longer than its width."""
    assert bar(0.5, 4) == "██░░"
    assert bar(7.0, 4) == "████"
    assert bar(-1.0, 4) == "░░░░"


def test_tail_keeps_the_end() -> None:
    """The end of a path says most."""
    assert tail("/a/b/c.fits", 8) == "…/c.fits"[-8:]
    assert tail("/a", 8) == "/a"
