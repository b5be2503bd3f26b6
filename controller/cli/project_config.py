"""``obsorb project config``: configuration documents of components, all versions of them."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
import typer

from controller.cli.documents import read_document
from controller.cli.lazy import group
from controller.cli.output import print_json
from controller.cli.session import Session, addressed
from controller.cli.who import ByOption, who
from controller.failure import CommandFailed
from idl_like_interfaces.project import Configuration, ConfigurationService

if TYPE_CHECKING:
    from nameserver.client import Names

config = group()

NameArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME", help="Of a configuration, e.g. archiver/0.")
]


@config.callback()
def configurations() -> None:
    """See and store configuration documents."""


@config.command("list")
@addressed
def list_configurations(session: Session) -> None:
    """List the names of all documents."""
    with session.connect() as client:
        found = _service(session, client).names()
    session.emit(found, "\n".join(found))


@config.command()
@addressed
def get(
    session: Session,
    name: NameArgument,
    version: Annotated[int, typer.Option("--version", min=0, help="An earlier one.")] = 0,
) -> None:
    """Print a document as JSON; with --json also its version, who stored it, and its digest."""
    with session.connect() as client:
        found = _service(session, client).get(name, version)
    print_json(found if session.as_json else found.document)


@config.command()
@addressed
def put(
    session: Session,
    name: NameArgument,
    document: Annotated[
        str,
        typer.Argument(
            metavar="DOCUMENT", help="JSON; @FILE (JSON, or TOML named *.toml), @- for stdin."
        ),
    ],
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why.")] = "",
    by: ByOption = "",
    expect: Annotated[
        int,
        typer.Option(
            "--expect", metavar="VERSION", min=0, help="Refuse when it has another version by now."
        ),
    ] = 0,
) -> None:
    """Store a new version of a document; one that is equal to the present one makes none."""
    plain = read_configuration(document)
    with session.connect() as client:
        found = _service(session, client).put(name, plain, who(by), comment, expect)
    session.emit(found, version_line(found))


@config.command()
@addressed
def history(
    session: Session,
    name: NameArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="So many.")] = 20,
    before: Annotated[
        int, typer.Option("--before", metavar="VERSION", min=0, help="Only older ones.")
    ] = 0,
) -> None:
    """List the versions of a document, the newest first."""
    with session.connect() as client:
        found = _service(session, client).history(name, limit, before)
    session.emit(found, "\n".join(map(version_line, found)))


def read_configuration(argument: str) -> dict[str, Any]:
    """Read a document from the command line.

    Raises:
        CommandFailed: It cannot be read, or is neither a JSON object nor a TOML document.
    """
    text = read_document(argument)
    try:
        if argument.startswith("@") and argument.endswith(".toml"):
            return tomllib.loads(text)
        return msgspec.json.decode(text.encode(), type=dict[str, Any])
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, UnicodeEncodeError) as error:
        raise CommandFailed(
            f"the document cannot be read: {error}",
            cause="it is no JSON object (nor, in a file named *.toml, a TOML document)",
            remedy="correct it; give it in quotes, or as @FILE",
        ) from error


def version_line(found: Configuration) -> str:
    """Say a version of a document on one line."""
    comment = f"  ({found.comment})" if found.comment else ""
    size = len(json.dumps(found.document))
    return (
        f"{found.name}  version {found.version}  {found.changed:%Y-%m-%d %H:%M:%S}  "
        f"{found.changed_by or '-'}  {size} bytes  {found.digest[:15]}{comment}"
    )


def _service(session: Session, client: Names) -> ConfigurationService:
    return client.narrow(session.path("configuration"), ConfigurationService)
