"""``obsorb names``: what is bound, under which lease, does it answer; changes by hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from controller.cli.lazy import group
from controller.cli.names_change import bind, unbind
from controller.cli.names_components import is_component, ping_components
from controller.cli.names_copy import export_names, import_names
from controller.cli.names_servers import dismiss, ping_servers
from controller.cli.names_stats import stats
from controller.cli.names_watch import watch
from controller.cli.output import print_json, print_line
from controller.cli.session import Session, addressed
from controller.failure import CommandFailed
from idl_like_interfaces.clients.directory import list_all
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.naming import Binding, BindingType, Lease
from idl_like_interfaces.object import Identity, Object

if TYPE_CHECKING:
    from nameserver.client import Names

app = group()

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A name, e.g. obs/ocm/daq.")]
PingArgument = Annotated[
    str, typer.Argument(metavar="[NAME]", help="A name; without: the name servers themselves.")
]
ContextArgument = Annotated[
    str, typer.Argument(metavar="[CONTEXT]", help="A context; without: all names.")
]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a ping found out about a name.

    Attributes:
        name: The name.
        alive: It answered.
        round_trip_s: Of the ping; None when there was no answer.
        identity: Who answered.
        error: Why there was no answer.
    """

    name: str
    alive: bool
    round_trip_s: float | None = None
    identity: Identity | None = None
    error: str = ""


@app.callback()
def names() -> None:
    """Look at the name service, and change what is bound."""


@app.command("list")
@addressed
def list_names(session: Session, context: ContextArgument = "") -> None:
    """List the bindings below a context, one a line: name, interface, URI."""
    with session.connect() as client:
        bindings = list_all(client.context, context)
    session.emit(bindings, "\n".join(map(_line, bindings)))


@app.command()
@addressed
def tree(session: Session, context: ContextArgument = "") -> None:
    """Show the names as a tree with interface and what is left of the lease."""
    with session.connect() as client:
        bindings = list_all(client.context, context)
        leases = client.context.list_leases()
    if session.as_json:
        print_json({"bindings": bindings, "leases": leases})
    else:
        _print_tree(context, bindings, leases)


@app.command()
@addressed
def resolve(session: Session, name: NameArgument) -> None:
    """Say what a name stands for."""
    with session.connect() as client:
        binding = client.context.resolve(name)
    session.emit(binding, binding.uri or f"{binding.name or '/'} is a context")


@app.command()
@addressed
def ping(
    session: Session,
    name: PingArgument = "",
    all_: Annotated[
        bool, typer.Option("--all", help="All components: do they live, are they ready, why not.")
    ] = False,
) -> None:
    """Ask an object, or all below a context, whether they are alive; without: the name servers.

    A component (obs/components/NAME, or its NAME alone) says also whether it is ready.
    """
    if all_ or is_component(session, name):
        ping_components(session, name.rpartition("/")[2])
    elif name:
        _ping_objects(session, name)
    else:
        ping_servers(session)


def _ping_objects(session: Session, name: str) -> None:
    with session.connect() as client:
        binding = client.context.resolve(name)
        if binding.type is BindingType.OBJECT:
            found = [name]
        else:
            found = [each.name for each in list_all(client.context, name) if _is_object(each)]
        answers = [ping_one(client, each) for each in found]
    if session.as_json:
        print_json(answers)
    else:
        print_line("\n".join(map(_answer_line, answers)) or f"nothing is bound below {name}")
    if silent := [each.name for each in answers if not each.alive]:
        raise CommandFailed(
            f"{len(silent)} of {len(answers)} did not answer: {', '.join(silent)}",
            remedy="see with `obsorb log query` what their components said last",
        )


app.command()(bind)
app.command()(unbind)
app.command()(watch)
app.command()(stats)
app.command()(dismiss)
app.command("export")(export_names)
app.command("import")(import_names)


def ping_one(client: Names, name: str, deadline_s: float = 3.0) -> Answer:
    """Ping an object by its name; whatever goes wrong is in the answer."""
    started = time.perf_counter()
    try:
        identity = client.narrow(name, Object, deadline_s).ping()
    except RemoteError as error:
        return Answer(name=name, alive=False, error=error.message)
    return Answer(
        name=name, alive=True, round_trip_s=time.perf_counter() - started, identity=identity
    )


def _is_object(binding: Binding) -> bool:
    return binding.type is BindingType.OBJECT


def _line(binding: Binding) -> str:
    if not _is_object(binding):
        return f"{binding.name}/"
    return f"{binding.name:<28} {binding.interface or '-':<42} {binding.uri}"


def _answer_line(answer: Answer) -> str:
    if answer.identity is None or answer.round_trip_s is None:
        return f"{answer.name:<28} no answer: {answer.error}"
    who = answer.identity
    return (
        f"{answer.name:<28} {answer.round_trip_s * 1e3:7.2f} ms  "
        f"{who.host} pid {who.pid} incarnation {who.incarnation}"
    )


def _print_tree(context: str, bindings: list[Binding], leases: list[Lease]) -> None:
    from rich.console import Console

    from controller.cli.names_tree import render_tree

    # A pipe has no width: a name must not be cut there.
    console = Console(soft_wrap=True)
    console.print(render_tree(context, bindings, leases))
