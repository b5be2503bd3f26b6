"""The table of rows: what it says, and that the one in the docs is current."""

from __future__ import annotations

import pytest

from tests.specification.markers import Claim
from tests.specification.registry import Row
from tests.specification.table import PAGE, TableError, current_page, disagreements, make_page


def _row(row_id: str, system: str = "S", *, own: bool = False, waived: str = "") -> Row:
    return Row(
        id=row_id, system=system, chapter="C", title=f"does {row_id}", own=own, waived=waived
    )


def _rows(*rows: Row) -> dict[str, Row]:
    return {row.id: row for row in rows}


def _claim(row: str, test: str = "tests/test_a.py::test_b", *, counts: bool = True) -> Claim:
    return Claim(row=row, test=test, counts=counts)


def test_the_page_in_the_docs_is_current() -> None:
    """Writing the page again would change nothing; otherwise run ``make rows``."""
    assert PAGE.read_text(encoding="utf-8") == current_page()


def test_rows_are_tested_waived_or_open() -> None:
    """Each row tells its state and who shows it or why it is waived."""
    rows = _rows(_row("R1"), _row("R2", waived="no such host"), _row("R3", own=True))
    page = make_page(rows, [_claim("R1", "t::z"), _claim("R1", "t::a")])
    assert "| R1 | does R1 | tested | `t::a`<br>`t::z` |" in page
    assert "| R2 | does R2 | waived | no such host |" in page
    assert "| R3 † | does R3 | open |  |" in page


def test_counts_stand_at_the_top_for_each_system_and_all() -> None:
    """The numbers of rows in each state are added up."""
    rows = _rows(_row("R1"), _row("R2", waived="because"), _row("Q1", "T"))
    page = make_page(rows, [_claim("Q1")])
    assert "| S | 2 | 0 | 1 | 1 |\n| T | 1 | 1 | 0 | 0 |\n| **all** | 3 | 1 | 1 | 1 |" in page


def test_a_claim_that_does_not_count_leaves_the_row_open() -> None:
    """A row shown only by a test that is always skipped is open."""
    page = make_page(_rows(_row("R1")), [_claim("R1", counts=False)])
    assert "| R1 | does R1 | open |  |" in page


def test_an_unknown_row_is_refused_with_its_test() -> None:
    """A marker with a slip of the pen does not vanish."""
    with pytest.raises(TableError, match=r"tests/test_a\.py::test_b: .* unknown row: R9"):
        make_page(_rows(_row("R1")), [_claim("R9")])


def test_a_row_both_waived_and_tested_is_refused() -> None:
    """A waiver that has become untrue must go."""
    with pytest.raises(TableError, match="row R1 is waived"):
        make_page(_rows(_row("R1", waived="too big")), [_claim("R1")])


def test_claims_that_pytest_does_not_collect_are_found() -> None:
    """Neither a contract that nobody runs nor an aliased marker slips through."""
    assert disagreements([_claim("R1", "t::a")], [_claim("R1", "t::b")]) == []
    assert disagreements([], [_claim("R1", "t::a")]) == [
        "t::a: claims row R1, but pytest collects no such test"
    ]
    assert disagreements([_claim("R1", "t::a")], []) == [
        "t::a: claims row R1 in a way that the table cannot read"
    ]
