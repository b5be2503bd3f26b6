"""``obsorb merge``: the merger by hand, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.lazy import single
from controller.cli.options import VersionOption
from controller.cli.output import print_json, print_line, print_note
from controller.cli.tools import load_tool
from idl_like_interfaces.merging import MergeMessage, MergeMessageType

app = single()


@app.command()
def merge(
    specification: Annotated[
        str, typer.Argument(metavar="SPEC", help="Data product specification; - is stdin.")
    ],
    root: Annotated[
        Path | None,
        typer.Option("--root", help="Base of relative paths; default: where the file is."),
    ] = None,
    outfile: Annotated[
        Path | None, typer.Option("--outfile", "-o", help="The product; default FILEID.fits.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, write nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON message on each line of stdout.")
    ] = False,
    logfile: Annotated[
        Path | None, typer.Option("--logfile", "-l", help="Append the messages to this file.")
    ] = None,
    version: VersionOption = False,  # noqa: ARG001 (its callback has printed it)
) -> None:
    """Merge FITS files and keywords into a data product.

    Exit codes: 0 done, 100 no specification, 101 not JSON, 102 wrong schema, 110 a source is
    missing, 255 any other failure.
    """
    code = load_tool("merge")(
        specification,
        root=root,
        outfile=outfile,
        dry_run=dry_run,
        logfile=logfile,
        on_message=_print_json if as_json else _print_text,
    )
    raise typer.Exit(code)


def message_text(message: MergeMessage) -> str:
    """Say a message of the merger on one line, or more when it brings cause and remedy."""
    content = message.content
    steps = f" ({content.done} of {content.total})" if content.total else ""
    of = f" [{content.source}]" if content.source else ""
    kind = content.severity or message.type
    lines = [f"{kind}:{of} {content.message}{steps}"]
    lines += [f"cause: {content.cause}"] if content.cause else []
    lines += [f"remedy: {content.remedy}"] if content.remedy else []
    return "\n".join(lines)


def _print_json(message: MergeMessage) -> None:
    print_json(message, lines=True)


def _print_text(message: MergeMessage) -> None:
    is_bad = message.type in (MergeMessageType.ERROR, MergeMessageType.ALERT)
    (print_note if is_bad else print_line)(message_text(message))
