"""``obsorb fits``: looks at FITS files by hand, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from controller.cli.lazy import group
from controller.cli.options import JsonOption
from controller.cli.output import print_json, print_line
from controller.cli.tools import load_tool
from controller.failure import REFUSED, CommandFailed
from idl_like_interfaces.fits_report import FitsFinding, FitsReport

app = group()


@app.callback()
def fits() -> None:
    """Look at FITS files."""


@app.command()
def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="FITS files.")],
    headers_only: Annotated[
        bool,
        typer.Option("--headers", help="Read no data: no checksums, no filling, no heaps."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Verify that files keep the FITS standard: keywords, sizes, tables, heaps, checksums.

    Exit code 0 when no file has an error (warnings do not count), else 1.
    """
    tool = load_tool("fits_verify")
    reports = []
    for file in files:
        report = _examined(tool, file, headers_only=headers_only)
        reports.append(report)
        if not as_json:
            print_line(report_text(report))
    if as_json:
        print_json(reports)
    if any(report.errors for report in reports):
        raise typer.Exit(REFUSED)


def report_text(report: FitsReport) -> str:
    """Say a report: a line for the file, and one or more for each finding."""
    counts = [
        _count(number, word)
        for number, word in ((report.errors, "error"), (report.warnings, "warning"))
        if number
    ]
    verdict = ", ".join(counts) or "good"
    lines = [f"{report.path}: {_count(report.hdus, 'HDU')}, {verdict}"]
    lines += [f"  {line}" for found in report.findings for line in _lines(found)]
    if more := report.errors + report.warnings - len(report.findings):
        lines.append(f"  and {more} more")
    return "\n".join(lines)


def _lines(found: FitsFinding) -> list[str]:
    lines = [f"{found.severity}: {found.label}: {found.message}"]
    lines += [f"  cause: {found.cause}"] if found.cause else []
    lines += [f"  remedy: {found.remedy}"] if found.remedy else []
    return lines


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _examined(tool: Any, file: Path, *, headers_only: bool) -> FitsReport:
    try:
        report: FitsReport = tool(file, headers_only=headers_only)
    except OSError as error:
        raise CommandFailed(
            f"{file} cannot be read: {error.strerror}",
            remedy="give the name of an existing file that you may read",
        ) from error
    return report
