"""``obsorb serve``: one component in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.db_host import DbHostOption, mirrored_to
from controller.cli.lazy import single
from controller.cli.options import NamesOption
from controller.cli.output import print_line
from controller.cli.tools import log_to_stderr, run_tool

app = single()


@app.command()
def serve(
    installation: Annotated[Path, typer.Argument(metavar="FILE", help="Installation file (TOML).")],
    component: Annotated[
        str, typer.Argument(metavar="COMPONENT", help="Its name in the installation.")
    ],
    names: NamesOption = None,
    db_host: DbHostOption = None,
    level: Annotated[str, typer.Option("--level", help="Lowest level logged to stderr.")] = "INFO",
) -> None:
    """Run one component of an installation until Ctrl-C.

    Without --names it looks for the name server where the file says.
    """
    log_to_stderr(level)
    with mirrored_to(db_host):
        run_tool("serve", installation, component, names=names, on_message=print_line)
