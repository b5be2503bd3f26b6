"""The table of the documentation says what the tests show."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "explanations" / "pyro5-weaknesses.md"
CANNOT_OCCUR = {7, 11, 12}
_ROW = re.compile(r"^\| (?P<number>\d+) \|.*\|(?P<tests>[^|]*)\|$", re.MULTILINE)


def _shown() -> dict[int, set[str]]:
    """Return the tests by the weakness that they are marked with."""
    shown: dict[int, set[str]] = {}
    for path in Path(__file__).parent.glob("test_*.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                for number in _marks(function):
                    shown.setdefault(number, set()).add(function.name)
    return shown


def _marks(function: ast.FunctionDef) -> list[int]:
    return [
        int(found[1])
        for decorator in function.decorator_list
        if (found := re.fullmatch(r"pytest\.mark\.weakness\((\d+)\)", ast.unparse(decorator)))
    ]


def test_the_page_names_the_tests_of_each_weakness() -> None:
    """All of them, and no other."""
    rows = {
        int(row["number"]): set(re.findall(r"`(test_\w+)`", row["tests"]))
        for row in _ROW.finditer(PAGE.read_text())
    }
    assert rows.keys() == set(range(1, 17))
    assert {number: tests for number, tests in rows.items() if tests} == _shown()


def test_each_weakness_is_shown_of_both_or_cannot_occur() -> None:
    """Stock Pyro5 fails and ours holds; three cannot occur in ours."""
    shown = _shown()
    assert shown.keys() == set(range(1, 17)) - CANNOT_OCCUR
    for number, tests in shown.items():
        assert any(name.startswith("test_stock_") for name in tests), number
        assert any(name.startswith("test_ours_") for name in tests), number
