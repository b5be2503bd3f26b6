"""``obsorb import``: files of other systems made ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from controller.cli.lazy import group
from controller.cli.options import JsonOption
from controller.cli.output import print_json, print_line, print_note
from controller.cli.tools import load_tool
from controller.failure import CommandFailed

app = group()

SERVERS = ("ocm", "dpm")


@app.callback()
def import_() -> None:
    """Make files of this system of those of another one."""


@app.command("daq-config")
def daq_config(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Configuration of daqOcmServer, daqDpmServer (YAML)."
        ),
    ],
    server: Annotated[
        str, typer.Option("--as", metavar="SERVER", help="Whose a single FILE is: ocm or dpm.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the installation file here.")
    ] = None,
    as_json: JsonOption = None,
) -> None:
    """Make an installation file of the configuration files of the original's servers.

    Without --output it goes to stdout. What became of each key is told on stderr.
    """
    if server and (server not in SERVERS or len(files) > 1):
        message = "--as is ocm or dpm, for a single FILE"
        raise typer.BadParameter(message)
    imported = load_tool("import_daq_config")(files, server)
    if output is not None:
        _write(output, imported.installation)
    if as_json:
        print_json(imported)
        return
    for each in imported.keys:
        print_note(key_line(each))
    if output is None:
        print_line(imported.installation.rstrip("\n"))


def key_line(became: Any) -> str:
    """Say what became of a key."""
    setting = became.setting or "(not needed)"
    why = f"  ({became.why})" if became.why else ""
    return f"{became.server} {became.key} = {became.value} -> {setting}{why}"


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise CommandFailed(
            f"{path} exists", remedy="give another name, or move it away first"
        ) from error
    except OSError as error:
        raise CommandFailed(
            f"{path} cannot be written: {error.strerror}", remedy="give a folder that you may write"
        ) from error
