"""``obsorb dictionary``: keyword dictionaries, checked and looked up; no server is needed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.dictionary_text import record_lines, record_table
from controller.cli.lazy import group
from controller.cli.options import JsonOption
from controller.cli.output import print_json, print_line, print_note
from controller.cli.tools import load_tool
from controller.failure import CommandFailed

if TYPE_CHECKING:
    from idl_like_interfaces.dictionaries import DictionaryCheck, DictionaryReport

app = group()

_MOST_DUPLICATES = 20

_FORMS = (
    "ESO-VLT-DIC.<scope>, *.yaml or *.did.yaml; a relative one is also looked for over $CFGPATH"
)


@app.callback()
def dictionary() -> None:
    """Check keyword dictionaries, look keywords up in them."""


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help=f"Dictionaries: {_FORMS}.")],
    as_json: JsonOption = None,
) -> None:
    """Check dictionaries, and tell where they differ.

    Every flaw is printed to stderr as FILE:LINE: FIELD: TEXT. Exit code 1 when there is one: no component takes such a file.
    """
    found: DictionaryCheck = load_tool("dictionary_check")(files)
    if as_json:
        print_json(found)
    else:
        _print_check(found)
    bad = [each.path for each in found.files if each.flaws]
    if bad:
        raise CommandFailed(
            f"{len(bad)} of {len(found.files)} dictionaries cannot be used: {', '.join(bad)}",
            remedy="correct the lines that are named",
        )


@app.command()
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=f"A dictionary: {_FORMS}.")],
    keyword: Annotated[
        str,
        typer.Argument(
            metavar="[KEYWORD]", help="With its indices, e.g. 'INS FILT1 ID'; default: all."
        ),
    ] = "",
    as_json: JsonOption = None,
) -> None:
    """Show what a dictionary says of a keyword, or list all its keywords.

    In the list # stands for an index, (#) for one that may be missing.
    """
    records = load_tool("dictionary_show")(file, keyword)
    if as_json:
        print_json(records[0] if keyword else records)
    elif keyword:
        print_line(record_lines(records[0]))
    else:
        print_line(record_table(records, shutil.get_terminal_size().columns if _is_screen() else 0))


def _is_screen() -> bool:
    return sys.stdout.isatty()


def _print_check(found: DictionaryCheck) -> None:
    for report in found.files:
        _print_report(report)
    differing = [each for each in found.duplicates if not each.is_same]
    for each in differing[:_MOST_DUPLICATES]:
        print_line(f"{each.unused}: {each.name}: differs from {each.used}, which counts")
    if len(differing) > _MOST_DUPLICATES:
        print_line(f"and {len(differing) - _MOST_DUPLICATES} more that differ")
    if same := len(found.duplicates) - len(differing):
        print_line(f"{same} keywords stand in several files and say the same")


def _print_report(report: DictionaryReport) -> None:
    for flaw in report.flaws:
        print_note(flaw.told(report.path))
    if not report.flaws:
        print_line(f"{report.path}: {report.name}, {report.form} form, {report.keywords} keywords")
        for note in report.notes:
            print_line(f"  note: {note}")
