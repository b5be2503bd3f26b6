"""``obsorb audit``: what was commanded, by whom, and whether the record is whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from controller.cli.lazy import group
from controller.cli.options import JsonOption
from controller.cli.output import print_json, print_line
from controller.cli.times import parse_time

if TYPE_CHECKING:
    from idl_like_interfaces.security.audit_chain import Sealed
    from idl_like_interfaces.security.audit_check import Verified

app = group()

PathArgument: TypeAlias = Annotated[
    Path,
    typer.Argument(metavar="FILE|FOLDER", help="A file, or the folder audit of the data root."),
]


@app.callback()
def audit() -> None:
    """Read and verify the audit log."""


@app.command()
def verify(
    path: PathArgument,
    head: Annotated[
        str, typer.Option("--head", metavar="HASH", help="Must be in the chain: what you kept.")
    ] = "",
    as_json: JsonOption = None,
) -> None:
    """Verify the chains: first broken line, unfinished lines, missing files; exit code 1."""
    from idl_like_interfaces.security.audit_check import verify as judge

    found = judge(path, head)
    if as_json:
        print_json(found)
    else:
        for each in found:
            print_line(_verdict(each))
    if not all(each.is_intact for each in found):
        raise typer.Exit(1)


@app.command()
def show(  # noqa: PLR0913, PLR0917 (one for each option)
    path: PathArgument,
    caller: Annotated[str, typer.Option("--caller", metavar="GLOB", help="Who called.")] = "*",
    operation: Annotated[
        str, typer.Option("--operation", metavar="GLOB", help="What was called.")
    ] = "*",
    object_: Annotated[
        str, typer.Option("--object", metavar="GLOB", help="Of which object.")
    ] = "*",
    denied: Annotated[bool, typer.Option("--denied", help="Only what was denied.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the starts and ends of the programs.")
    ] = False,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="ISO-8601 (UTC) or an age: 10m, 2h, 1d.")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="As --since; what is older than this.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 1000,
    as_json: JsonOption = None,
) -> None:
    """Show who called what with which outcome, in the order of time."""
    from idl_like_interfaces.security.audit_check import records

    now = datetime.now(UTC)
    begin, end = parse_time(since, now, "--since"), parse_time(until, now, "--until")
    kinds = {"denied"} if denied else {"call", "denied"}

    def chosen() -> Iterator[Sealed]:
        for each in records(path):
            is_call = each.what in kinds and (
                fnmatchcase(each.caller, caller)
                and fnmatchcase(each.operation, operation)
                and fnmatchcase(each.object, object_)
            )
            if (is_call or (everything and each.what not in ("call", "denied"))) and (
                _is_within(each, begin, end)
            ):
                yield each

    # Each process has its own file; times are UTC texts of one form.
    found = deque(sorted(chosen(), key=lambda each: each.time), maxlen=limit)
    for each in found:
        if as_json:
            print_json(each, lines=True)
        else:
            print_line(_text(each))


def _is_within(record: Sealed, begin: datetime | None, end: datetime | None) -> bool:
    moment = datetime.fromisoformat(record.time)
    return (begin is None or moment >= begin) and (end is None or moment < end)


def _text(record: Sealed) -> str:
    moment = f"{record.time[:23]}Z {record.process:<10}"
    if record.what not in ("call", "denied"):
        counted = ", ".join(f"{n} x {name}" for name, n in record.counted.items())
        return f"{moment} {record.what} {record.incarnation} {counted}".rstrip()
    who = record.caller + (f" ({record.role})" if record.role else "")
    outcome = "DENIED" if record.what == "denied" else record.outcome
    return f"{moment} {who} {record.operation} of {record.object}: {outcome}"


def _verdict(each: Verified) -> str:
    if not each.process:
        return f"all of them: BROKEN\n  broken: {each.broken}"
    state = "intact" if each.is_intact else "BROKEN" if each.broken else "incomplete"
    extent = f"{each.records} records in {each.files} files"
    lines = [f"{each.process}: {state}, {extent}, head {each.seq} {each.head}"]
    lines += [f"  broken: {each.broken}"] if each.broken else []
    lines += [f"  missing: {text}" for text in each.missing]
    lines += [f"  note: {text}" for text in each.notes]
    return "\n".join(lines)
