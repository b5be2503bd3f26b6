"""The options that all commands share; one given to a group holds for its commands."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import typer

DEFAULT_ROOT = "obs"


def inherit(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
    """Take the value of an option that was not given here from a group above."""
    above = ctx.parent
    while value is None and above is not None:
        value = above.params.get(str(param.name))
        above = above.parent
    return value


NamesOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--names",
        metavar="HOST:PORT",
        callback=inherit,
        help="Name server, or both of a pair with a comma; default $OBSORB_NAMES, else localhost:9090.",
    ),
]

RootOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--root",
        metavar="NAME",
        callback=inherit,
        help="Root context of the installation's names; default obs.",
    ),
]

CertsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--certs",
        metavar="DIR",
        callback=inherit,
        help="Call with TLS: folder of your certificate; default $OBSORB_CERTS.",
    ),
]

IdentityOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--identity",
        metavar="NAME",
        callback=inherit,
        help="Your certificate, if the folder has several; default $OBSORB_IDENTITY.",
    ),
]

JsonOption: TypeAlias = Annotated[
    bool | None,
    typer.Option("--json", callback=inherit, help="Print JSON to stdout."),
]


def print_version(wanted: bool) -> None:
    """Print the version and end, when that is wanted."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"obsorb {version('obsorb')}")
        raise typer.Exit


VersionOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--version", callback=print_version, is_eager=True, help="Print the version and end."
    ),
]

OcmOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--ocm",
        metavar="NAME",
        callback=inherit,
        help="Context of the OCM's objects; default ROOT/ocm.",
    ),
]

RepOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--rep",
        metavar="ENDPOINT",
        callback=inherit,
        help="Where the OCM is, as zpb.rr://HOST:PORT/ or HOST:PORT of the name server, or as "
        "a name such as obs/ocm; default $OCM_REQUEST_EP.",
    ),
]

PepOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--pep",
        metavar="ENDPOINT",
        callback=inherit,
        help="Name of the event channel with the samples; default ROOT/events.",
    ),
]

StatusOption: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--status",
        callback=inherit,
        help="Print status samples to stderr; without a command until Ctrl-C.",
    ),
]
