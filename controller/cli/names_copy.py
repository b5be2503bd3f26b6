"""``obsorb names export`` and ``import``: the names that were given by hand, as a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from controller.cli.names_change import contexts_above
from controller.cli.names_document import Export, ExportedBinding, read_export, to_text
from controller.cli.output import print_note
from controller.cli.session import Session, addressed
from controller.failure import CommandFailed
from idl_like_interfaces.clients.directory import list_all
from idl_like_interfaces.errors import CommFailure, RemoteError
from idl_like_interfaces.naming import Binding, BindingType, Lease, NamingContext

if TYPE_CHECKING:
    from nameserver.client import Names

_MANY = 1000

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for a pipe.")]


class Done(StrEnum):
    """What became of one name of an import."""

    BOUND = "bound"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    REFUSED = "refused"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One name of an import.

    Attributes:
        name: The name.
        outcome: What became of it.
        reason: Why it was skipped or refused.
    """

    name: str
    outcome: Done
    reason: str = ""


@addressed
def export_names(
    session: Session,
    file: FileArgument,
    all_: Annotated[
        bool, typer.Option("--all", help="Also what stands under a lease, marked with its holder.")
    ] = False,
) -> None:
    """Write contexts and the names that stand without a lease as a JSON document."""
    with session.connect() as client:
        bindings = list_all(client.context)
        leases = client.context.list_leases()
    export = make_export(bindings, leases, with_leased=all_)
    _write(file, to_text(export))
    count = f"{len(export.contexts)} contexts and {len(export.bindings)} names are exported"
    print_note(count if file == "-" else f"{count} to {file}")


@addressed
def import_names(
    session: Session,
    file: FileArgument,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what has a name, unless it has a lease.")
    ] = False,
) -> None:
    """Bind what a document of exported names says; what stood under a lease is skipped."""
    export = read_export(_read(file), "the input" if file == "-" else file)
    with session.connect() as client:
        outcomes = list(import_all(client, export, replace=replace))
    session.emit(outcomes, "\n".join(map(_line, outcomes)))
    refused = [each for each in outcomes if each.outcome is Done.REFUSED]
    if refused:
        raise CommandFailed(
            f"{len(refused)} of {len(outcomes)} names were refused, the others are as wanted",
            cause=f"the first is {refused[0].name}: {refused[0].reason}",
            remedy="unbind what is in the way or give --replace, then import again",
        )


def make_export(
    bindings: Iterable[Binding], leases: Iterable[Lease], *, with_leased: bool
) -> Export:
    """Return the document of what is bound.

    Args:
        bindings: All, sorted by name.
        leases: Those that stand.
        with_leased: Also what stands under a lease.
    """
    holders = {lease.lease_id: lease.holder for lease in leases}
    objects = [each for each in bindings if each.type is BindingType.OBJECT]
    return Export(
        exported_at=datetime.now(UTC).replace(microsecond=0),
        contexts=[each.name for each in bindings if each.type is BindingType.CONTEXT],
        bindings=[
            ExportedBinding(
                name=each.name,
                uri=each.uri,
                interface=each.interface,
                metadata=each.metadata,
                leased_to=holders.get(each.lease_id, "?") if each.lease_id else "",
            )
            for each in objects
            if with_leased or not each.lease_id
        ],
    )


def import_all(client: Names, export: Export, *, replace: bool) -> Iterator[Outcome]:
    """Bind one name after the other; yield what became of each.

    Raises:
        CommFailure: The name server is lost; what was yielded before is done.
    """
    above = {context for each in export.bindings for context in contexts_above(each.name)}
    wanted = {
        *export.contexts,
        *above,
        *(c for each in export.contexts for c in contexts_above(each)),
    }
    contexts = sorted(wanted, key=lambda name: (name.count("/"), name))
    found = known(client.context, [*contexts, *(each.name for each in export.bindings)])
    for context in contexts:
        yield _make_context(client.context, context, found.get(context))
    for each in export.bindings:
        yield _bind(client.context, each, found.get(each.name), replace=replace)


def known(context: NamingContext, names: list[str]) -> dict[str, Binding]:
    """Return what names stand for, of those that are bound."""
    found: dict[str, Binding] = {}
    for start in range(0, len(names), _MANY):
        for each in context.resolve_many(names[start : start + _MANY]):
            if each.binding is not None:
                found[each.name] = each.binding
    return found


def _make_context(context: NamingContext, name: str, old: Binding | None) -> Outcome:
    if old is None:
        return _outcome(name, Done.BOUND, lambda: context.bind_new_context(name))
    if old.type is BindingType.CONTEXT:
        return Outcome(name=name, outcome=Done.UNCHANGED)
    return Outcome(name=name, outcome=Done.REFUSED, reason=f"it is an object, {old.uri}")


def _bind(
    context: NamingContext, new: ExportedBinding, old: Binding | None, *, replace: bool
) -> Outcome:
    name, arguments = new.name, (new.name, new.uri, new.interface, new.metadata)
    if new.leased_to:
        reason = f"it stood under a lease of {new.leased_to}, which binds it itself"
        return Outcome(name=name, outcome=Done.SKIPPED, reason=reason)
    if old is None:
        return _outcome(name, Done.BOUND, lambda: context.bind(*arguments))
    if (old.uri, old.interface, old.metadata, old.lease_id) == (*arguments[1:], ""):
        return Outcome(name=name, outcome=Done.UNCHANGED)
    if obstacle := _obstacle(old, replace=replace):
        return Outcome(name=name, outcome=Done.REFUSED, reason=obstacle)
    return _outcome(name, Done.REPLACED, lambda: context.rebind(*arguments))


def _obstacle(old: Binding, *, replace: bool) -> str:
    """Say why a name cannot be replaced; empty: it can."""
    if old.type is BindingType.CONTEXT:
        return "it is a context"
    if old.lease_id:
        return f"a component keeps it under a lease, {old.uri}"
    return "" if replace else f"it is bound to {old.uri}"


def _outcome(name: str, done: Done, operation: Callable[[], None]) -> Outcome:
    try:
        operation()
    except CommFailure:
        raise
    except RemoteError as error:
        return Outcome(name=name, outcome=Done.REFUSED, reason=error.message)
    return Outcome(name=name, outcome=done)


def _line(outcome: Outcome) -> str:
    return f"{outcome.outcome:<9} {outcome.name:<28} {outcome.reason}".rstrip()


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(
            f"{file} cannot be read: {getattr(error, 'strerror', None) or error}",
            cause="the file is missing, is no text, or you may not read it",
            remedy="give the path of a file that `obsorb names export` wrote, or - for a pipe",
        ) from error


def _write(file: str, text: str) -> None:
    if file == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        _put(Path(file), text)
    except OSError as error:
        raise CommandFailed(
            f"{file} cannot be written: {error.strerror or error}",
            cause="the folder is missing, full, or you may not write there",
            remedy="give a path in a folder that you may write to, or - for a pipe",
        ) from error


def _put(path: Path, text: str) -> None:
    if path.exists() and not path.is_file():  # a device or a named pipe is written, never replaced
        path.write_text(text, encoding="utf-8")
        return
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
