"""The marker ``spec`` in a test run: checked at collection, told of at the end.

``pytest --rows-table`` writes the table of rows; with ``--collect-only`` it runs nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.specification.markers import Claim, MarkerError, scan
from tests.specification.outcomes import Outcomes
from tests.specification.registry import RegistryError, load_rows
from tests.specification.table import (
    PAGE,
    ROOT,
    TableError,
    contradictions,
    disagreements,
    write_page,
)

PROPERTY = "spec"
"""Name of the user property that carries a row to reports (and to JUnit files)."""

_REFUSALS = (TableError, MarkerError, RegistryError)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes the table."""
    parser.getgroup("specification rows").addoption(
        "--rows-table",
        nargs="?",
        const=str(PAGE),
        metavar="FILE",
        help="write which test shows which specification row (docs/reference/rows.md)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Write the table if asked to, and begin to collect outcomes."""
    config.pluginmanager.register(_Rows(), "specification-rows-of-run")
    target = config.getoption("--rows-table")
    if target is None or hasattr(config, "workerinput"):
        return
    try:
        write_page(Path(target))
    except _REFUSALS as refusal:
        raise pytest.UsageError(str(refusal)) from refusal


class _Rows:
    """What one run learns about the rows."""

    def __init__(self) -> None:
        self._outcomes = Outcomes()
        self._uncollected: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that a missing library skips, or that cannot be read."""
        if report.outcome != "passed":
            self._uncollected.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Refuse markers that the registry does not know; note rows at their tests."""
        claims = [claim for item in items for claim in _claims_of(item)]
        try:
            problems = list(contradictions(load_rows(), claims))
            if _collects_everything(config):
                problems += disagreements(claims, self._expected())
        except _REFUSALS as refusal:
            raise pytest.UsageError(str(refusal)) from refusal
        if problems:
            raise pytest.UsageError("\n".join(sorted(set(problems))))

    def _expected(self) -> list[Claim]:
        skipped = tuple(self._uncollected)
        return [claim for claim in scan(ROOT / "tests") if not claim.test.startswith(skipped)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a phase of a test says about the rows that it claims."""
        for name, row in report.user_properties:
            if name == PROPERTY:
                self._outcomes.note(str(row), report.when, report.outcome)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say in a line or a few how the claimed rows fared."""
        for line in self._outcomes.summary():
            terminalreporter.write_line(line)


def _claims_of(item: pytest.Item) -> list[Claim]:
    claims = []
    for marker in item.iter_markers("spec"):
        for row in marker.args:
            claims.append(Claim(row=str(row), test=item.nodeid, counts=True))
            item.user_properties.append((PROPERTY, str(row)))
    return claims


def _collects_everything(config: pytest.Config) -> bool:
    """Tell whether the whole test folder was asked for, and nothing left out."""
    asked = {(config.invocation_params.dir / argument).resolve() for argument in config.args}
    narrowed = config.getoption("ignore") or config.getoption("ignore_glob")
    return not narrowed and bool(asked & {ROOT, ROOT / "tests"})
