"""The report as people read it: plain text, or a table on a terminal."""

from __future__ import annotations

from benchmarks.figures import Figure, Goal, Measure, Report, Spread

HEADINGS = ("what", "unit", "obsorb", "beside", "its value", "ratio", "goal", "")

NOT_INSTALLED = "not installed"

_ABOVE_THIS_WHOLE = 100
_GAP = "  "


def number(value: float) -> str:
    """Write a number with three digits or a little more."""
    if abs(value) >= _ABOVE_THIS_WHOLE:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def spread(value: Spread) -> str:
    """Write the median and, of several runs, least and greatest."""
    if value.runs == 1:
        return number(value.median)
    return f"{number(value.median)} ({number(value.low)}..{number(value.high)})"


def _goal(goal: Goal | None) -> str:
    if goal is None:
        return ""
    sign, bound = ("<=", goal.at_most) if goal.at_most is not None else (">=", goal.at_least)
    return f"{sign} {bound:g}{'x' if goal.of is Measure.RATIO else ''}"


def _verdict(row: Figure) -> str:
    words = {True: "met", False: "MISSED", None: ""}[row.met]
    if row.lost is not None:
        words += f" lost {row.lost}"
    if row.peer_lost:
        words += f", the peer {row.peer_lost}"
    return f"{words} {row.note}".strip(" ,")


def _theirs(row: Figure) -> str:
    if row.theirs is not None:
        return spread(row.theirs)
    return NOT_INSTALLED if row.peer else ""


def cells(row: Figure) -> tuple[str, ...]:
    """Return a row's texts, in the order of the headings."""
    return (
        row.name,
        row.unit,
        spread(row.ours),
        row.peer,
        _theirs(row),
        f"{row.ratio.median:.2f}x" if row.ratio else "",
        _goal(row.goal),
        _verdict(row),
    )


def head(report: Report) -> list[str]:
    """Return when, where and how a report came about."""
    host = ", ".join(f"{name} {value}" for name, value in report.host.items())
    failed = [f"FAILED: {', '.join(report.failed)}"] if report.failed else []
    return [f"{report.command}, {report.date:%Y-%m-%d %H:%M} UTC", host, *failed]


def plain(report: Report) -> str:
    """Return the report as text without any control characters."""
    rows = [HEADINGS, *(cells(row) for row in report.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = head(report)
    group = ""
    for row, texts in zip([None, *report.figures], rows, strict=True):
        if row is not None and row.group != group:
            group = row.group
            lines += ["", group]
        padded = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
        lines.append(_GAP.join(padded).rstrip())
    return "\n".join(lines) + "\n"


def show_rich(report: Report) -> None:
    """Print the report as a table on the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="\n".join(head(report)), box=None, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold")
    group = ""
    for row in report.figures:
        if row.group != group:
            group = row.group
            table.add_row(f"[bold cyan]{group}[/]")
        table.add_row(*cells(row), style="red" if row.met is False else None)
    Console().print(table)
