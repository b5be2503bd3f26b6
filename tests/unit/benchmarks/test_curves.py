"""Curves are found in a report, drawn, and shown in the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.channel import RATE, SERVER_COST, WHOLE_COST
from benchmarks.clients import CALLS, P99, SERVER, SERVER_P99
from benchmarks.curves import OURS, curves
from benchmarks.figures import Figure, figure
from benchmarks.page import BEGIN, END, PAGE, write_page
from tests.unit.benchmarks.rows import report


def _row(group: str, at: int, ours: float, peer: str, theirs: tuple[float, ...]) -> Figure:
    return figure(group, f"{at} clients", "1/s", [ours], peer=peer, theirs=theirs, at=at)


_ROWS = [
    _row(CALLS, at, ours, peer, theirs)
    for at, ours in ((16, 90.0), (1, 100.0))
    for peer, theirs in (("there", (ours / 2,)), ("absent", ()))
]


def test_each_side_has_one_curve_from_left_to_right() -> None:
    """Ours first, though it stands beside every peer; who was not measured has none."""
    ours, there = curves(report(*_ROWS), CALLS)
    assert (ours.label, there.label) == (OURS, "there")
    assert [(at, value.median) for at, value in ours.points] == [(1, 100.0), (16, 90.0)]
    assert [(at, value.median) for at, value in there.points] == [(1, 50.0), (16, 45.0)]


def test_a_report_without_a_group_has_no_curves_of_it() -> None:
    """It was made with other groups only."""
    assert curves(report(*_ROWS), "octets") == []


def test_the_same_report_gives_the_same_picture(tmp_path: Path) -> None:
    """Byte by byte; axes and sides are named."""
    plots = pytest.importorskip("benchmarks.plots", exc_type=ImportError)
    groups = (CALLS, P99, SERVER, SERVER_P99, RATE, SERVER_COST, WHOLE_COST)
    rows = [_row(group, at, 9.0 * at, "there", (5.0,)) for group in groups for at in (1, 16)]
    drawn = []
    for folder in (tmp_path / "one", tmp_path / "other"):
        folder.mkdir()
        drawn.append(
            [plots.draw(each, folder).read_bytes() for each in plots.pictures(report(*rows))]
        )
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 4
    for text in ("calls of all, 1/s", "clients", "there", OURS):
        assert f"<!-- {text} -->".encode() in drawn[0][0]


def test_a_page_shows_the_newest_result_only(tmp_path: Path) -> None:
    """What stands around it stays."""
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{BEGIN}\n\nold\n\n{END}\n\n## After\n")
    write_page(report(*_ROWS), ["clients-rate.svg"], page)
    first = page.read_text()
    write_page(report(*_ROWS), ["clients-rate.svg"], page)
    assert page.read_text() == first
    assert "old" not in first
    assert first.startswith("# Before\n")
    assert first.endswith("## After\n")
    assert "](benchmarks/clients-rate.svg)" in first
    assert "| 16 clients | 1/s | 90 | there | 45 | 2.00x |" in first
    assert "| absent | not installed |" in first


def test_a_page_without_a_mark_is_not_touched(tmp_path: Path) -> None:
    """Nobody would know where the result belongs."""
    page = tmp_path / "page.md"
    page.write_text(BEGIN)
    with pytest.raises(ValueError, match="misses the mark"):
        write_page(report(*_ROWS), [], page)
    assert page.read_text() == BEGIN


def test_the_page_of_the_documentation_has_a_place_for_the_result(tmp_path: Path) -> None:
    """Its other parts stay."""
    page = tmp_path / "page.md"
    before = PAGE.read_text()
    page.write_text(before)
    write_page(report(*_ROWS), [], page)
    assert page.read_text().partition(BEGIN)[0] == before.partition(BEGIN)[0]
    assert page.read_text().partition(END)[2] == before.partition(END)[2]
