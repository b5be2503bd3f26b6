"""``obsorb names bind`` and ``unbind``: names given and taken by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.output import print_note
from controller.cli.session import Session, addressed
from controller.failure import CommandFailed
from idl_like_interfaces.naming import AlreadyBound, BindingType, NotFound

if TYPE_CHECKING:
    from nameserver.client import Names


@addressed
def bind(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name, e.g. obs/guest.")],
    uri: Annotated[str, typer.Argument(metavar="URI", help="PYRO:id@host:port.")],
    interface: Annotated[
        str, typer.Option("--interface", metavar="ID", help="Repository id of its interface.")
    ] = "",
    metadata: Annotated[
        list[str] | None,
        typer.Option("--metadata", metavar="KEY=VALUE", help="A mark; may be given again."),
    ] = None,
    rebind: Annotated[
        bool, typer.Option("--rebind", help="Replace the object that has the name.")
    ] = False,
    make_contexts: Annotated[
        bool, typer.Option("--make-contexts", help="Make the contexts above that are missing.")
    ] = False,
) -> None:
    """Give a name to an object, until it is unbound."""
    marks = dict(map(_mark, metadata or []))
    with session.connect() as client:
        if make_contexts:
            make_all(client, contexts_above(name))
        operation = client.context.rebind if rebind else client.context.bind
        try:
            operation(name, uri, interface, marks)
        except NotFound as error:
            raise _without_contexts(error) from error
        binding = client.context.resolve(name)
    session.emit(binding, f"{name} is bound to {uri}")


@addressed
def unbind(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="An object, or an empty context.")],
) -> None:
    """Take a name away: that of an object, or an empty context."""
    with session.connect() as client:
        binding = client.context.resolve(name)
        if binding.type is BindingType.CONTEXT:
            client.context.destroy(name)
        else:
            client.context.unbind(name)
    if binding.lease_id:
        print_note(
            f"note: {name} stood under a lease; a component that is alive binds it again "
            "within seconds"
        )
    session.emit(binding, f"{name} is unbound")


def contexts_above(name: str) -> list[str]:
    """Return the contexts that a name needs, from the top."""
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def make_all(client: Names, contexts: list[str]) -> None:
    """Make those contexts that do not exist.

    Raises:
        AlreadyBound: One of the names belongs to an object.
    """
    for each in contexts:
        try:
            client.context.bind_new_context(each)
        except AlreadyBound as taken:
            if taken.uri:
                raise


def _mark(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        message = f"{text!r} is not of the form KEY=VALUE"
        raise typer.BadParameter(message, param_hint="--metadata")
    return key, value


def _without_contexts(error: NotFound) -> CommandFailed:
    return CommandFailed(
        error.message,
        cause="a name is bound in a context that exists",
        remedy="give --make-contexts, or correct the name; see `obsorb names tree`",
    )
