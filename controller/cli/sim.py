"""``obsorb sim``: simulated sources in the foreground."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from controller.cli.endpoints import port_of
from controller.cli.keys import EnterKey
from controller.cli.lazy import group
from controller.cli.options import (
    DEFAULT_ROOT,
    CertsOption,
    IdentityOption,
    NamesOption,
    RootOption,
)
from controller.cli.output import print_line
from controller.cli.sim_router import router
from controller.cli.tools import log_to_stderr, run_tool

app = group()

NameArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME", help="Its name: it is found as ROOT/sources/NAME.")
]
EndpointArgument: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="[ENDPOINT]", help="Its port, as zpb.rr://localhost:PORT/ or HOST:PORT."
    ),
]
FolderOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", help="Data root; default $DATAROOT, else a new one for this run."
    ),
]
LateOption: TypeAlias = Annotated[
    float, typer.Option("--late", metavar="SECONDS", min=0, help="Begin each command so late.")
]
RefuseOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--refuse", metavar="COMMAND", help="Refuse start, stop, ...; may be repeated."),
]
HangOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--hang", metavar="COMMAND", help="Never answer it; may be repeated."),
]
DieOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--die", metavar="COMMAND", help="Die (kill -9) when it comes."),
]
VerboseOption: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", help="Tell also frames, and who asks or waits.")
]


@app.callback()
def sim() -> None:
    """Run a simulated source in the foreground, with faults when they are wanted."""


app.command()(router)


@app.command()
def recif(  # noqa: PLR0913, PLR0917 (each is an option)
    name: NameArgument,
    endpoint: EndpointArgument = None,
    frames: Annotated[
        int,
        typer.Option(
            "--frames", metavar="N", min=0, help="A recording ends after so many; 0: on Enter."
        ),
    ] = 0,
    duration: Annotated[
        float, typer.Option("--duration", metavar="SECONDS", min=0, help="... after so long.")
    ] = 0.0,
    exposure: Annotated[
        float, typer.Option("--exposure", metavar="SECONDS", min=0, help="From frame to frame.")
    ] = 0.2,
    shape: Annotated[
        tuple[int, int], typer.Option("--shape", metavar="ROWS COLUMNS", help="Of a frame.")
    ] = (256, 256),
    images: Annotated[
        Path | None, typer.Option("--images", metavar="PATH", help="Replay these FITS files.")
    ] = None,
    late: LateOption = 0.0,
    refuse: RefuseOption = None,
    hang: HangOption = None,
    die: DieOption = None,
    folder: FolderOption = None,
    verbose: VerboseOption = False,
    names: NamesOption = None,
    root: RootOption = None,
    certs: CertsOption = None,
    identity: IdentityOption = None,
) -> None:
    """Simulate a primary source (recif); Enter ends its recording, Ctrl-C ends it.

    COMMAND is start, stop, abort, pause, continue, status or wait.
    """
    settings: dict[str, Any] = {"frame_count": frames, "exposure_s": exposure, "shape": shape}
    if images is not None:
        settings |= {"frames": str(images.absolute())}
    where = _where(names, root, certs, identity) | _place(name, endpoint, folder)
    _run(
        "sim_recif",
        settings=settings,
        faults=_faults(late, refuse, hang, die),
        duration_s=duration,
        is_verbose=verbose,
        **where,
    )


@app.command()
def metadaqif(  # noqa: PLR0913, PLR0917 (each is an option)
    name: NameArgument,
    endpoint: EndpointArgument = None,
    period: Annotated[
        float, typer.Option("--period", metavar="SECONDS", help="Between two samples.")
    ] = 0.5,
    late: LateOption = 0.0,
    refuse: RefuseOption = None,
    hang: HangOption = None,
    die: DieOption = None,
    folder: FolderOption = None,
    verbose: VerboseOption = False,
    names: NamesOption = None,
    root: RootOption = None,
    certs: CertsOption = None,
    identity: IdentityOption = None,
) -> None:
    """Simulate a metadata source (metadaqif): telemetry of this host; Ctrl-C ends it.

    COMMAND is start, stop, abort or status.
    """
    where = _where(names, root, certs, identity) | _place(name, endpoint, folder)
    _run(
        "sim_metadaqif",
        settings={"period_s": period},
        faults=_faults(late, refuse, hang, die),
        is_verbose=verbose,
        **where,
    )


def _run(tool: str, **options: Any) -> None:
    log_to_stderr("WARNING")
    run_tool(tool, enter=EnterKey().await_press, on_message=_say, **options)


def _say(text: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    print_line(f"{now[11:23]} {text}")


def _place(name: str, endpoint: str | None, folder: Path | None) -> dict[str, Any]:
    data_root = folder or Path(os.environ.get("DATAROOT") or tempfile.mkdtemp(prefix="obsorb-sim-"))
    place: dict[str, Any] = {"name": name, "data_root": data_root}
    return place | ({"port": port_of(endpoint, "ENDPOINT")} if endpoint else {})


def _where(
    names: str | None, root: str | None, certs: str | None, identity: str | None
) -> dict[str, Any]:
    certs = certs or os.environ.get("OBSORB_CERTS") or ""
    identity = identity or os.environ.get("OBSORB_IDENTITY") or "components"
    return {"names": names, "root": root or DEFAULT_ROOT, "certs": certs, "identity": identity}


def _faults(
    late: float, refuse: list[str] | None, hang: list[str] | None, die: list[str] | None
) -> dict[str, Any]:
    return {"late_s": late, "refuse": refuse or [], "hang": hang or [], "die": die or []}
