"""``obsorb idl``: what is declared, what an object really offers, and whether the two agree."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from controller.cli.interfaces import described, find_interface, open_probe
from controller.cli.lazy import group
from controller.cli.options import JsonOption
from controller.cli.output import print_json, print_line
from controller.cli.session import Session, addressed
from controller.failure import CommandFailed

if TYPE_CHECKING:
    from idl_like_interfaces.idl.compare import Comparison
    from idl_like_interfaces.idl.conformance import Check

app = group()

_INTERFACE = "Repository id, or name of an interface (OcmDaqControl), or PACKAGE.MODULE:CLASS"

InterfaceArgument = Annotated[
    str,
    typer.Argument(
        metavar="INTERFACE", help=f"{_INTERFACE}; or name or PYRO: reference of a living object."
    ),
]


class DeclaredInterface(msgspec.Struct, frozen=True, kw_only=True):
    """An interface in the list.

    Attributes:
        name: e.g. ``OcmDaqControl``.
        repository_id: With the version.
        version: ``MAJOR.MINOR``.
        module: Python module of the declaration.
        operations: How many there are, with those of the bases.
        digest: Of its description.
    """

    name: str
    repository_id: str
    version: str
    module: str
    operations: int
    digest: str


@app.callback()
def idl() -> None:
    """Show interfaces, check that objects keep them, compare versions."""


@app.command("list")
@addressed
def list_interfaces(session: Session) -> None:
    """List the interfaces that obsorb declares.

    One a line: repository id, number of operations, module of the declaration.
    """
    from idl_like_interfaces.description import describe
    from idl_like_interfaces.idl.registry import declared, short_name

    found = [
        DeclaredInterface(
            name=short_name(each.repository_id),
            repository_id=each.repository_id,
            version=each.repository_id.rpartition(":")[2],
            module=each.python.__module__,
            operations=len(each.operations),
            digest=describe(each).digest,
        )
        for each in declared()
    ]
    lines = [
        f"{e.repository_id:<42} {e.operations:>3} operations  {_last(e.module)}" for e in found
    ]
    session.emit(found, "\n".join(lines))


def _last(module: str) -> str:
    return module.rpartition(".")[2]


@app.command()
@addressed
def show(session: Session, interface: InterfaceArgument) -> None:
    """Show an interface as OMG-IDL.

    With --json its description, as an object tells it and `obsorb idl diff` reads it.
    """
    from idl_like_interfaces.idl.omg import write_idl
    from idl_like_interfaces.idl.prose import prose_of
    from idl_like_interfaces.idl.registry import NoSuchInterface, find

    description = described(session, interface)
    try:
        prose = prose_of(find(interface if ":" in interface else description.repository_id))
    except NoSuchInterface:
        prose = None
    if session.as_json:
        print_json(description)
    else:
        print_line(write_idl(description, prose).rstrip())


@app.command()
def schema(
    name: Annotated[
        str,
        typer.Argument(
            metavar="STRUCT|INTERFACE",
            help="Name of a struct (DaqStatus), or an interface: all its structs.",
        ),
    ],
    as_json: JsonOption = None,  # noqa: ARG001 (a schema is JSON anyway)
) -> None:
    """Print the JSON Schema of structs.

    Draft 2020-12, of one struct or of all structs of an interface in one document.
    """
    from idl_like_interfaces.idl.schema import (
        declared_structs,
        schema_of_interface,
        schema_of_struct,
    )

    struct = declared_structs().get(name)
    found = schema_of_struct(struct) if struct else schema_of_interface(_owner(name))
    print_json(found)


def _owner(name: str) -> Any:
    try:
        return find_interface(name)
    except CommandFailed as error:
        from difflib import get_close_matches

        from idl_like_interfaces.idl.schema import declared_structs

        close = get_close_matches(name, declared_structs(), n=2)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise CommandFailed(
            f"there is neither a struct nor an interface {name!r}{hint}",
            remedy="see `obsorb idl list` and docs/reference/interfaces",
        ) from error


@app.command()
@addressed
def check(
    session: Session,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name or PYRO: reference of a living object.")
    ],
    interface: Annotated[
        str | None,
        typer.Option(
            "--interface",
            metavar="ID",
            help="What it must implement; default: what it says of itself.",
        ),
    ] = None,
) -> None:
    """Examine an object from outside.

    Does it keep its interface? Exit code 1 when not. Safe while the object works: only questions and malformed calls are sent, and an object
    that refuses these executes nothing.
    """
    from idl_like_interfaces.idl.conformance import Examination, Outcome

    wanted = find_interface(interface) if interface else None
    checks: list[Check] = []
    with open_probe(session, name) as probe:
        for each in Examination(probe, wanted).run():
            checks.append(each)
            if not session.as_json:
                _print_check(each)
    failed = [each.name for each in checks if each.outcome is Outcome.FAILED]
    if session.as_json:
        print_json({"name": name, "passed": not failed, "checks": checks})
    else:
        done = sum(each.outcome is Outcome.PASSED for each in checks)
        skipped = len(checks) - done - len(failed)
        print_line(f"{done} passed, {len(failed)} failed, {skipped} skipped")
    if failed:
        raise CommandFailed(
            f"{name} does not keep its interface: {', '.join(failed)}",
            cause="it is of another release, or its servant or server is not ours",
            remedy=f"compare with `obsorb idl diff INTERFACE {name}`",
        )


@app.command()
@addressed
def diff(
    session: Session,
    older: Annotated[
        str,
        typer.Argument(
            metavar="A", help=f"What clients know. {_INTERFACE}, JSON file or living object."
        ),
    ],
    newer: Annotated[
        str, typer.Argument(metavar="B", help="What objects offer. As A; `-`: JSON from stdin.")
    ],
) -> None:
    """Compare two interfaces.

    May clients of A call objects of B? Exit code 1 when they may not. A and B are interfaces, files written by `obsorb idl show --json`, or living objects.
    """
    from idl_like_interfaces.idl.compare import judge
    from idl_like_interfaces.idl.difference import Verdict

    found = judge(described(session, older), described(session, newer))
    session.emit(found, _comparison_text(found))
    if found.verdict is Verdict.INCOMPATIBLE:
        first = found.differences[0]
        raise CommandFailed(
            f"clients of {older} cannot work with {newer}: {first.text()}",
            cause="the interface was changed in a way that older clients do not survive"
            if first.path
            else "they are different interfaces",
            remedy="bring both to one release, or give the new interface a new major version",
        )


def _comparison_text(found: Comparison) -> str:
    lines = [f"{found.verdict}: clients of {found.older} at objects of {found.newer}"]
    lines += [f"  {each.weight:<6} {each.text()}" for each in found.differences]
    if found.version:
        lines.append(f"version: {found.version}")
    return "\n".join(lines)


def _print_check(check: Check) -> None:
    """Print one line; on a narrow terminal what was found comes below, indented."""
    head = f"{check.outcome.value:<7}  {check.name}"
    line = f"{head:<57} {check.detail}".rstrip()
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    if not width or len(line) <= width:
        print_line(line)
        return
    indent = " " * 11
    print_line(head)
    print_line(
        textwrap.fill(check.detail, width - 1, initial_indent=indent, subsequent_indent=indent)
    )
