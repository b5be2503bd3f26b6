"""``obsorb up``: an installation in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.db_host import DbHostOption, mirrored_to
from controller.cli.lazy import single
from controller.cli.output import print_line
from controller.cli.serve import ConfigOption, configured
from controller.cli.tools import end_with_parent, log_to_stderr, run_tool
from idl_like_interfaces.logs import LogLevel

app = single()

_STORY = "objects.component.supervisor"
"""What it logs it prints as well."""


@app.command()
def up(
    installation: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Installation file (TOML).")
    ] = None,
    config: ConfigOption = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Stop when the process that started this ends.")
    ] = False,
    db_host: DbHostOption = None,
    level: Annotated[
        str | None,
        typer.Option(
            "--level",
            "--log-level",
            "-l",
            help="Lowest level that all parts log; default: as the file says, else INFO.",
        ),
    ] = None,
) -> None:
    """Run an installation until Ctrl-C; what dies is started again.

    The first line of its output is ``name server: HOST:PORT``.
    """
    if (installation is None) is (config is None):
        message = "Give FILE, or --config in its place."
        raise typer.BadParameter(message)
    file = installation or configured(config or "")
    if with_parent:
        end_with_parent()
    log_to_stderr(level or "WARNING", but=_STORY)
    with mirrored_to(db_host):
        run_tool(
            "up", file, on_message=print_line, log_level=LogLevel(level.upper()) if level else None
        )
