"""``obsorb quicklook``: the picture of a FITS file by hand, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.lazy import single
from controller.cli.output import print_line
from controller.cli.tools import load_tool

app = single()


@app.command()
def quicklook(
    product: Annotated[Path, typer.Argument(metavar="FILE", help="A FITS file, also .fits.gz.")],
    picture: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PNG", help="The picture; default beside the file."),
    ] = None,
) -> None:
    """Draw what is in a FITS file: its images, keywords and tables; print where the PNG is.

    A picture that was made in this way before is replaced, any other file is not.
    """
    print_line(str(load_tool("quicklook")(product, picture)))
