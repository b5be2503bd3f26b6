"""The registry of rows: complete, and strict about what it reads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.specification.registry import RegistryError, load_rows

_SOME = """\
system = "Some"
own = ["X2"]
[[chapter]]
title = "First"
[chapter.rows]
X1 = "one"
X2 = { title = "two", waived = "no such machine" }
"""


def _load(folder: Path, text: str, *more: str) -> object:
    systems = []
    for number, each in enumerate((text, *more)):
        (folder / f"s{number}.toml").write_text(each, encoding="utf-8")
        systems.append(f"s{number}")
    return load_rows(folder, tuple(systems))


def test_every_row_of_the_specifications_is_there() -> None:
    """The ids run without a hole from the first to the last of each system."""
    numbers = {"ESO-": 180, "D": 72, "E": 68, "K": 76}
    wanted = [
        f"{prefix}{number:0{3 if prefix == 'ESO-' else 2}d}"
        for prefix, last in numbers.items()
        for number in range(1, last + 1)
    ]
    assert list(load_rows()) == wanted


def test_titles_are_short_and_told_once() -> None:
    """No title is longer than a line or stands for two rows of one system."""
    rows = load_rows().values()
    assert [row.id for row in rows if not 10 <= len(row.title) <= 90] == []
    assert [key for key, n in Counter((r.system, r.title) for r in rows).items() if n > 1] == []


def test_a_row_knows_where_it_stands(tmp_path: Path) -> None:
    """System, chapter, title, waiver and whose decision it is are read."""
    rows = _load(tmp_path, _SOME)
    assert isinstance(rows, dict)
    assert (rows["X1"].system, rows["X1"].chapter, rows["X1"].title) == ("Some", "First", "one")
    assert (rows["X1"].own, rows["X1"].waived) == (False, "")
    assert (rows["X2"].own, rows["X2"].waived) == (True, "no such machine")


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("no such machine", " ", "X2 is waived without a reason"),
        ('own = ["X2"]', 'own = ["X9"]', "no rows: X9"),
        ("waived", "reason", "X2 has other keys"),
    ],
)
def test_a_registry_that_says_nonsense_is_refused(
    tmp_path: Path, before: str, after: str, complaint: str
) -> None:
    """Empty waivers, own decisions that are no rows and unknown keys are errors."""
    with pytest.raises(RegistryError, match=complaint):
        _load(tmp_path, _SOME.replace(before, after))


def test_a_row_of_two_systems_is_refused(tmp_path: Path) -> None:
    """An id stands in one file only."""
    with pytest.raises(RegistryError, match=r"s1\.toml: row X1 is there already"):
        _load(tmp_path, _SOME, _SOME)
