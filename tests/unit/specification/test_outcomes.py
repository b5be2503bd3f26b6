"""How the outcomes of tests add up to outcomes of rows."""

from __future__ import annotations

from tests.specification.outcomes import Outcomes


def test_one_failure_breaks_a_row() -> None:
    """Neither earlier nor later successes hide it."""
    outcomes = Outcomes()
    for outcome in ("passed", "failed", "passed"):
        outcomes.note("R1", "call", outcome)
    assert outcomes.rows("failed") == ["R1"]


def test_only_the_call_of_a_test_shows_a_row() -> None:
    """A set-up that went well before a skip shows nothing."""
    outcomes = Outcomes()
    outcomes.note("R1", "setup", "passed")
    outcomes.note("R1", "call", "skipped")
    assert (outcomes.rows("passed"), outcomes.rows("skipped")) == ([], ["R1"])


def test_a_failing_teardown_breaks_a_row() -> None:
    """What leaks is broken, whatever the call said."""
    outcomes = Outcomes()
    outcomes.note("R1", "call", "passed")
    outcomes.note("R1", "teardown", "failed")
    assert outcomes.rows("failed") == ["R1"]


def test_the_summary_names_what_is_not_shown() -> None:
    """Shown rows are counted, broken and skipped ones are named."""
    outcomes = Outcomes()
    assert outcomes.summary() == []
    for row, outcome in (("R1", "passed"), ("R2", "failed"), ("R3", "skipped")):
        outcomes.note(row, "call", outcome)
    assert outcomes.summary() == [
        "specification rows: 1 shown",
        "specification rows broken: R2",
        "specification rows only skipped: R3",
    ]
