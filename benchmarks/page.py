"""The result that the documentation shows, written into its page between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Report
from benchmarks.table import HEADINGS, cells, head

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "benchmarks.md"

BEGIN = "<!-- result: written by benchmarks/plots.py -->"
END = "<!-- end of the result -->"

_TITLES = {
    "clients-rate": "Calls of all clients in a second, over the number of clients",
    "clients-p99": "Time within which 99 % of the calls were answered, over the number of clients",
    "octets": "Throughput of octets, over the size of a message",
    "channel": "Events to each consumer in a second, over the number of consumers",
    "channel-cost": "Processor time for each delivery, over the number of consumers",
}


def write_page(report: Report, pictures: Sequence[str], page: Path = PAGE) -> Path:
    """Put a result in the place of the one before.

    Args:
        report: The result.
        pictures: File names in the folder ``benchmarks`` beside the page.
        page: It has both marks.

    Raises:
        ValueError: A mark is missing.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} misses the mark {END if begin else BEGIN}")
    parts = [before + begin, *_result(report, pictures), end + after]
    page.write_text("\n\n".join(parts), encoding="utf-8")
    return page


def _result(report: Report, pictures: Sequence[str]) -> list[str]:
    when, where, *_ = head(report)
    drawn = [f"![{_TITLES[Path(name).stem]}](benchmarks/{name})" for name in pictures]
    groups = dict.fromkeys(row.group for row in report.figures)
    return [f"`{when}`; {where}.", *drawn, *(_table(report, group) for group in groups)]


def _table(report: Report, group: str) -> str:
    headings = ("", *HEADINGS[1:])
    rows = [cells(row) for row in report.figures if row.group == group]
    lines = [headings, ("---",) * len(headings), *rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"### {group[0].upper()}{group[1:]}\n\n{body}"
