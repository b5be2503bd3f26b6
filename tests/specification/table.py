"""The page that tells of each row whether it is tested, waived or open.

As a script it writes ``docs/reference/rows.md`` anew.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tests.specification.markers import Claim, MarkerError, scan
from tests.specification.registry import RegistryError, Row, load_rows

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "rows.md"

_HEAD = """\
# Specification rows

Each row is one observable behaviour that the specifications ask for. A row is *tested*
when at least one test carries its id in the marker `spec` and can fail, *waived* when a
reason says why it is not done, else *open*. Rows with a † are decisions of this project
where the original system is silent. The page is made by `make rows` from the markers; do
not edit it.
"""


class TableError(ValueError):
    """Registry and markers contradict each other."""


def make_page(rows: dict[str, Row], claims: Iterable[Claim]) -> str:
    """Return the page as Markdown.

    Raises:
        TableError: A marker names an unknown row, or a row that is waived.
    """
    claims = list(claims)
    problems = list(contradictions(rows, claims))
    if problems:
        raise TableError("\n".join(problems))
    tests = _tests_by_row(claims)
    parts = [_HEAD, _counts(rows.values(), tests)]
    for system, members in groupby(rows.values(), key=lambda row: row.system):
        parts.append(f"## {system}\n")
        for chapter, chapter_rows in groupby(members, key=lambda row: row.chapter):
            parts.append(_chapter(chapter, chapter_rows, tests))
    return "\n".join(parts)


def contradictions(rows: dict[str, Row], claims: Iterable[Claim]) -> Iterator[str]:
    """Yield a line for each claim that the registry does not allow."""
    for claim in claims:
        if claim.row not in rows:
            yield f"{claim.test}: the marker spec names an unknown row: {claim.row}"
        elif rows[claim.row].waived:
            yield f"{claim.test}: row {claim.row} is waived ({rows[claim.row].waived})"


def disagreements(collected: Iterable[Claim], written: Iterable[Claim]) -> list[str]:
    """Name the rows for which pytest and the reading of sources disagree."""
    found = {claim.row: claim.test for claim in collected}
    read = {claim.row: claim.test for claim in written}
    return [
        f"{read[row]}: claims row {row}, but pytest collects no such test"
        for row in read.keys() - found.keys()
    ] + [
        f"{found[row]}: claims row {row} in a way that the table cannot read"
        for row in found.keys() - read.keys()
    ]


def current_page() -> str:
    """Return the page that the sources as they are now give.

    Raises:
        TableError: Registry and markers contradict each other.
        MarkerError: A marker cannot be read.
        RegistryError: The registry contradicts itself.
    """
    return make_page(load_rows(), scan(ROOT / "tests"))


def write_page(path: Path = PAGE) -> None:
    """Write the page; the errors are those of ``current_page``."""
    text = current_page()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> int:
    """Write the page, or say on standard error why it cannot be."""
    try:
        write_page()
    except (TableError, MarkerError, RegistryError) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
    return 0


def _tests_by_row(claims: Iterable[Claim]) -> dict[str, list[str]]:
    tests: dict[str, list[str]] = {}
    for claim in sorted(claims):
        if claim.counts:
            tests.setdefault(claim.row, []).append(claim.test)
    return tests


def _state(row: Row, tests: dict[str, list[str]]) -> str:
    if row.waived:
        return "waived"
    return "tested" if row.id in tests else "open"


def _counts(rows: Iterable[Row], tests: dict[str, list[str]]) -> str:
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        for system in (row.system, "**all**"):
            counts.setdefault(system, Counter()).update(["rows", _state(row, tests)])
    counts["**all**"] = counts.pop("**all**")
    columns = ("rows", "tested", "waived", "open")
    lines = ["| system | rows | tested | waived | open |", "|---|---:|---:|---:|---:|"]
    for system, count in counts.items():
        numbers = " | ".join(str(count[column]) for column in columns)
        lines.append(f"| {system} | {numbers} |")
    return "\n".join(lines) + "\n"


def _chapter(chapter: str, rows: Iterable[Row], tests: dict[str, list[str]]) -> str:
    lines = [f"### {chapter}\n", "| row | what must hold | state | shown by |", "|---|---|---|---|"]
    for row in rows:
        shown = row.waived or "<br>".join(f"`{test}`" for test in tests.get(row.id, ()))
        mark = " †" if row.own else ""
        lines.append(f"| {row.id}{mark} | {row.title} | {_state(row, tests)} | {shown} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
