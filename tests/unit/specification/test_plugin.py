"""The marker in a test run: refusals at collection, outcomes at the end, the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.specification.table import current_page

_PLUGIN = ("-p", "tests.specification.plugin", "-p", "no:cacheprovider")


def _run(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_m="import pytest\n" + source)
    return pytester.runpytest_inprocess(*_PLUGIN, *options)


def test_an_unknown_row_stops_the_collection(pytester: pytest.Pytester) -> None:
    """The test and the id are named, and nothing runs."""
    result = _run(pytester, '@pytest.mark.spec("ESO-999")\ndef test_it(): ...\n')
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_m.py::test_it: *unknown row: ESO-999*"])


def test_the_outcome_of_rows_is_told_at_the_end(pytester: pytest.Pytester) -> None:
    """Rows that were shown are counted, broken and skipped ones named."""
    result = _run(
        pytester,
        """
@pytest.mark.spec("ESO-001", "K01")
def test_good(): ...

@pytest.mark.spec("K01")
def test_bad(): raise ValueError

@pytest.mark.spec("D01")
def test_not_here(): pytest.skip("not here")
""",
    )
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "specification rows: 1 shown",
            "specification rows broken: K01",
            "specification rows only skipped: D01",
        ]
    )


def test_a_run_without_rows_says_nothing_of_them(pytester: pytest.Pytester) -> None:
    """The summary of ordinary runs stays short."""
    _run(pytester, "def test_it(): ...").stdout.no_fnmatch_line("specification rows*")


def test_the_table_is_written_without_running_a_test(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Collecting is enough, and the file that is asked for gets the page."""
    page = tmp_path / "rows.md"
    result = _run(pytester, "def test_it(): ...", "--collect-only", f"--rows-table={page}")
    assert result.ret == pytest.ExitCode.OK
    assert page.read_text(encoding="utf-8") == current_page()
